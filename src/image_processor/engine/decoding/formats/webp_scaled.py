"""Decodes a still WebP at a whole fraction of its size, by the libwebp that Pillow is linked to.

    source ─▶ features ─▶ guards ─▶ decode: rows, averaged as they are decoded ─▶ image
                             └▶ None: the caller lets Pillow decode

Pillow never requests a fraction from libwebp. For every WebP it makes the canvas of an animation and two copies, which
costs more than the decoding of a still picture.

The result is None, never an error, for a file that is unusual, damaged or cut off: Pillow alone decides what is refused
and why.
"""

import ctypes
from functools import cache
from typing import Final

from PIL import Image

from image_processor.engine.decoding.format import Reduced
from image_processor.engine.geometry import Size

# WEBP_DECODER_ABI_VERSION of libwebp's decode.h. Structures are the same where the upper byte is; libwebp compares it
# and refuses another, so that a future libwebp means None, not reads of the wrong memory.
_ABI_VERSION: Final = 0x0209
_RGBA, _PREMULTIPLIED = 1, 7  # MODE_RGBA, MODE_rgbA of WEBP_CSP_MODE
_LOSSY, _LOSSLESS = 1, 2  # WebPBitstreamFeatures.format; 0 is an animation, whose frames have their own rectangles
_OK: Final = 0  # VP8_STATUS_OK
# libwebp averages luma, chroma and alpha of a lossy picture, each alone, before they are colours. Against the average
# of colours, a half loses too much of fine coloured detail (43 dB; a third 46, a sixth 50) and saves no time; and with
# alpha, hidden colours would show at the edges. Such a picture is decoded whole, and averaged then.
_LEAST_PART: Final = 3


class _Features(ctypes.Structure):
    """WebPBitstreamFeatures."""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("has_alpha", ctypes.c_int),
        ("has_animation", ctypes.c_int),
        ("format", ctypes.c_int),
        ("pad", ctypes.c_uint32 * 5),
    )


class _RgbaBuffer(ctypes.Structure):
    """WebPRGBABuffer."""

    _fields_ = (("rgba", ctypes.c_void_p), ("stride", ctypes.c_int), ("size", ctypes.c_size_t))


class _YuvaBuffer(ctypes.Structure):
    """WebPYUVABuffer, which makes the union as large as in libwebp."""

    _fields_ = (("planes", ctypes.c_void_p * 4), ("strides", ctypes.c_int * 4), ("sizes", ctypes.c_size_t * 4))


class _Buffer(ctypes.Union):
    _fields_ = (("rgba", _RgbaBuffer), ("yuva", _YuvaBuffer))


class _Output(ctypes.Structure):
    """WebPDecBuffer."""

    _fields_ = (
        ("colorspace", ctypes.c_int),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("is_external_memory", ctypes.c_int),
        ("buffer", _Buffer),
        ("pad", ctypes.c_uint32 * 4),
        ("private_memory", ctypes.c_void_p),
    )


class _Options(ctypes.Structure):
    """WebPDecoderOptions."""

    _fields_ = (
        ("bypass_filtering", ctypes.c_int),
        ("no_fancy_upsampling", ctypes.c_int),
        ("use_cropping", ctypes.c_int),
        ("crop", ctypes.c_int * 4),
        ("use_scaling", ctypes.c_int),
        ("scaled_width", ctypes.c_int),
        ("scaled_height", ctypes.c_int),
        ("use_threads", ctypes.c_int),
        ("dithering_strength", ctypes.c_int),
        ("flip", ctypes.c_int),
        ("alpha_dithering_strength", ctypes.c_int),
        ("pad", ctypes.c_uint32 * 5),
    )


class _Config(ctypes.Structure):
    """WebPDecoderConfig."""

    _fields_ = (("input", _Features), ("output", _Output), ("options", _Options))


def decode_scaled(source: bytes, least: Size) -> Reduced | None:
    """The picture at the smallest whole fraction of its size that is at least `least`, in RGB or RGBa, or None.

    Takes up to four bytes for each pixel of the source (never more than 16383 × 16383): bound them first.
    """
    libwebp = library()
    if libwebp is None:
        return None
    config = _Config()
    features = config.input
    if (
        not libwebp.WebPInitDecoderConfigInternal(ctypes.byref(config), _ABI_VERSION)
        or libwebp.WebPGetFeaturesInternal(source, len(source), ctypes.byref(features), _ABI_VERSION) != _OK
        or features.format not in (_LOSSY, _LOSSLESS)
    ):
        return None
    width, height = features.width, features.height
    part = max(1, min(width // max(1, least[0]), height // max(1, least[1])))
    whole = features.format == _LOSSY and (bool(features.has_alpha) or part < _LEAST_PART)
    size = (width, height) if whole else (-(-width // part), -(-height // part))
    pixels = _decode(libwebp, config, source, size)
    if pixels is None:
        return None
    # The sides are rounded up and cover the whole picture: 1001 at a third is 334 pixels of 1001/334 each.
    shares = (size[0] / width, size[1] / height)
    if whole and part > 1:
        # Four samples of any kind: where one is alpha, the others are already multiplied by it.
        small = Image.frombuffer("RGBX", size, pixels, "raw", "RGBX", 0, 1).reduce(part)
        pixels, size, shares = small.tobytes(), small.size, (1 / part, 1 / part)
    mode, raw = ("RGBa", "RGBa") if features.has_alpha else ("RGB", "RGBX")
    return Image.frombytes(mode, size, pixels, "raw", raw), shares


def _decode(libwebp: ctypes.CDLL, config: _Config, source: bytes, size: Size) -> bytes | bytearray | None:
    """Four bytes for each pixel; None for a file that is cut off or damaged."""
    width, height = size
    pixels = bytearray(width * height * 4)
    output = config.output
    output.colorspace = _PREMULTIPLIED if config.input.has_alpha else _RGBA
    output.is_external_memory = 1
    memory = (ctypes.c_ubyte * len(pixels)).from_buffer(pixels)
    output.buffer.rgba = _RgbaBuffer(ctypes.addressof(memory), width * 4, len(pixels))
    if (width, height) != (config.input.width, config.input.height):
        # At the picture's own size, scaling would only select the worse of two ways to upsample colour.
        config.options.use_scaling = 1
        config.options.scaled_width, config.options.scaled_height = width, height
    return pixels if libwebp.WebPDecode(source, len(source), ctypes.byref(config)) == _OK else None


@cache
def library() -> ctypes.CDLL | None:
    """The libwebp that Pillow is linked to, wherever its file is; None if it can't be loaded.

    A symbol is also looked up in what a library is linked to, so that Pillow's own module leads to libwebp. Where
    libwebp is linked into that module, its symbols are hidden.
    """
    try:
        from PIL import _webp

        found = ctypes.CDLL(_webp.__file__)
        found.WebPInitDecoderConfigInternal.argtypes = (ctypes.c_void_p, ctypes.c_int)
        found.WebPGetFeaturesInternal.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int)
        found.WebPDecode.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
    except (ImportError, OSError, AttributeError):
        return None
    return found
