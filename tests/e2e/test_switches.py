"""Metadata, API, CDN and delivery can each be left out: the rest deploys and works without."""

from itertools import product

import pytest

from .local import LocalAws, eventually, picture, request

PARTS = {
    "EnableMetadata": {"MetadataTableName"},
    "EnableApi": {"ApiUrl", "ApiKeyId"},
    "EnableCdn": {"DistributionDomainName", "SigningSecretArn"},
}
ALWAYS = {"UploadBucketName", "ProcessedBucketName", "QueueUrl", "DeadLetterQueueUrl", "FunctionName"}


@pytest.mark.parametrize("switches", [*product(("true", "false"), repeat=3)], ids="-".join)
def test_the_stack_works_with_any_of_its_parts(local: LocalAws, switches: tuple[str, ...]) -> None:
    chosen = dict(zip(PARTS, switches, strict=True))

    stack = local.deploy("parts-" + "-".join(switches), **chosen)

    assert set(stack.outputs) == ALWAYS.union(*(PARTS[part] for part, value in chosen.items() if value == "true"))
    stack.upload("rio.jpg", picture())
    eventually(lambda: "rio.jpg/thumbnail" in stack.renditions())
    if chosen["EnableMetadata"] == "true":
        assert eventually(lambda: stack.records("rio.jpg"))
    if chosen["EnableApi"] == "true":
        [made] = stack.post({"key": "rio.jpg"}).json["renditions"]
        assert bool(made["url"]) == (chosen["EnableCdn"] == "true")
    if chosen["EnableCdn"] == "true":
        assert (
            request("GET", local.port, "/rio.jpg/thumbnail", Host=stack.outputs["DistributionDomainName"]).status == 200
        )


def test_without_delivery_the_cdn_serves_what_is_stored_by_its_query_too_and_nothing_else(local: LocalAws) -> None:
    stack = local.deploy("stored-only", EnableDelivery="false", EnableApi="false", EnableMetadata="false")
    host = stack.outputs["DistributionDomainName"]
    stack.upload("rio.jpg", picture())
    eventually(lambda: "rio.jpg/thumbnail" in stack.renditions())

    answers = [
        request("GET", local.port, path, Host=host).status
        for path in ("/rio.jpg/thumbnail", "/rio.jpg?variant=thumbnail", "/rio.jpg?width=9", "/rio.jpg?wdth=9")
    ]

    assert "SigningSecretArn" not in stack.outputs
    assert answers == [200, 200, 403, 400]
    assert stack.renditions() == {"rio.jpg/thumbnail"}
