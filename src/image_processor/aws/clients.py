"""How this project speaks to AWS: one configuration for every client, and its failures in the project's own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from image_processor.errors import Throttled, Unavailable

# A call is tried three times. One that is refused at once waits 1 s and 2 s at most in between; one that stalls, 2 s to
# connect and 5 s to be answered each time, is given up after 24 s. Of the function's 60 that leaves room for two in a
# row: a source that needs longer is abandoned by `app`, and comes back by the queue, minutes later. Standard mode also
# stops all retries of a client when one call in a few fails, lest an outage be answered with three times the load.
# Connections: one for each message of a batch, and for the pipeline's calls beside them.
CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5, max_pool_connections=30
)
_THROTTLED: Final = {
    "429",
    "503",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyInvalidationsInProgress",
    "TooManyRequestsException",
}


def error_code(error: ClientError) -> str:
    """AWS's own code; for an answer without a body, such as to HEAD, the HTTP status."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def speaking_to(service: str) -> Iterator[None]:
    """Turn botocore's errors into `Throttled` or `Unavailable`."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in _THROTTLED:
            raise Throttled(f"{service} is busy; try again later") from error
        raise Unavailable(f"{service} refused or failed; try again later") from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} can't be reached; try again later") from error
