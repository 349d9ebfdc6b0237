"""The eight combinations of EnableMetadata, EnableApi and EnableCdn: each has what it needs, and nothing else."""

from graphlib import TopologicalSorter
from itertools import permutations, product

import pytest

from .cloudformation import Stack, document, resolve

ALWAYS = {
    "UploadBucketName",
    "ProcessedBucketName",
    "QueueUrl",
    "DeadLetterQueueUrl",
    "FunctionName",
}
OF_SWITCH = {
    "EnableMetadata": {"MetadataTableName"},
    "EnableApi": {"ApiUrl", "ApiKeyId"},
    "EnableCdn": {"DistributionDomainName", "SigningSecretArn"},
}
TYPES_OF_SWITCH = {
    "EnableMetadata": "AWS::DynamoDB::",
    "EnableApi": "AWS::ApiGateway::",
    "EnableCdn": "AWS::CloudFront::",
}
COGNITO = {
    "ApiAuthorization": "COGNITO",
    "ApiUserPoolArn": "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_Ab1Cd2Ef3",
}
COMBINATIONS = [dict(zip(OF_SWITCH, values, strict=True)) for values in product(("true", "false"), repeat=3)]


def _id(switches: dict[str, str]) -> str:
    return "+".join(name.removeprefix("Enable") for name, value in switches.items() if value == "true") or "none"


every_combination = pytest.mark.parametrize("switches", COMBINATIONS, ids=_id)
# The other parameters that add or remove something
every_extra = pytest.mark.parametrize(
    "extra",
    [
        {},
        {"RequireTls": "false"},
        {"InvalidateCdn": "false"},
        {"EnableDelivery": "false"},
        {"SizeLadder": "320,640", "AllowUnsigned": "true", "FallbackImage": "broken.png"},
        {"ReservedConcurrency": "20", "OriginShieldRegion": "eu-central-1", "CdnKeyGroup": "0b8f9c1e"},
        {"AlarmEmail": "ops@example.com"},
        {"EnableDashboard": "true", "EnableTracing": "true"},
        {"ApiAuthorization": "AWS_IAM"},
        COGNITO,
        {"CdnUrl": "http://localhost:4566"},
        {"CdnAlias": "i.example.com", "CdnCertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/1"},
    ],
    ids=lambda extra: ",".join(extra) or "defaults",
)


@every_extra
@every_combination
def test_nothing_refers_to_a_resource_that_does_not_exist(switches: dict[str, str], extra: dict[str, str]) -> None:
    stack = resolve(**switches, **extra)

    dangling = {
        (source, target) for source, targets in stack.references.items() for target in targets - set(stack.resources)
    }

    assert not dangling


@every_extra
@every_combination
def test_there_is_no_circular_dependency(switches: dict[str, str], extra: dict[str, str]) -> None:
    stack = resolve(**switches, **extra)

    TopologicalSorter(stack.references).prepare()  # raises CycleError with the resources


@every_combination
def test_outputs_are_exactly_those_of_the_parts_switched_on(switches: dict[str, str]) -> None:
    expected = ALWAYS.union(*(names for switch, names in OF_SWITCH.items() if switches[switch] == "true"))

    assert set(resolve(**switches).outputs) == expected
    for extra in ({"ApiAuthorization": "AWS_IAM"}, COGNITO):
        assert set(resolve(**switches, **extra).outputs) == expected - {"ApiKeyId"}


@every_combination
def test_resources_of_a_part_exist_exactly_when_it_is_switched_on(switches: dict[str, str]) -> None:
    types = {resource["Type"] for resource in resolve(**switches).resources.values()}

    for switch, prefix in TYPES_OF_SWITCH.items():
        assert any(t.startswith(prefix) for t in types) == (switches[switch] == "true"), switch


@every_combination
def test_only_the_api_and_the_distribution_may_invoke_the_function(switches: dict[str, str]) -> None:
    for delivery in ("true", "false"):
        permissions = resolve(**switches, EnableDelivery=delivery).of_type("AWS::Lambda::Permission").values()
        expected = {"apigateway.amazonaws.com"} if switches["EnableApi"] == "true" else set()
        expected |= {"cloudfront.amazonaws.com"} if switches["EnableCdn"] == delivery == "true" else set()

        assert {p["Principal"] for p in permissions} == expected


@every_combination
def test_the_function_has_the_table_s_name_exactly_if_there_is_a_table(switches: dict[str, str]) -> None:
    environment = resolve(**switches).properties("Function")["Environment"]["Variables"]

    assert environment.get("METADATA_TABLE") == ("<MetadataTable>" if switches["EnableMetadata"] == "true" else None)


@every_combination
def test_the_function_has_the_distribution_s_name_exactly_if_it_invalidates(switches: dict[str, str]) -> None:
    for invalidate in ("true", "false"):
        stack = resolve(**switches, InvalidateCdn=invalidate)
        told = "DISTRIBUTION_PARAMETER" in stack.properties("Function")["Environment"]["Variables"]

        assert told == ("DistributionId" in stack.resources) == ("InvalidationPolicy" in stack.resources)
        assert told == (switches["EnableCdn"] == invalidate == "true")


@every_combination
def test_a_bucket_policy_is_never_empty(switches: dict[str, str]) -> None:
    for require_tls in ("true", "false"):
        stack = resolve(**switches, RequireTls=require_tls)

        for name, policy in (stack.of_type("AWS::S3::BucketPolicy") | stack.of_type("AWS::SQS::QueuePolicy")).items():
            assert policy["PolicyDocument"]["Statement"], name


@every_combination
def test_a_changed_switch_changes_a_resource_that_always_exists(switches: dict[str, str]) -> None:
    # The local emulator answers "no changes" to an update that only adds or removes resources.
    extra = {"EnableDelivery": "true"} if switches["EnableCdn"] == "true" else {}
    for switch, value in (switches | extra).items():
        before, after = resolve(**switches), resolve(**switches | {switch: "false" if value == "true" else "true"})

        assert _common(before, after) != _common(after, before), switch


def test_a_changed_authorization_of_the_api_changes_a_resource_that_always_exists() -> None:
    chosen = [resolve(**extra) for extra in ({}, {"ApiAuthorization": "AWS_IAM"}, COGNITO)]

    for before, after in permutations(chosen, 2):
        assert _common(before, after) != _common(after, before)


def _common(stack: Stack, other: Stack) -> dict[str, object]:
    return {name: resource for name, resource in stack.resources.items() if name in other.resources}


@pytest.mark.parametrize("section", ["Parameters", "Conditions", "Mappings"])
def test_everything_that_is_declared_is_used(section: str) -> None:
    template = document()
    body = repr({key: value for key, value in template.items() if key not in ("Metadata", "Parameters")})

    unused = [name for name in template[section] if f"'{name}'" not in body and f"${{{name}}}" not in body]

    assert not unused
