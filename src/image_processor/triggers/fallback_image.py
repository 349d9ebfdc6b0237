"""The fallback image, which is shown in place of an error's text in a stack that has one."""

import math
import time
from collections.abc import Callable
from typing import Final

from image_processor import telemetry
from image_processor.errors import ImageProcessorError
from image_processor.publishing.model import MAX_BODY, StoredRendition
from image_processor.publishing.pipeline import Pipeline
from image_processor.transformations.transformation import Transformation

# Seconds that a failure or the first variant is remembered: anyone can cause errors, and each would read the image.
_PAUSE: Final = 60.0
_MAX_FAILURES: Final = 1000  # that are stored


class FallbackImage:
    """A source that is rendered in place of others.

    A rendition of it that failed is not retried for a while, and the first variant is cached for as long: it answers
    the requests that are refused, which anyone can send.
    """

    def __init__(self, pipeline: Pipeline, key: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._pipeline, self._key, self._clock = pipeline, key, clock
        self._paused_until: dict[str, float] = {}
        self._first_variant: tuple[float, StoredRendition | None] = (-math.inf, None)

    def rendition(self, name: str, transformation: Transformation, deadline: float) -> StoredRendition | None:
        """Find or render it by this transformation, or else as the first variant; None if neither is possible."""
        return self._find_or_render(name, transformation, deadline) or self.first_variant(deadline)

    def first_variant(self, deadline: float) -> StoredRendition | None:
        """Find or render it as the first variant; None if that is not possible."""
        until, cached = self._first_variant
        if cached is None or self._clock() >= until:
            cached = self._find_or_render(*next(iter(self._pipeline.variants.items())), deadline)
            self._first_variant = self._clock() + _PAUSE, cached
        return cached

    def _find_or_render(self, name: str, transformation: Transformation, deadline: float) -> StoredRendition | None:
        if self._clock() < self._paused_until.get(name, -math.inf):
            return None
        try:
            found = self._pipeline.find(self._key, name, MAX_BODY)
            return found or self._pipeline.deliver(self._key, name, transformation, deadline)
        except ImageProcessorError as error:
            if len(self._paused_until) >= _MAX_FAILURES:
                self._paused_until.clear()
            self._paused_until[name] = self._clock() + _PAUSE
            telemetry.fault(f"fallback image {self._key}", error)
            return None
