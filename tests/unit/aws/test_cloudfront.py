"""CloudFront is told what was replaced: once for an invocation, in every spelling, and only when there is something."""

import threading

import pytest

from image_processor.aws.cloudfront import CloudFrontInvalidations
from image_processor.errors import Throttled, Unavailable

from ..fakes import client_error

KEY = "cats/rio.jpg"


class FakeCloudFront:
    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.references: set[str] = set()
        self.failure: Exception | None = None

    def create_invalidation(self, *, DistributionId, InvalidationBatch):  # noqa: N803 - AWS's names
        assert DistributionId == "E2EXAMPLE"
        if self.failure:
            raise self.failure
        paths = InvalidationBatch["Paths"]
        assert paths["Quantity"] == len(paths["Items"])
        self.asked.append(paths["Items"])
        self.references.add(InvalidationBatch["CallerReference"])


@pytest.fixture
def cloudfront() -> FakeCloudFront:
    return FakeCloudFront()


@pytest.fixture
def distribution(cloudfront) -> CloudFrontInvalidations:
    return CloudFrontInvalidations(lambda: cloudfront, lambda: "E2EXAMPLE")


def test_all_of_an_invocation_is_one_request(distribution, cloudfront):
    threads = [threading.Thread(target=distribution.add, args=(f"{n % 5}.jpg",)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    distribution.send()
    distribution.send()

    assert cloudfront.asked == [[path for n in range(5) for path in (f"/{n}.jpg", f"/{n}.jpg/*")]]


def test_each_request_is_one_of_its_own(distribution, cloudfront):
    for _ in range(2):  # CloudFront takes a second one of the same reference for a repeat of the first
        distribution.add(KEY)
        distribution.send()

    assert len(cloudfront.references) == 2


@pytest.mark.parametrize(
    ("code", "error"), [("TooManyInvalidationsInProgress", Throttled), ("AccessDenied", Unavailable)]
)
def test_what_cloudfront_refuses_is_asked_for_again_with_the_next(distribution, cloudfront, code, error):
    distribution.add("a.jpg")
    cloudfront.failure = client_error(code)
    with pytest.raises(error):
        distribution.send()
    cloudfront.failure = None
    distribution.add("b.jpg")

    distribution.send()

    assert cloudfront.asked == [["/a.jpg", "/a.jpg/*", "/b.jpg", "/b.jpg/*"]]


def test_without_a_distribution_yet_what_was_replaced_is_forgotten(cloudfront):
    invalidations = CloudFrontInvalidations(lambda: cloudfront, lambda: None)
    invalidations.add(KEY)
    invalidations.send()

    assert cloudfront.asked == []
    assert not invalidations._keys


def test_nothing_replaced_asks_for_no_id():
    CloudFrontInvalidations(lambda: pytest.fail("no client is made"), lambda: pytest.fail("no id is read")).send()
