"""This project's engine, through its public seam: one call for all targets."""

from image_processor.engine.render import render
from image_processor.transformations.transformation import Transformation
from tests.benchmarks.cases import Target


def make(source: bytes, targets: list[Target]) -> list[bytes]:
    """Render all targets from one decode."""
    return [rendition.body for rendition in render(source, [_transformation(target) for target in targets])]


def _transformation(target: Target) -> Transformation:
    options = {"width": target.width, "height": target.height, "format": target.format, "quality": target.quality}
    return Transformation.parse(",".join(f"{name}={value}" for name, value in options.items() if value))
