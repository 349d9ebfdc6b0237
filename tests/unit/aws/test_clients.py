"""AWS's failures come out as this project's own errors, without AWS's words."""

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, IncompleteReadError, ReadTimeoutError

from image_processor.aws.clients import speaking_to
from image_processor.errors import Throttled, Unavailable

from ..fakes import refusal


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        *((refusal(code), Throttled) for code in (
            "SlowDown", "503", "429", "ThrottlingException", "Throttling", "ProvisionedThroughputExceededException",
            "RequestLimitExceeded", "TooManyRequestsException",
        )),
        *((refusal(code), Unavailable) for code in ("AccessDenied", "403", "InternalError", "500", "NoSuchBucket", "")),
        (EndpointConnectionError(endpoint_url="https://s3.inner.example"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://s3.inner.example"), Unavailable),
        (ReadTimeoutError(endpoint_url="https://s3.inner.example"), Unavailable),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), Unavailable),
    ],
)  # fmt: skip
def test_a_failure_is_throttled_or_unavailable(failure, error):
    with pytest.raises(error) as caught, speaking_to("S3"):
        raise failure

    assert caught.value.__cause__ is failure
    assert str(caught.value).startswith("S3 ")
    assert str(caught.value).endswith("; try again later")
    assert not {"arn:", "inner", "AccessDenied"} & set(str(caught.value).replace("/", " ").split())


def test_a_fault_of_this_program_is_not_taken_for_aws_s():
    with pytest.raises(KeyError), speaking_to("S3"):
        raise KeyError("x")
