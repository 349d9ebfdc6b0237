"""The keys that URLs are signed with, from Secrets Manager: the current one and the previous one.

Both are valid while a key is rotated, so that pages that were rendered before continue to work. After the next
rotation, the previous key is no longer valid.
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
from image_processor.aws.clients import error_code, translated_errors
from image_processor.errors import ImageProcessorError
from image_processor.urls import signatures

_CACHE_SECONDS: Final = 300.0  # the longest that a key which was rotated twice may still be valid
# Anyone can send wrong signatures, and an unknown signature refreshes the keys, at $0.10 for 10,000 requests. So there
# is one refresh in half a minute, and a burst of a few, so that the first URL by a new key need not wait.
_REFRESH_INTERVAL: Final = 30.0  # seconds
_REFRESH_BURST: Final = 3.0


class SigningKeys:
    """Reads the keys when they are first needed, and caches them; safe to call from several threads.

    Every method raises `Throttled` or `Unavailable` if no key is cached and Secrets Manager can't be read.
    """

    def __init__(self, client: Callable[[], Any], secret_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._secret_id, self._clock = cache(client), secret_id, clock
        self._lock = threading.Lock()
        self._keys: tuple[str, ...] = ()
        self._read_at = self._tried_at = -math.inf
        self._refreshes_left, self._counted_at = _REFRESH_BURST, clock()  # a token bucket for unknown signatures

    def current(self) -> str:
        """The key to sign with."""
        return self.all()[0]

    def all(self) -> tuple[str, ...]:
        """The keys whose signatures are valid, the current one first."""
        with self._lock:  # a thread that needs the keys during a read waits for its result
            if self._clock() - self._read_at >= _CACHE_SECONDS and not (self._keys and self._tried_recently()):
                self._refresh()
            return self._keys

    def refreshed(self) -> tuple[str, ...]:
        """The keys after an unknown signature, which may be by a newer key. Rate-limited; usually the cached keys."""
        with self._lock:
            now = self._clock()
            self._refreshes_left = min(
                _REFRESH_BURST, self._refreshes_left + (now - self._counted_at) / _REFRESH_INTERVAL
            )
            self._counted_at = now
            if self._refreshes_left >= 1:
                self._refreshes_left -= 1
                self._refresh()
            return self._keys

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None:
        """As `signatures.check`, with these keys."""
        keys = self.all()
        if parameters.get(signatures.SIGNATURE) and not signatures.is_signed(keys, path, parameters):
            keys = self.refreshed()
        signatures.check(path, parameters, keys, now)

    def _tried_recently(self) -> bool:
        return self._clock() - self._tried_at < _REFRESH_INTERVAL

    def _refresh(self) -> None:
        """Read the keys. In an outage of Secrets Manager, the cached keys remain valid."""
        try:
            self._read()
        except ImageProcessorError as error:
            if not self._keys:
                raise
            telemetry.fault("signing keys", error)

    def _read(self) -> None:
        self._tried_at = self._clock()
        # In this order: a key that is rotated between the two calls is in both responses, and none is missed.
        found = (self._version("AWSCURRENT", required=True), self._version("AWSPREVIOUS", required=False))
        self._keys, self._read_at = tuple(key for key in found if key is not None), self._clock()

    def _version(self, stage: str, *, required: bool) -> str | None:
        with translated_errors("Secrets Manager"):
            try:
                response = self._client().get_secret_value(SecretId=self._secret_id, VersionStage=stage)
            except ClientError as error:
                if required or error_code(error) != "ResourceNotFoundException":
                    raise
                return None  # the key was never rotated
        return str(response["SecretString"])
