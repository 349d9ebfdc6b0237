"""What tests/test_lambda.py and tests/handler share: moto as AWS, in this process, and the function's environment.

moto is started once for each module and reset for each test. For a whole session, it would also answer the requests of
other tests, which talk to servers of their own. It is imported here only when a test asks for it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from moto.core.models import MockAWS


@pytest.fixture(scope="module")
def moto() -> Iterator["MockAWS"]:
    from moto import mock_aws

    from .handler.buckets import client

    with mock_aws() as running:
        yield running
    client.cache_clear()


@pytest.fixture
def environment(
    moto: "MockAWS", monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[pytest.MonkeyPatch]:
    """Two buckets, a table, and the environment that the template gives the function."""
    from image_processor import telemetry
    from image_processor.services import services

    from .handler.buckets import PROCESSED, TABLE, UPLOADS, create_buckets_and_table

    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "UPLOAD_BUCKET": UPLOADS,
        "PROCESSED_BUCKET": PROCESSED,
        "METADATA_TABLE": TABLE,
        "VARIANTS": "thumbnail:width=128,height=128,fit=cover",
        "MAX_SOURCE_BYTES": "1000000",
        "MAX_SOURCE_PIXELS": "10000000",
        "CACHE_CONTROL": "public, max-age=300",
        "CORS_ORIGINS": "https://www.example.com",
        "POWERTOOLS_SERVICE_NAME": request.node.nodeid,  # a logger of its own, which writes to this test's stdout
        "POWERTOOLS_METRICS_NAMESPACE": "ImageProcessor",
        "LOG_LEVEL": "INFO",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    services.cache_clear()
    telemetry._logger.cache_clear()
    moto.reset()
    create_buckets_and_table()
    yield monkeypatch
    services.cache_clear()
