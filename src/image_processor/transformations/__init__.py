"""The grammar of transformations: options, their canonical text, variants, size ladders. Pure."""

from image_processor.transformations.transformation import Transformation

__all__ = ["Transformation"]
