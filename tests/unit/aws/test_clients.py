"""AWS errors become the project's own errors, whose messages have neither AWS's text nor its names."""

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, IncompleteReadError, ReadTimeoutError

from image_processor.aws.clients import translated_errors
from image_processor.errors import Throttled, Unavailable

from ..fakes import client_error


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        *((client_error(code), Throttled) for code in (
            "SlowDown", "503", "429", "ThrottlingException", "Throttling", "ProvisionedThroughputExceededException",
            "RequestLimitExceeded", "TooManyRequestsException",
        )),
        *((client_error(code), Unavailable) for code in (
            "AccessDenied", "403", "InternalError", "500", "NoSuchBucket", "",
        )),
        (EndpointConnectionError(endpoint_url="https://s3.inner.example"), Unavailable),
        (ConnectTimeoutError(endpoint_url="https://s3.inner.example"), Unavailable),
        (ReadTimeoutError(endpoint_url="https://s3.inner.example"), Unavailable),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), Unavailable),
    ],
)  # fmt: skip
def test_an_aws_error_becomes_throttled_or_unavailable_without_its_text(failure, error):
    with pytest.raises(error) as caught, translated_errors("S3"):
        raise failure

    assert caught.value.__cause__ is failure
    assert str(caught.value).startswith("S3 ")
    assert str(caught.value).endswith("; try again later")
    assert not {"arn:", "inner", "AccessDenied"} & set(str(caught.value).replace("/", " ").split())


def test_an_exception_not_from_botocore_is_raised_unchanged():
    with pytest.raises(KeyError), translated_errors("S3"):
        raise KeyError("x")
