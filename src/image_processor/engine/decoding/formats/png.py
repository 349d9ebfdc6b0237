"""PNG and APNG, large still ones decoded in bands of rows.

Reads the chunks that Pillow ignores, or reads only after all pixels: EXIF after the pixels, code points of colours,
transparent colours of less or more than 8 bits. Refuses nothing by itself.
"""

from functools import cached_property
from typing import Final

from PIL import Image

from image_processor.engine.decoding import modes
from image_processor.engine.decoding.bounded_file import File
from image_processor.engine.decoding.format import (
    Format,
    Prepare,
    Reduced,
    cicp_profile,
    embedded_profile,
    exif_orientation,
)
from image_processor.engine.decoding.formats.png_chunks import Chunks, first_chunks
from image_processor.engine.geometry import Size


class Png(Format):
    """A PNG."""

    name = "png"
    plugin = "PIL.PngImagePlugin"
    animated = True

    @cached_property
    def _chunks(self) -> Chunks:
        return first_chunks(self.source)

    def open(self, file: File) -> Image.Image:
        """Open the PNG, and bring its transparent colour to the depth of Pillow's pixels."""
        image = super().open(file)
        _scale_transparency(image, self._chunks)
        return image

    def orientation(self, image: Image.Image) -> int:  # noqa: ARG002
        """The orientation in the chunk eXIf, which Pillow reads only with the pixels if it follows them."""
        return exif_orientation(bytes(self._chunks.get(b"eXIf", b"")))

    def profile(self, image: Image.Image) -> bytes | None:
        """The profile of cICP, else of iCCP, else of gAMA and cHRM (PNG, third edition, 4.3)."""
        return self.profile_without_gamma(image) or self._profile_of_gamma(image)

    def profile_without_gamma(self, image: Image.Image) -> bytes | None:
        """The profile of cICP, else of iCCP."""
        cicp = self._code_points()
        return embedded_profile(image) if cicp is None else cicp_profile(image, *cicp)

    def _code_points(self) -> tuple[int, int] | None:
        """Primaries and transfer function; they count only for RGB in full range."""
        cicp = bytes(self._chunks.get(b"cICP", b""))
        return (cicp[0], cicp[1]) if len(cicp) == 4 and cicp[2:] == b"\0\1" else None

    def _profile_of_gamma(self, image: Image.Image) -> bytes | None:
        if self._code_points() or "gamma" not in image.info or "srgb" in image.info:
            return None
        from image_processor.engine.decoding.icc import of_gamma  # few sources need this import

        return of_gamma(image.info["gamma"], image.info.get("chromaticity"), grey=image.mode in modes.GREY)

    def lead(self, image: Image.Image) -> int:
        """1 for a PNG whose own picture is only for readers that can't show the animation."""
        return 1 if getattr(image, "default_image", False) else 0

    def decode_reduced(self, image: Image.Image, least: Size, prepare: Prepare) -> Reduced | None:
        """Decode in bands of rows, if the PNG is large and of a usual kind."""
        from image_processor.engine.decoding.formats import png_bands

        return png_bands.decode_reduced(self.source, image, least, prepare)

    def resizable(self, image: Image.Image, profile: bytes | None) -> Image.Image:
        """As `modes.resizable`, with the transparent level of 16-bit grey, which Pillow ignores."""
        if image.mode in modes.DEEP_GREY:
            key = image.info.get("transparency")
            if isinstance(key, int):
                return _with_transparent_level(image, key)
            image.info.pop("transparency", None)  # of a palette, in a damaged PNG; no later conversion can read it
        return modes.resizable(image, profile)


def _scale_transparency(image: Image.Image, chunks: Chunks) -> None:
    """Bring the transparent colour to the 8 bits of Pillow's pixels, which Pillow does for 1 bit alone.

    Of a colour of 16 bits, the upper 8 are compared, because Pillow reads no others.
    """
    key, header = image.info.get("transparency"), chunks.get(b"IHDR", b"")
    if len(header) != 13:
        return
    bits = header[8]
    if image.mode == "RGB" and bits == 16 and isinstance(key, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in key)
    elif image.mode == "L" and bits in (2, 4) and isinstance(key, int):
        image.info["transparency"] = key * 255 // (2**bits - 1)


def _with_transparent_level(image: Image.Image, level: int) -> Image.Image:
    """Grey of 16 bits, of which one level is transparent, as premultiplied grey of 8 bits with alpha."""
    from PIL import ImageChops

    samples = image.tobytes()  # the lower byte first
    low, high = (Image.frombytes("L", image.size, samples[start::2]) for start in (0, 1))
    differences = [
        half.point([0 if value == wanted else 255 for value in range(256)])
        for half, wanted in ((low, level & 255), (high, level >> 8))
    ]
    return Image.merge("LA", (high, ImageChops.lighter(*differences))).convert("La")


FORMAT: Final = Png
