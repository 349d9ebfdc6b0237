"""What invokes the function, one module for each event source.

Each module recognises and reads its event, calls `publishing`, and responds in the event source's format.
"""
