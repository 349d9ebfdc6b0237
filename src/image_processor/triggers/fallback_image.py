"""The fallback image: shown in the place of an error's text, where a stack has one."""

import math
import time
from collections.abc import Callable
from typing import Final

from image_processor import telemetry
from image_processor.errors import ImageProcessorError
from image_processor.publishing.model import MAX_BODY, Picture
from image_processor.publishing.pipeline import Pipeline
from image_processor.transformations.transformation import Transformation

_RESTS: Final = 60.0  # seconds after a failure: anyone can cause errors, and each would try it anew
_MOST: Final = 1000  # failures that are remembered


class Fallback:
    """A source that stands for others. What can't be made of it is left alone for a while."""

    def __init__(self, pipeline: Pipeline, key: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._pipeline, self._key, self._clock = pipeline, key, clock
        self._rests_until: dict[str, float] = {}

    def picture(self, name: str, transformation: Transformation, deadline: float) -> Picture | None:
        """Find or make it as the picture of this name, or else as the first variant; None if it can't be had."""
        return self._have(name, transformation, deadline) or self.first_variant(deadline)

    def first_variant(self, deadline: float) -> Picture | None:
        """Find or make it as the first variant; None if it can't be had."""
        return self._have(*next(iter(self._pipeline.variants.items())), deadline)

    def _have(self, name: str, transformation: Transformation, deadline: float) -> Picture | None:
        if self._clock() < self._rests_until.get(name, -math.inf):
            return None
        try:
            found = self._pipeline.find(self._key, name, MAX_BODY)
            return found or self._pipeline.deliver(self._key, name, transformation, deadline)
        except ImageProcessorError as error:
            if len(self._rests_until) >= _MOST:
                self._rests_until.clear()
            self._rests_until[name] = self._clock() + _RESTS
            telemetry.fault(f"fallback image {self._key}", error)
            return None
