"""CloudFront is told what was replaced: once for an invocation, in every spelling, and only when there is something."""

import threading

import pytest
from PIL import Image

from image_processor.aws.cloudfront import CloudFrontInvalidations
from image_processor.aws.parameter_store import Parameter
from image_processor.errors import CorruptImage, Throttled, Unavailable
from image_processor.publishing.ports import NoInvalidations
from image_processor.transformations.transformation import Transformation

from ..fakes import refusal
from ..pictures import encode

KEY = "cats/rio.jpg"
RED, BLUE = (encode(Image.new("RGB", (40, 30), colour), "png") for colour in ("red", "blue"))
AD_HOC = {"width=4": Transformation(width=4)}


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


def test_a_new_source_tells_nobody(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.render_on_demand(KEY, AD_HOC)

    assert invalidations.keys == []


def test_a_repeat_that_makes_the_same_tells_nobody(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    pipeline.publish(KEY)

    assert invalidations.keys == []


def test_a_repeat_after_nobody_knows_what_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY, redelivered=True)

    assert invalidations.keys == [KEY]


def test_an_overwritten_source_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, BLUE)
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_what_was_replaced_before_a_failure_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    s3.upload(KEY, BLUE)
    s3.fail("put_object", 2, refusal("InternalError"))
    with pytest.raises(Unavailable):
        pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_a_removed_ad_hoc_rendition_tells(pipeline, s3, invalidations):
    s3.upload(KEY, RED)
    pipeline.render_on_demand(KEY, AD_HOC)
    s3.upload(KEY, BLUE)
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


@pytest.mark.parametrize("end", ["deleted", "broken"])
def test_pictures_that_go_tell(pipeline, s3, invalidations, end):
    s3.upload(KEY, RED)
    pipeline.publish(KEY)
    if end == "deleted":
        s3.remove(KEY)
        pipeline.publish(KEY)
    else:
        s3.upload(KEY, RED[:60])
        with pytest.raises(CorruptImage):
            pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


@pytest.mark.parametrize("newer", [BLUE, encode(Image.new("RGB", (40, 30), "red"), "png", compress_level=0)])
def test_a_source_that_changed_while_it_was_written_tells_whatever_it_looks_like(pipeline, s3, invalidations, newer):
    s3.upload(KEY, RED)
    s3.before("head_upload", 1, lambda: s3.upload(KEY, newer))
    pipeline.publish(KEY)

    assert set(invalidations.keys) == {KEY}


def test_a_source_that_was_gone_all_along_tells_nobody(pipeline, invalidations):
    pipeline.publish(KEY)

    assert invalidations.keys == []


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
    cloudfront.failure = refusal(code)
    with pytest.raises(error):
        distribution.send()
    cloudfront.failure = None
    distribution.add("b.jpg")

    distribution.send()

    assert cloudfront.asked == [["/a.jpg", "/a.jpg/*", "/b.jpg", "/b.jpg/*"]]


class FakeParameters:
    def __init__(self) -> None:
        self.value: str | None = None
        self.reads = 0
        self.failure = refusal("ParameterNotFound")

    def get_parameter(self, *, Name):  # noqa: N803 - AWS's name
        assert Name == "/stack/distribution"
        self.reads += 1
        if self.value is None:
            raise self.failure
        return {"Parameter": {"Value": self.value}}


def test_the_distribution_s_id_is_read_once_when_it_is_there():
    parameters = FakeParameters()
    read = Parameter(lambda: parameters, "/stack/distribution").value

    assert read() is None  # the stack is still being made
    parameters.value = "E2EXAMPLE"
    assert [read(), read()] == ["E2EXAMPLE", "E2EXAMPLE"]
    assert parameters.reads == 2


def test_a_parameter_that_must_not_be_read_is_told():
    parameters = FakeParameters()
    parameters.failure = refusal("AccessDeniedException")

    with pytest.raises(Unavailable):
        Parameter(lambda: parameters, "/stack/distribution").value()


def test_without_a_distribution_yet_what_was_replaced_is_forgotten(cloudfront):
    invalidations = CloudFrontInvalidations(lambda: cloudfront, lambda: None)
    invalidations.add(KEY)
    invalidations.send()

    assert cloudfront.asked == []
    assert not invalidations._keys


def test_nothing_replaced_asks_for_no_id():
    CloudFrontInvalidations(lambda: pytest.fail("no client is made"), lambda: pytest.fail("no id is read")).send()


def test_no_edge_is_told_nothing():
    invalidations = NoInvalidations()
    invalidations.add(KEY)
    invalidations.send()
