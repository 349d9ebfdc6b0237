"""CloudFront invalidations: one request for an invocation, sent again with the next one if it fails."""

import threading

import pytest

from image_processor.aws.cloudfront import CloudFrontInvalidations
from image_processor.errors import Throttled, Unavailable

from ..fakes import client_error

KEY = "cats/rio.jpg"


class FakeCloudFront:
    def __init__(self) -> None:
        self.invalidated: list[list[str]] = []
        self.caller_references: set[str] = set()
        self.failure: Exception | None = None

    def create_invalidation(self, *, DistributionId, InvalidationBatch):  # noqa: N803 - AWS's names
        assert DistributionId == "E2EXAMPLE"
        if self.failure:
            raise self.failure
        paths = InvalidationBatch["Paths"]
        assert paths["Quantity"] == len(paths["Items"])
        self.invalidated.append(paths["Items"])
        self.caller_references.add(InvalidationBatch["CallerReference"])


@pytest.fixture
def cloudfront() -> FakeCloudFront:
    return FakeCloudFront()


@pytest.fixture
def cloudfront_invalidations(cloudfront) -> CloudFrontInvalidations:
    return CloudFrontInvalidations(lambda: cloudfront, lambda: "E2EXAMPLE")


def test_all_keys_of_an_invocation_are_sent_in_one_request(cloudfront_invalidations, cloudfront):
    threads = [threading.Thread(target=cloudfront_invalidations.add, args=(f"{n % 5}.jpg",)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    cloudfront_invalidations.send()
    cloudfront_invalidations.send()

    assert cloudfront.invalidated == [[f"/{n}.jpg*" for n in range(5)]]


def test_each_request_has_its_own_caller_reference(cloudfront_invalidations, cloudfront):
    for _ in range(2):  # CloudFront ignores a second request with the same caller reference
        cloudfront_invalidations.add(KEY)
        cloudfront_invalidations.send()

    assert len(cloudfront.caller_references) == 2


@pytest.mark.parametrize(
    ("code", "error"), [("TooManyInvalidationsInProgress", Throttled), ("AccessDenied", Unavailable)]
)
def test_a_failed_request_is_sent_again_with_the_next_one(cloudfront_invalidations, cloudfront, code, error):
    cloudfront_invalidations.add("a.jpg")
    cloudfront.failure = client_error(code)
    with pytest.raises(error):
        cloudfront_invalidations.send()
    cloudfront.failure = None
    cloudfront_invalidations.add("b.jpg")

    cloudfront_invalidations.send()

    assert cloudfront.invalidated == [["/a.jpg*", "/b.jpg*"]]


@pytest.mark.parametrize("code", ["InvalidArgument", "NoSuchDistribution", "BatchTooLarge"])
def test_a_request_that_cloudfront_rejects_is_reported_and_never_repeated(cloudfront_invalidations, cloudfront, code):
    cloudfront_invalidations.add("a.jpg")
    cloudfront.failure = client_error(code)
    with pytest.raises(Unavailable):
        cloudfront_invalidations.send()
    cloudfront.failure = None
    cloudfront_invalidations.send()
    cloudfront_invalidations.add("b.jpg")

    cloudfront_invalidations.send()

    assert cloudfront.invalidated == [["/b.jpg*"]]


def test_a_key_that_is_added_during_a_request_is_sent_with_the_next_one(cloudfront_invalidations, cloudfront):
    cloudfront_invalidations.add("a.jpg")
    request = cloudfront.create_invalidation

    def create_invalidation(**arguments):
        cloudfront_invalidations.add("a.jpg")
        request(**arguments)

    cloudfront.create_invalidation = create_invalidation
    cloudfront_invalidations.send()
    cloudfront.create_invalidation = request
    cloudfront_invalidations.send()

    assert cloudfront.invalidated == [["/a.jpg*"], ["/a.jpg*"]]


def test_keys_that_wait_through_an_outage_take_little_memory_and_then_invalidate_everything(
    cloudfront_invalidations, cloudfront
):
    cloudfront.failure = client_error("ServiceUnavailable")
    for n in range(1_000):
        cloudfront_invalidations.add(f"{n}.jpg")
        if n % 10 == 0:
            with pytest.raises(Unavailable):
                cloudfront_invalidations.send()
    waiting = len(cloudfront_invalidations._keys)
    cloudfront.failure = None

    cloudfront_invalidations.send()

    assert waiting < 50
    assert cloudfront.invalidated == [["/*"]]


def test_keys_are_dropped_while_the_distribution_does_not_exist(cloudfront):
    invalidations = CloudFrontInvalidations(lambda: cloudfront, lambda: None)
    invalidations.add(KEY)
    invalidations.send()

    assert cloudfront.invalidated == []
    assert not invalidations._keys


def test_without_keys_neither_client_nor_distribution_id_is_requested():
    CloudFrontInvalidations(lambda: pytest.fail("a client was opened"), lambda: pytest.fail("the id was read")).send()
