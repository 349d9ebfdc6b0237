"""Renders every image of an upload bucket into the sizes and formats that pages need."""

# The one place that says the version: the log, the template's metadata and the release follow it.
__version__ = "1.0.0"
