"""An empty handler, to measure the runtime itself."""


def handler(event, context):
    pass
