"""Bytes × transformations → renditions. Pure: no clock, no file, no network.

    open ─▶ lay out ─▶ decode ─▶ resample ─▶ turn ─▶ sRGB ─▶ effects ─▶ canvas ─▶ watermark ─▶ corners ─▶ encode
            each       once for all   each picture from here on

Turning and colour come after the resampling, on the small picture: before it they would cost five times the whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from PIL import Image

from image_processor.engine import effects, memory_budget
from image_processor.engine.decoding import ByteStream, OpenSource, decoding, open_source
from image_processor.engine.encode import Frame, encode, keeps_alpha, keeps_frames, target_format
from image_processor.engine.layout import Layout, Place, Size, lay_out, region, turned_size
from image_processor.engine.limits import Limits
from image_processor.engine.resample import Pixels
from image_processor.errors import ImageProcessorError, SourceNotFound
from image_processor.transformations.options import POSITIONS, SMART_POSITIONS
from image_processor.transformations.transformation import Transformation

Watermarks = Mapping[str, bytes | ImageProcessorError]  # by key; the error of one that can't be had
NO_WATERMARKS: Final[Watermarks] = MappingProxyType({})
WATERMARK_PIXELS: Final = 16_000_000  # it is decoded beside its picture, in the memory that encoding will take
LOOKED_AT: Final = 160  # pixels of the longer side; what a smart crop is decided on


@dataclass(frozen=True, slots=True)
class Rendition:
    """An encoded picture; sides in pixels, and those of the whole source, upright."""

    body: bytes
    content_type: str
    width: int
    height: int
    source_width: int
    source_height: int


def render(
    source: bytes | ByteStream,
    transformations: Sequence[Transformation],
    limits: Limits = Limits(),  # noqa: B008 - frozen
    watermarks: Watermarks = NO_WATERMARKS,
) -> list[Rendition]:
    """Make one rendition for each transformation, all from one decode of the source, which may still be arriving.

    Every rendition is upright (EXIF orientation applied), sRGB (by the embedded ICC profile) and free of metadata; that
    of an animation is animated where its format can be. `watermarks` holds, by key, the bytes of those that the
    transformations name. Raises `SourceTooLarge` before decoding a pixel, `UnsupportedFormat` for what is not a known
    image, `CorruptImage` for one that can't be decoded, `InvalidTransformation` for what this source can't give.
    """
    renditions = []
    for outcome in render_each(source, transformations, limits, watermarks):
        if isinstance(outcome, ImageProcessorError):
            raise outcome
        renditions.append(outcome)
    return renditions


def render_each(
    source: bytes | ByteStream,
    transformations: Sequence[Transformation],
    limits: Limits = Limits(),  # noqa: B008 - frozen
    watermarks: Watermarks = NO_WATERMARKS,
) -> list[Rendition | ImageProcessorError]:
    """As `render`, but where this source can't give a transformation stands its error, and the others go on."""
    opened = open_source(source, limits)
    outcomes: list[Rendition | ImageProcessorError | None] = [None] * len(transformations)
    pictures: dict[int, _Picture] = {}
    for place, transformation in enumerate(transformations):
        try:
            waiting = sum(picture.pixels for picture in pictures.values() if picture.frames > 1)
            pictures[place] = _Picture(opened, transformation, watermarks, waiting)
        except ImageProcessorError as error:
            outcomes[place] = error
    try:
        for number, pixels, milliseconds in _frames(opened, list(pictures.values())):
            for place, picture in pictures.items():
                if outcomes[place] is None and picture.takes(number):
                    outcomes[place] = _added(picture, pixels, milliseconds)
    except ImageProcessorError as error:  # of a later frame: what had its last one before is made
        if not any(isinstance(outcome, Rendition) for outcome in outcomes):
            raise
        return [error if outcome is None else outcome for outcome in outcomes]
    return [outcome for outcome in outcomes if outcome is not None]


