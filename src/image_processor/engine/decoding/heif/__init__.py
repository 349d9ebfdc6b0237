"""AVIF and HEIC: the boxes of ISO base media files, and what their decoders would make of them."""
