"""The keys that URLs are signed with, from Secrets Manager: the current one, and the one before.

While a key is replaced both are good, so that pages written before go on to work; the next replacement ends it.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from botocore.exceptions import ClientError

from image_processor import telemetry
from image_processor.aws.clients import error_code, speaking_to
from image_processor.errors import ImageProcessorError
from image_processor.urls import signatures

_KEPT: Final = 300.0  # seconds; how long a key that was replaced twice may still be good
# Wrong signatures, which anyone can send, cause an ask in half a minute, at $0.10 for 10,000; a few may come at once,
# so that the first by a new key need not wait.
_BETWEEN: Final = 30.0  # seconds
_AT_ONCE: Final = 3.0


class SigningKeys:
    """Asks for the keys at first need, and keeps them; safe to call from several threads.

    Every method raises `Throttled` or `Unavailable` when there are none and they can't be had.
    """

    def __init__(self, client: Callable[[], Any], secret_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._secret_id, self._clock = cache(client), secret_id, clock
        self._lock = threading.Lock()
        self._keys: tuple[str, ...] = ()
        self._had_at = self._asked_at = -math.inf
        self._asks, self._counted_at = _AT_ONCE, clock()  # what wrong signatures may still cause

    def current(self) -> str:
        """The key to sign with."""
        return self.all()[0]

    def all(self) -> tuple[str, ...]:
        """The keys whose signatures are good, the current one first."""
        with self._lock:  # who comes while they are asked for waits for the answer
            if self._clock() - self._had_at >= _KEPT and not (self._keys and self._asked_lately()):
                self._ask_or_keep()
            return self._keys

    def asked_again(self) -> tuple[str, ...]:
        """The keys once more, for a signature by none of them: it may be by a newer one. Seldom asks in truth."""
        with self._lock:
            now = self._clock()
            self._asks = min(_AT_ONCE, self._asks + (now - self._counted_at) / _BETWEEN)
            self._counted_at = now
            if self._asks >= 1:
                self._asks -= 1
                self._ask_or_keep()
            return self._keys

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None:
        """As `signatures.check`, with these keys."""
        keys = self.all()
        if parameters.get(signatures.SIGNATURE) and not signatures.is_signed(keys, path, parameters):
            keys = self.asked_again()
        signatures.check(path, parameters, keys, now)

    def _asked_lately(self) -> bool:
        return self._clock() - self._asked_at < _BETWEEN

    def _ask_or_keep(self) -> None:
        """An outage of Secrets Manager is no reason to turn away what was signed with the keys that are known."""
        try:
            self._ask()
        except ImageProcessorError as error:
            if not self._keys:
                raise
            telemetry.fault("signing keys", error)

    def _ask(self) -> None:
        self._asked_at = self._clock()
        # In this order: a key that is replaced between the two answers is in both, and none is missed.
        found = (self._version("AWSCURRENT", needed=True), self._version("AWSPREVIOUS", needed=False))
        self._keys, self._had_at = tuple(key for key in found if key is not None), self._clock()

    def _version(self, stage: str, *, needed: bool) -> str | None:
        with speaking_to("Secrets Manager"):
            try:
                answer = self._client().get_secret_value(SecretId=self._secret_id, VersionStage=stage)
            except ClientError as error:
                if needed or error_code(error) != "ResourceNotFoundException":
                    raise
                return None  # the key was never replaced
        return str(answer["SecretString"])
