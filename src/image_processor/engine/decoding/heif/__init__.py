"""AVIF and HEIC: the boxes of ISO base media files, the items in them, and what their decoders would make of these.

    boxes ─▶ tables ─▶ items ──┐
               └─────▶ samples ┴▶ limits ─▶ format, the base of formats/avif.py and formats/heif.py
                            av1 ──┘

Read as strictly as the decoders do, so that nothing is decoded that was not checked here.
"""
