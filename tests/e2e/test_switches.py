"""Metadata, API and CDN can each be left out: the rest deploys and works without."""

from itertools import product

import pytest

from .local import LocalAws, Stack, eventually, picture, request

PARTS = {
    "EnableMetadata": {"MetadataTableName"},
    "EnableApi": {"ApiUrl", "ApiKeyId"},
    "EnableCdn": {"DistributionDomainName"},
}
ALWAYS = {"UploadBucketName", "ProcessedBucketName", "QueueUrl", "DeadLetterQueueUrl", "FunctionName"}


@pytest.mark.parametrize("switches", [*product(("true", "false"), repeat=3)], ids="-".join)
def test_the_stack_works_with_any_of_its_parts(local: LocalAws, switches: tuple[str, ...]) -> None:
    name = "parts-" + "-".join(switches)
    chosen = dict(zip(PARTS, switches, strict=True))
    parameters = {**chosen, "RequireTls": "false", "ViewerProtocolPolicy": "allow-all"}
    arguments = [argument for pair in parameters.items() for argument in ("--parameter", "=".join(pair))]

    done = local.script("deploy.sh", "--local", "--stack-name", name, *arguments)

    assert done.returncode == 0, done.stderr
    described = local.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    stack = Stack(local, {output["OutputKey"]: output["OutputValue"] for output in described})
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
