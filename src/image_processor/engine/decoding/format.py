"""The interface of a format: what a module of `formats` defines for the sources that it reads.

An object of a format reads one source. `source.py` calls its methods in this order:

    refuse_kinds ─▶ check_structure ─▶ open ─▶ check_opened ─▶ orientation, profile, loops
    UnsupportedFormat   SourceTooLarge   Pillow   SourceTooLarge   what the header says
                                                       │
                    ┌──────────────────────────────────┴───────────────┐
                    ▼ a still picture                                  ▼ an animation
    decode_reduced, or draft and Pillow's decoder          lead, frames, milliseconds
                    └─────────────────▶ resizable ◀────────────────────┘

The defaults read a still picture whose orientation is in its EXIF, whose ICC profile is embedded, and which Pillow
decodes as a whole. A format overrides what differs.
"""

from collections.abc import Callable
from importlib import import_module
from typing import ClassVar, Final

from PIL import Image

from image_processor.engine.decoding import modes
from image_processor.engine.decoding.bounded_file import BoundedFile, File
from image_processor.engine.decoding.decoder_errors import DECODER_FAULTS
from image_processor.engine.geometry import Size
from image_processor.engine.limits import Limits

Scale = tuple[float, float]  # the decoded sides as shares of the stored ones
Shift = tuple[float, float]  # by how many decoded pixels the decoded picture is shifted right and down
Reduced = tuple[Image.Image, Scale]
Prepare = Callable[[Image.Image], Image.Image]
_WHOLE: Final[tuple[Scale, Shift]] = (1.0, 1.0), (0.0, 0.0)

ORIENTATION: Final = 0x0112  # tag of EXIF (CIPA DC-008)


class Format:
    """One source of a format; `source` is the whole file, or empty for one that is still arriving."""

    name: ClassVar[str]  # as in the registry; Pillow has the same in capitals
    plugin: ClassVar[str]  # the module that registers the format with Pillow
    streams: ClassVar[bool] = False  # whether a source is opened before all of its bytes have arrived
    animated: ClassVar[bool] = False  # whether the images that Pillow counts are the frames of an animation

    def __init__(self, source: bytes, limits: Limits) -> None:
        self.source, self.limits = source, limits
        self.memory_kind = self.name  # the row of `memory_budget.DECODING`
        self.overhead = 0  # bytes of memory that decoding takes besides those for each pixel

    @classmethod
    def load_plugin(cls) -> None:
        """Register the format with Pillow, so that Pillow does not import all of its plugins to find it."""
        import_module(cls.plugin)

    # Before Pillow reads the source

    def refuse_kinds(self) -> None:
        """Raise `UnsupportedFormat` for a file whose picture Pillow would not read, or not correctly."""

    def check_structure(self) -> None:
        """Raise `SourceTooLarge` for a file whose structure exceeds a bound, before Pillow reads it."""

    def bounded(self, file: File) -> File:
        """The file that Pillow reads; may raise `SourceTooLarge` while it is read."""
        return file

    def open(self, file: File) -> Image.Image:
        """Open the file with Pillow, which reads the header."""
        self.load_plugin()
        return Image.open(self.bounded(BoundedFile(file)), formats=[self.name])  # type: ignore[arg-type]  # reads and seeks

    # By the header that Pillow has read; no pixel is decoded yet

    def check_opened(self, image: Image.Image) -> None:
        """Raise an error for parts of the picture, or for a way to decode it, beyond a bound of the format."""

    def decoded_pixels(self, image: Image.Image) -> int:
        """The most pixels that are decoded at once."""
        return image.width * image.height

    def orientation(self, image: Image.Image) -> int:
        """1 to 8, as EXIF has it. A value that is missing, damaged or out of range counts as 1, as in browsers."""
        return exif_orientation(image.info.get("exif", b""))

    def profile(self, image: Image.Image) -> bytes | None:
        """The ICC profile, embedded or built from other metadata of the source; None for sRGB."""
        return embedded_profile(image)

    def loops(self, image: Image.Image) -> int:
        """How often the animation is shown; 0 is without end."""
        loops: int = image.info.get("loop") or 0
        return loops

    # The frames of an animation

    def lead(self, image: Image.Image) -> int:  # noqa: ARG002 - of the interface
        """The number of pictures before the first frame of the animation."""
        return 0

    def frames(self, image: Image.Image) -> int:
        """The number of frames, or one more than allowed where there are more; a still picture has one."""
        if not self.animated:
            return 1
        frames: int = getattr(image, "n_frames", 1) - self.lead(image)
        return min(max(1, frames), self.limits.max_frames + 1)

    def milliseconds(self, image: Image.Image) -> int:
        """How long the current frame is shown."""
        shown: int = round(image.info.get("duration", 0))
        return shown

    # Pixels

    def decode_reduced(self, image: Image.Image, least: Size, prepare: Prepare) -> Reduced | None:  # noqa: ARG002
        """The picture in at least `least` pixels, by a decoder that averages while it decodes; None if there is none.

        `prepare` brings pixels into a mode that can be averaged.
        """
        return None

    def draft(self, image: Image.Image, share: float, least: float) -> tuple[Scale, Shift]:  # noqa: ARG002
        """Have Pillow's decoder give fewer pixels, if at least `share` of the sides is left.

        Raises `SourceTooLarge` where what must be decoded is too much even if only `least` of the sides is left.
        """
        return _WHOLE

    def resizable(self, image: Image.Image, profile: bytes | None) -> Image.Image:
        """The decoded image in a mode that can be resampled, as `modes.resizable`."""
        return modes.resizable(image, profile)


def drafted(image: Image.Image, share: float) -> tuple[Scale, Shift]:
    """As `Format.draft`, by the draft mode of Pillow's plugin."""
    width, height = image.size
    sides = (max(1, round(width * share)), max(1, round(height * share)))
    draft = image.draft(None, sides) if share < 1 else None
    if draft is None:
        return _WHOLE
    _, (_, _, draft_width, draft_height) = draft
    return (draft_width / width, draft_height / height), (0.0, 0.0)


def exif_orientation(data: bytes) -> int:
    """The orientation that EXIF data has; `image.getexif()` would read XMP too, which browsers don't."""
    exif = Image.Exif()
    try:
        exif.load(data)
        orientation = exif.get(ORIENTATION, 1)
    except DECODER_FAULTS:
        return 1
    return orientation if orientation in range(1, 9) else 1


def embedded_profile(image: Image.Image) -> bytes | None:
    """The ICC profile that Pillow has found."""
    embedded = image.info.get("icc_profile")
    return embedded if isinstance(embedded, bytes) and embedded else None  # the tag of a TIFF may have any value


def cicp_profile(image: Image.Image, primaries: int, transfer: int) -> bytes | None:
    """The ICC profile of code points (ITU-T H.273); None for sRGB."""
    from image_processor.engine.decoding.icc import of_cicp  # few sources need it

    return of_cicp(primaries, transfer, grey=image.mode in modes.GREY)
