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
# Anyone can send wrong signatures. An unknown signature may be by a newer key, so it refreshes the keys, but only
# every five seconds: a new key is valid after five seconds, also during a flood of wrong signatures. Unless the key
# has changed, a refresh is one call. That is $0.09 a day, at $0.05 for 10,000 calls, for each environment that a flood
# keeps busy. All environments share a quota of 10,000 calls a second.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
_REFRESH_INTERVAL: Final = 5.0  # seconds
_RETRY_INTERVAL: Final = 30.0  # seconds after a failed read, which may have taken 24 s


class SigningKeys:
    """Reads the keys when they are first needed, and caches them; safe to call from several threads.

    Every method raises `Throttled` or `Unavailable` if no key is cached and Secrets Manager can't be read.
    """

    def __init__(self, client: Callable[[], Any], secret_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._secret_id, self._clock = cache(client), secret_id, clock
        self._lock = threading.Lock()
        self._keys: tuple[str, ...] = ()
        self._version_id = ""  # of the current key
        self._read_at = self._refreshed_at = self._failed_at = -math.inf

    def current(self) -> str:
        """The key to sign with."""
        return self.all()[0]

    def all(self) -> tuple[str, ...]:
        """The keys whose signatures are valid, the current one first."""
        with self._lock:  # a thread that needs the keys during a read waits for its result
            if self._clock() - self._read_at >= _CACHE_SECONDS and self._may_try():
                self._try(self._read)
            return self._keys

    def refreshed(self) -> tuple[str, ...]:
        """The keys after an unknown signature, which may be by a newer key. Rate-limited; usually the cached keys."""
        with self._lock:
            if self._clock() - self._refreshed_at >= _REFRESH_INTERVAL and self._may_try():
                self._refreshed_at = self._clock()
                self._try(self._read_if_rotated)
            return self._keys

    def check(self, path: str, parameters: Mapping[str, str], now: float) -> None:
        """As `signatures.check`, with these keys."""
        keys = self.all()
        if parameters.get(signatures.SIGNATURE) and not signatures.is_signed(keys, path, parameters):
            keys = self.refreshed()
        signatures.check(path, parameters, keys, now)

    def _may_try(self) -> bool:
        return not self._keys or self._clock() - self._failed_at >= _RETRY_INTERVAL

    def _try(self, read: Callable[[], None]) -> None:
        """Read the keys. In an outage of Secrets Manager, the cached keys remain valid."""
        try:
            read()
        except ImageProcessorError as error:
            if not self._keys:
                raise
            self._failed_at = self._clock()
            telemetry.fault("signing keys", error)

    def _read(self) -> None:
        # In this order: a key that is rotated between the two calls is in both responses, and none is missed.
        current, previous = self._stage("AWSCURRENT", required=True), self._stage("AWSPREVIOUS", required=False)
        self._keys = tuple(version["SecretString"] for version in (current, previous) if version)
        self._version_id, self._read_at = current["VersionId"], self._clock()

    def _read_if_rotated(self) -> None:
        # A rotation changes both stages, so one call shows whether there was one.
        if self._stage("AWSCURRENT", required=True)["VersionId"] != self._version_id:
            self._read()

    def _stage(self, stage: str, *, required: bool) -> dict[str, str]:
        with translated_errors("Secrets Manager"):
            try:
                response: dict[str, str] = self._client().get_secret_value(SecretId=self._secret_id, VersionStage=stage)
            except ClientError as error:
                if required or error_code(error) != "ResourceNotFoundException":
                    raise
                return {}  # the key was never rotated
        return response
