"""AVIF and HEIC: the boxes of ISO base media files, the items in them, and what their decoders would decode.

    boxes ─▶ tables ─▶ items ──┐
               └─────▶ samples ┴▶ limits ─▶ format, the base of formats/avif.py and formats/heif.py
                            av1 ──┘

They are read as strictly as the decoders read them, so that nothing is decoded that was not checked here.
"""
