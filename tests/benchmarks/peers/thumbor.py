"""thumbor's PIL engine with thumbor's own transformer, as for a request; no server, no storage.

thumbor does not convert the source's colours, but writes its profile into the picture. It crops before it resizes, and
therefore decodes all pixels for a crop.
"""

from types import SimpleNamespace

from thumbor.config import Config
from thumbor.context import RequestParameters
from thumbor.engines.pil import Engine
from thumbor.transformer import Transformer

from tests.benchmarks.cases import Target


def make(source: bytes, targets: list[Target]) -> list[bytes]:
    """One request for each target: thumbor has no other way."""
    return [_answer(source, target) for target in targets]


def _answer(source: bytes, target: Target) -> bytes:
    config = Config(RESPECT_ORIENTATION=True, AVIF_SPEED=8, ALLOW_ANIMATED_GIFS=target.animated)
    context = SimpleNamespace(config=config, modules=None)
    engine = Engine(context)
    request = RequestParameters(width=target.width, height=target.height or 0, filters=[])
    request.engine = engine
    context.request = request
    engine.load(source, None)
    engine.reorientate()
    Transformer(context).img_operation_worker()
    return engine.read(f".{target.format}", target.quality)
