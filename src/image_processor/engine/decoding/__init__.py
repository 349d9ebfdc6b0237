"""From a source's bytes to pixels: what it is, what it says of itself, whether that is within bounds, its frames."""
