"""Renders every image of an upload bucket into the sizes and formats that pages need."""

# The only definition of the version: the log, the template's metadata and the release take it from here.
__version__ = "1.0.0"
