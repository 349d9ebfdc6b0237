"""Renders a source: bytes and transformations in, renditions out. It reads no clock, no file and no network.

    open ─▶ lay out each rendition ─▶ decode once for all ─┬─▶ the steps of one rendition ─▶ encode
                                                           └─▶ the steps of another       ─▶ encode

An animation is decoded frame by frame, and each frame goes through the steps of each rendition. `rendition` builds one
rendition; `steps` lists its steps.
"""

from collections.abc import Iterator, Mapping, Sequence

from image_processor.engine.decoding import ByteStream, OpenSource, open_source
from image_processor.engine.limits import Limits
from image_processor.engine.rendition import Rendition, RenditionBuilder
from image_processor.engine.resample import Pixels
from image_processor.engine.watermark import NO_WATERMARKS, Watermarks
from image_processor.errors import ImageProcessorError
from image_processor.transformations.transformation import Transformation

__all__ = ["Rendition", "render", "render_each"]


def render(
    source: bytes | ByteStream,
    transformations: Sequence[Transformation],
    limits: Limits = Limits(),  # noqa: B008 - frozen
    watermarks: Watermarks = NO_WATERMARKS,
) -> list[Rendition]:
    """Render one picture for each transformation, all from one decode of the source, which may still be arriving.

    Every rendition is upright (EXIF orientation applied), in sRGB (by the embedded ICC profile) and free of metadata.
    That of an animation is animated if its format can be. `watermarks` holds the bytes of the watermarks that the
    transformations name, by key. Raises `SourceTooLarge` before a pixel is decoded, `UnsupportedFormat` for what is not
    a known image, `CorruptImage` for one that can't be decoded, and `InvalidTransformation` for what this source
    does not allow.
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
    """As `render`, but a failed rendition is represented by its error, and the others are rendered."""
    opened = open_source(source, limits)
    outcomes: dict[int, Rendition | ImageProcessorError] = {}
    builders: dict[int, RenditionBuilder] = {}
    for index, transformation in enumerate(transformations):
        try:
            waiting = sum(builder.pixels for builder in builders.values() if builder.frames > 1)
            builders[index] = RenditionBuilder(opened, transformation, watermarks, waiting)
        except ImageProcessorError as error:
            outcomes[index] = error
    try:
        _feed(opened, builders, outcomes)
    except ImageProcessorError as error:  # a frame is damaged; renditions whose frames came before it are complete
        if not any(isinstance(outcome, Rendition) for outcome in outcomes.values()):
            raise
        outcomes = {**dict.fromkeys(builders, error), **outcomes}
    return [outcomes[index] for index in range(len(transformations))]


def _feed(
    opened: OpenSource, builders: Mapping[int, RenditionBuilder], outcomes: dict[int, Rendition | ImageProcessorError]
) -> None:
    """Give each frame to the renditions that take it; put each complete rendition, or its error, into `outcomes`."""
    for frame, pixels, milliseconds in _frames(opened, list(builders.values())):
        for index, builder in builders.items():
            if index in outcomes or not builder.takes(frame):
                continue
            try:
                rendition = builder.add(pixels, milliseconds)
            except ImageProcessorError as error:
                outcomes[index] = error
            else:
                if rendition:
                    outcomes[index] = rendition


def _frames(opened: OpenSource, builders: Sequence[RenditionBuilder]) -> Iterator[tuple[int, Pixels, int]]:
    """The index, pixels and milliseconds of each frame; pictures before the animation have an index below 0."""
    if not builders:
        return
    most = max(builder.frames for builder in builders)
    if most > 1:
        for index, (pixels, milliseconds) in enumerate(opened.decode_frames(most), -opened.lead):
            yield index, pixels, milliseconds
        return
    # A trim may leave a small part, of which every pixel is needed.
    whole = any(builder.transformation.trim for builder in builders)
    parts = [] if whole else [(builder.layout.box, builder.layout.size) for builder in builders]
    yield 0, opened.decode(parts), 0
