"""Nothing: what the runtime itself takes."""


def handler(event, context):
    pass
