"""The engine: bytes × transformations → renditions. Knows no AWS, and can be used as a library.

from image_processor.engine import Limits, render
from image_processor.transformations import Transformation

[rendition] = render(source_bytes, [Transformation.parse("width=128,height=128")])
"""

from image_processor.engine.limits import Limits
from image_processor.engine.render import Rendition, render, render_each

__all__ = ["Limits", "Rendition", "render", "render_each"]
