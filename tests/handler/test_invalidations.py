"""The handler invalidates in CloudFront what it replaced."""

import json

import pytest

from image_processor.services import services

from .buckets import PROCESSED, client, failing, picture, upload
from .events import invoke, messages, notification

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture(autouse=True)
def distribution(environment: pytest.MonkeyPatch) -> str:
    origin = {
        "Id": "o",
        "DomainName": f"{PROCESSED}.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behaviour = {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "allow-all",
        "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
    }
    made = client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "one",
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behaviour,
            "Comment": "",
            "Enabled": True,
        }  # type: ignore[typeddict-item]
    )
    distribution_id: str = made["Distribution"]["Id"]
    client("ssm").put_parameter(Name="/stack/distribution", Value=distribution_id, Type="String")
    environment.setenv("DISTRIBUTION_PARAMETER", "/stack/distribution")
    services.cache_clear()
    return distribution_id


def invalidated(distribution_id: str) -> list[list[str]]:
    cloudfront = client("cloudfront")
    listed = cloudfront.list_invalidations(DistributionId=distribution_id)["InvalidationList"].get("Items", [])
    found = [
        cloudfront.get_invalidation(DistributionId=distribution_id, Id=item["Id"])["Invalidation"] for item in listed
    ]
    return [sorted(one["InvalidationBatch"]["Paths"]["Items"]) for one in found]


def test_a_batch_sends_one_invalidation_of_all_that_it_replaced(distribution: str) -> None:
    keys = ("a.jpg", "b.jpg", "c.jpg")
    for colour, changed in (("teal", keys), ("red", keys[:2])):
        for key in changed:
            upload(key, picture(colour=colour))
        invoke(messages(*map(notification, keys)))

    assert invalidated(distribution) == [["/a.jpg*", "/b.jpg*"]]


def test_a_redelivered_message_invalidates(distribution: str) -> None:
    upload("rio.jpg", picture())
    event = messages(notification("rio.jpg"))
    event["Records"][0]["attributes"] = {**event["Records"][0]["attributes"], "ApproximateReceiveCount": "2"}

    invoke(event)

    assert invalidated(distribution) == [["/rio.jpg*"]]


def test_a_refused_invalidation_fails_no_message(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(environment, "CreateInvalidation", "TooManyInvalidationsInProgress")
    for colour in ("teal", "red"):
        upload("rio.jpg", picture(colour=colour))
        assert invoke(messages(notification("rio.jpg"))) == {"batchItemFailures": []}

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"InvalidationsFailed"' in line]
    assert [metric["code"] for metric in metrics] == ["throttled"]
