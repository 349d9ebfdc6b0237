"""Builds one rendition: laid out before the source is decoded, then given its frames, and encoded after the last."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from image_processor.engine import memory_budget
from image_processor.engine.context import Context
from image_processor.engine.decoding import OpenSource, decoding
from image_processor.engine.encode import Frame, encode, has_alpha, keeps_frames, target_format
from image_processor.engine.geometry import Anchor, Box, oriented_size
from image_processor.engine.layout import Layout, crop, lay_out
from image_processor.engine.resample import Pixels
from image_processor.engine.steps import finish, make_upright
from image_processor.engine.watermark import Watermarks, render_watermark
from image_processor.transformations.options import SMART_POSITIONS
from image_processor.transformations.transformation import Transformation

SMART_CROP_SIDE: Final = 160  # pixels of the longer side of the picture that a smart crop is decided on


@dataclass(frozen=True, slots=True)
class Rendition:
    """An encoded picture, its sides in pixels, and those of the whole source as it is seen upright."""

    body: bytes
    content_type: str
    width: int
    height: int
    source_width: int
    source_height: int


class RenditionBuilder:
    """Builds one rendition from its frames: one frame for a still picture, several for an animation."""

    def __init__(
        self, source: OpenSource, transformation: Transformation, watermarks: Watermarks, waiting: int = 0
    ) -> None:
        """`waiting` is how many pixels of other animations stay in memory until their last frame has come.

        Raises `SourceTooLarge` or `InvalidTransformation` for a rendition that this source does not allow.
        """
        self.transformation = transformation
        self._source, self._waiting = source, waiting
        self.frames = 1
        if keeps_frames(transformation, source.header.format):
            self.frames = min(source.frames, transformation.frames or source.frames)
        if self.frames > 1:
            source.limits.check_frames(self.frames, *source.header.size)
        self._finished: list[Frame] = []
        self._watermark = None
        if key := transformation.watermark_key:
            render = partial(render_watermark, key, transformation.watermark_scale, source.limits, watermarks)
            self._watermark = cache(render)  # once for all frames
        self.layout = self._lay_out()
        self._check_memory()

    @property
    def pixels(self) -> int:
        """The pixels of all frames."""
        return self.layout.canvas[0] * self.layout.canvas[1] * self.frames

    def takes(self, index: int) -> bool:
        """Whether the rendition has a frame of this index; a still one takes the first picture, of any index.

        A picture before the frames of an animation has an index below 0.
        """
        return index < self.frames and (index >= 0 or self.frames == 1)

    def add(self, pixels: Pixels, milliseconds: int) -> Rendition | None:
        """Render the next frame from these pixels of the source; returns the rendition with the last frame."""
        if not self._finished and (self.transformation.trim or self.transformation.position in SMART_POSITIONS):
            self.layout = self._lay_out(pixels)
            self._check_memory()
        context = Context(self._source, self.transformation, self.layout, self._watermark)
        self._finished.append(Frame(finish(make_upright(pixels, context), context), milliseconds))
        return self._encode() if len(self._finished) == self.frames else None

    def _lay_out(self, pixels: Pixels | None = None) -> Layout:
        """Crop, trim, rotate, flip and size, in this order.

        Without the pixels of the first frame nothing is trimmed, and a smart position is taken as the centre.
        """
        header, wanted = self._source.header, self.transformation
        region, anchor = crop(header.size, header.orientation, wanted), None
        if pixels and wanted.trim:
            with decoding(header.format, self._source.limits):
                region = pixels.trimmed(region, header.orientation, wanted.trim)
        if pixels and wanted.position in SMART_POSITIONS:
            anchor = self._find_anchor(pixels, region)
        return self._lay_out_region(wanted, region, anchor)

    def _lay_out_region(self, transformation: Transformation, region: Box, anchor: Anchor | None = None) -> Layout:
        header = self._source.header
        return lay_out(header.size, header.orientation, transformation, region, anchor, self.frames)

    def _find_anchor(self, pixels: Pixels, region: Box) -> Anchor:
        """The anchor of a smart crop, which is found on a small picture of the whole region."""
        from image_processor.engine.smart_crop import find_anchor  # takes milliseconds, and most positions are fixed

        wanted = self.transformation
        whole = self._lay_out_region(
            Transformation(
                width=SMART_CROP_SIDE, height=SMART_CROP_SIDE, fit="inside", rotate=wanted.rotate, flip=wanted.flip
            ),
            region,
        )
        cropped = self._lay_out_region(wanted, region)
        across, down = (
            min(1.0, side / own) for side, own in zip(cropped.oriented_sides, whole.oriented_sides, strict=True)
        )
        return find_anchor(make_upright(pixels, Context(self._source, wanted, whole)), (across, down), wanted.position)

    def _check_memory(self) -> None:
        width, height = self._source.header.size
        held = width * height + self._waiting
        memory_budget.check_picture(held, self.pixels, self.transformation.format, self._source.limits)

    def _encode(self) -> Rendition:
        header = self._source.header
        alpha = any(has_alpha(frame.image) for frame in self._finished)
        target = target_format(self.transformation, header.format, alpha=alpha)
        body = encode(self._finished, header.loops, target, self.transformation)
        upright_size = oriented_size(header.size, header.orientation)
        return Rendition(body, f"image/{target}", *self._finished[0].image.size, *upright_size)
