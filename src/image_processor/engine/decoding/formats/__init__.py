"""A module for each format, which assigns its class to `FORMAT`; modules with a longer name are parts of a format."""
