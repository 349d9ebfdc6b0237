"""The engine: bytes and transformations in, renditions out. It does not depend on AWS and can be used as a library.

    from image_processor.engine import render
    from image_processor.transformations import Transformation

    [thumbnail] = render(Path("photo.jpg").read_bytes(), [Transformation.parse("width=128,height=128,format=webp")])
    Path("thumbnail.webp").write_bytes(thumbnail.body)

`Limits` bound what a source may cost; render.py shows how a source is processed, steps.py the steps of a rendition.
"""

from image_processor.engine.limits import Limits
from image_processor.engine.render import Rendition, render, render_each

__all__ = ["Limits", "Rendition", "render", "render_each"]
