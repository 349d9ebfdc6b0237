"""The configuration of every AWS client, and the translation of botocore's errors into the project's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from image_processor.errors import Throttled, Unavailable

# A call is tried three times. A call that fails at once waits at most 1 s and 2 s in between. A call that stalls, for
# 2 s to connect and 5 s to respond each time, fails after 24 s. Two such calls in a row fit into the function's
# 60 s: a source that needs longer is abandoned by `sqs_batch`, and the queue redelivers it minutes later. Standard mode
# also stops all retries of a client while many of its calls fail, so that an outage does not get three times the load.
# Connections: one for each message of a batch, and for the other calls of the pipeline.
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
    """AWS's own error code; the HTTP status for a response without a body, such as to HEAD."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def translated_errors(service: str) -> Iterator[None]:
    """Turn botocore's errors into `Throttled` or `Unavailable`; the message names the service."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in _THROTTLED:
            raise Throttled(f"{service} is busy; try again later") from error
        raise Unavailable(f"{service} refused or failed; try again later") from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} can't be reached; try again later") from error