def _added(picture: "_Picture", pixels: Pixels, milliseconds: int) -> Rendition | ImageProcessorError | None:
    try:
        return picture.add(pixels, milliseconds)
    except ImageProcessorError as error:
        return error


def _frames(opened: OpenSource, pictures: Sequence["_Picture"]) -> Iterator[tuple[int, Pixels, int]]:
    """Number, pixels and time of each; what stands before the animation has a number below 0."""
    if not pictures:
        return
    most = max(picture.frames for picture in pictures)
    if most > 1:
        for number, frame in enumerate(opened.decode_frames(most), -opened.lead):
            yield number, *frame
        return
    # What a trim leaves may be small, and want every pixel.
    whole = any(picture.transformation.trim for picture in pictures)
    parts = [] if whole else [(picture.layout.box, picture.layout.size) for picture in pictures]
    yield 0, opened.decode(parts), 0


class _Picture:
    """One picture in the making, frame by frame; a still one has one frame. Encoded as soon as it has all of them."""

    def __init__(
        self, opened: OpenSource, transformation: Transformation, watermarks: Watermarks, waiting: int = 0
    ) -> None:
        """`waiting` is the pixels of others' frames that are in memory until their last one has come."""
        self.transformation, self._waiting = transformation, waiting
        self._header, self._limits, self._watermarks = opened.header, opened.limits, watermarks
        self.frames = 1
        if keeps_frames(transformation, self._header.format):
            self.frames = min(opened.frames, transformation.frames or opened.frames)
        if self.frames > 1:
            self._limits.check_frames(self.frames, *self._header.size)
        self._region = region(self._header.size, self._header.orientation, transformation)
        self._made: list[Frame] = []
        self._mark: Image.Image | None = None
        self.layout = self._lay_out(transformation)
        self._check_memory()

    @property
    def pixels(self) -> int:
        """Of all frames."""
        return self.layout.canvas[0] * self.layout.canvas[1] * self.frames

    def _check_memory(self) -> None:
        held = self._header.size[0] * self._header.size[1] + self._waiting
        memory_budget.check_picture(held, self.pixels, self.transformation.format, self._limits)

    def takes(self, number: int) -> bool:
        """Whether the frame of this number is its next: a still picture takes the first that there is."""
        return number < self.frames and (number >= 0 or self.frames == 1)

    def add(self, pixels: Pixels, milliseconds: int) -> Rendition | None:
        """Make the next frame, of these pixels of the source; with the last one, the rendition."""
        if not self._made:
            self._look(pixels)
        self._made.append(Frame(self._finished(self._upright(pixels, self.layout)), milliseconds))
        return self._encoded() if len(self._made) == self.frames else None

    def _lay_out(self, transformation: Transformation, place: Place | None = None) -> Layout:
        header = self._header
        return lay_out(header.size, header.orientation, transformation, self._region, place, self.frames)

    def _look(self, pixels: Pixels) -> None:
        """Lay out anew by what the first frame shows."""
        wanted, place = self.transformation, None
        if wanted.trim:
            with decoding(self._header.format, self._limits):
                self._region = pixels.trimmed(self._region, self._header.orientation, wanted.trim)
        if wanted.position in SMART_POSITIONS:
            place = self._interesting(pixels)
        if wanted.trim or place:
            self.layout = self._lay_out(wanted, place)
            self._check_memory()

    def _interesting(self, pixels: Pixels) -> Place:
        from image_processor.engine.smart_crop import (
            place,  # takes milliseconds to import, and most positions are fixed
        )

        wanted = self.transformation
        looked_at = self._lay_out(
            Transformation(width=LOOKED_AT, height=LOOKED_AT, fit="inside", rotate=wanted.rotate, flip=wanted.flip)
        )
        whole, kept = looked_at.turned_sides, self._lay_out(wanted).turned_sides
        shares = (min(1.0, kept[0] / whole[0]), min(1.0, kept[1] / whole[1]))
        return place(self._upright(pixels, looked_at), shares, wanted.position)

    def _upright(self, pixels: Pixels, layout: Layout) -> Image.Image:
        """The small picture, turned, in sRGB: L, LA, RGB or RGBA."""
        with decoding(self._header.format, self._limits):
            image = _turn(pixels.resampled(layout.box, layout.size), layout.turn)
            return _without_idle_alpha(_to_srgb(image, self._header.profile))

    def _finished(self, image: Image.Image) -> Image.Image:
        wanted = self.transformation
        image = effects.apply(image, wanted)
        alpha = wanted.format is None or keeps_alpha(wanted.format)
        if self.layout.canvas != image.size:
            image = _letterboxed(image, self.layout, wanted.background if alpha else None)
        if wanted.watermark_key:
            mark = self._watermark(wanted.watermark_key, image.size)
            image = effects.overlaid(image, mark, POSITIONS[wanted.watermark_position], wanted.watermark_opacity)
        if wanted.radius:
            image = effects.rounded(image, wanted.radius)
        return _without_idle_alpha(image)

    def _watermark(self, key: str, size: Size) -> Image.Image:
        if self._mark is None:  # once for all frames
            self._mark = self._laid_over(key, size)
        return self._mark

    def _laid_over(self, key: str, size: Size) -> Image.Image:
        body = self._watermarks.get(key, SourceNotFound(f"there is no watermark {key!r}"))
        if isinstance(body, ImageProcessorError):
            raise body
        width, height = (max(1, side * self.transformation.watermark_scale // 100) for side in size)
        inside = Transformation(width=width, height=height, fit="inside", enlarge=True, frames=1)
        try:
            limits = replace(self._limits, max_pixels=min(self._limits.max_pixels, WATERMARK_PIXELS))
            opened = open_source(body, limits)
            mark = _Picture(opened, inside, {})
            return mark._upright(opened.decode([(mark.layout.box, mark.layout.size)]), mark.layout)
        except ImageProcessorError as error:
            raise type(error)(f"the watermark {key!r}: {error}") from error

    def _encoded(self) -> Rendition:
        images = [frame.image for frame in self._made]
        target = target_format(self.transformation, self._header.format, alpha=any(map(_has_alpha, images)))
        if not keeps_alpha(target):
            images = [_flattened(image, self.transformation.background) for image in images]
        frames = [Frame(image, made.milliseconds) for image, made in zip(images, self._made, strict=True)]
        body = encode(frames, self._header.loops, target, self.transformation)
        upright = turned_size(self._header.size, self._header.orientation)
        return Rendition(body, f"image/{target}", *images[0].size, *upright)


_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turn(image: Image.Image, turn: int) -> Image.Image:
    return image if turn == 1 else image.transpose(_TURNS[turn])


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile is None and image.mode != "LAB":
        return image
    from image_processor.engine.colour import (
        to_srgb,  # ImageCms costs 18 ms of a cold start that most sources don't need
    )

    return to_srgb(image, profile)


def _letterboxed(image: Image.Image, layout: Layout, background: str | None) -> Image.Image:
    canvas = Image.new("RGBA", layout.canvas, _rgba(background or "00000000"))
    canvas.paste(image.convert("RGBA"), layout.offset)
    return canvas


def _flattened(image: Image.Image, background: str | None) -> Image.Image:
    """What shows through is the background, and beneath one that is itself transparent, white."""
    if not _has_alpha(image):
        return image
    canvas = Image.new("RGBA", image.size, "white")
    if background:
        canvas.alpha_composite(Image.new("RGBA", image.size, _rgba(background)))
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("RGB")


def _rgba(colour: str) -> tuple[int, int, int, int]:
    red, green, blue, alpha = (*bytes.fromhex(colour), 255)[:4]
    return red, green, blue, alpha


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "RGBA")


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    opaque = _has_alpha(image) and image.getchannel("A").getextrema()[0] == 255
    return image.convert(image.mode.removesuffix("A")) if opaque else image
