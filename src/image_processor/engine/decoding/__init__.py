"""From the bytes of a source to pixels that can be resampled.

    source.py      opens a source, reads its header, decodes it: the order of all steps
    format.py      the interface of a format; formats/ has a module for each, registry.py finds it by the first bytes
    heif/          the boxes of AVIF and HEIC files, and what their decoders would decode
    modes.py       brings decoded pixels into a mode that can be resampled; icc.py builds missing colour profiles
    jpeg_kinds.py  what JPEG and TIFF refuse and bound alike
    *_file.py      files that are still arriving, or whose number of reads is bounded

Only the module of the format at hand is imported. Besides this package, only `engine` itself uses Pillow.
"""

from image_processor.engine.decoding.decoder_errors import decoding
from image_processor.engine.decoding.registry import SOURCE_FORMATS, load_plugin
from image_processor.engine.decoding.source import OpenSource, SourceHeader, open_source
from image_processor.engine.decoding.streaming_file import ByteStream

__all__ = ["SOURCE_FORMATS", "ByteStream", "OpenSource", "SourceHeader", "decoding", "load_plugin", "open_source"]
