"""The template as a document: its names, its parameters, their descriptions and their bounds."""

import re

import pytest

from image_processor import __version__
from image_processor.config import MAX_SOURCE_PIXELS
from image_processor.engine.limits import Limits
from image_processor.transformations.variants import parse_variants

from .cloudformation import TEMPLATE_PATH, document, resolve

PARAMETERS = document()["Parameters"]
RESOURCES = document()["Resources"]
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0b8f9c1e-0000-4000-8000-000000000000"
# Where AWS requires a name. Names of APIs and queries need not be unique, a stage's name is part of its URL, those of
# CloudFront contain the stack's id, and the function reads the parameter by its name.
REQUIRED_NAMES = {
    "CachePolicy": {"Name"},
    "Api": {"Name"},
    "ApiStage": {"StageName"},
    "FailuresQuery": {"Name"},
    "DistributionId": {"Name"},
    "FunctionRole": {"PolicyName"},
    "InvalidationPolicy": {"PolicyName"},
    "FunctionAccessControl": {"Name"},
    "OriginAccessControl": {"Name"},
    "OriginRequestPolicy": {"Name"},
    "ResponseHeadersPolicy": {"Name"},
    "SlowestQuery": {"Name"},
    "SuddenEndsQuery": {"Name"},
    "ViewerRequest": {"Name"},
}
PHYSICAL_NAME = re.compile(
    "(Bucket|Queue|Function|Role|Policy|LogGroup|Table|Topic|Alarm|Stage|Key|UsagePlan|Dashboard)?Name"
)


def test_it_has_no_transform_and_no_custom_resource() -> None:
    assert "Transform" not in document()
    assert not [n for n, r in RESOURCES.items() if r["Type"].startswith(("Custom::", "AWS::CloudFormation::"))]


def test_resources_have_physical_names_only_where_aws_requires_one() -> None:
    for name, resource in resolve(AlarmEmail="ops@example.com", EnableDashboard="true").resources.items():
        own = _names(resource.get("Properties", {}), resource["Type"])

        assert own == REQUIRED_NAMES.get(name, set()), name


def _names(node: object, resource_type: str) -> set[str]:
    if isinstance(node, list):
        return set().union(*(_names(item, resource_type) for item in node))
    if not isinstance(node, dict):
        return set()
    # A reference to another resource is not a physical name.
    own = {k for k, v in node.items() if PHYSICAL_NAME.fullmatch(k) and isinstance(v, str) and not v.startswith("<")}
    if resource_type == "AWS::CloudWatch::Alarm":
        own -= {"Name"}  # of a dimension
    return own.union(*(_names(value, resource_type) for value in node.values()))


def test_two_stacks_of_one_name_in_two_regions_do_not_collide() -> None:
    stack = resolve()
    own = "0b8f9c1e-1111-4222-8333"  # the stack's id, which is unique
    controls = stack.of_type("AWS::CloudFront::OriginAccessControl").values()

    # Two resources of one type need two names.
    assert sorted(c["OriginAccessControlConfig"]["Name"] for c in controls) == [own, f"{own}-function"]
    assert stack.properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]["Name"] == own
    assert stack.properties("OriginRequestPolicy")["OriginRequestPolicyConfig"]["Name"] == own
    assert stack.properties("ViewerRequest")["Name"] == own


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_what_it_is_and_what_is_allowed(name: str) -> None:
    parameter = PARAMETERS[name]

    assert parameter["Description"]
    assert parameter["ConstraintDescription"]
    bounds = parameter.keys() & {"AllowedPattern", "AllowedValues", "MinLength"}
    assert bounds or {"MinValue", "MaxValue"} <= parameter.keys()


def test_the_template_has_the_version_of_the_function() -> None:
    assert document()["Metadata"]["Version"] == __version__


def test_each_parameter_is_in_one_group() -> None:
    groups = document()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]

    assert sorted(grouped) == sorted(PARAMETERS)
    assert all(group["Label"]["default"] for group in groups)


@pytest.mark.parametrize("name", [name for name in PARAMETERS if "Default" in PARAMETERS[name]])
def test_a_default_is_allowed(name: str) -> None:
    assert _allows(name, str(PARAMETERS[name]["Default"]))


def test_only_the_code_has_no_default() -> None:
    assert {n for n, p in PARAMETERS.items() if "Default" not in p} == {"LambdaS3CodeBucket", "LambdaS3CodeKey"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LambdaS3CodeBucket", "my.code-bucket.1"),
        ("Variants", "small:width=300;square:width=64,height=64,background=#ffffff"),
        ("Variants", "corner:width=64,height=64,position=right-top; web:format=webp;"),
        ("CacheControl", "public, max-age=31536000, immutable"),
        ("CorsOrigins", "https://www.example.com, http://localhost:8080"),
        ("ApiUserPoolArn", "arn:aws:cognito-idp:us-gov-west-1:111122223333:userpool/us-gov-west-1_Ab1Cd2Ef3"),
        ("CdnAlias", "images.example.co.uk"),
        ("CdnCertificateArn", CERTIFICATE),
        ("CdnUrl", "http://d111111abcdef8.cloudfront.localhost:4566"),
        ("CdnUrl", "https://example.com/images"),
        ("AlarmEmail", "ops+images@example.com"),
        ("MaximumConcurrency", "2"),
        ("ReservedConcurrency", "20"),
        ("SizeLadder", "320,640,1280,8192"),
        ("SizeLadder", "1"),
        ("FallbackImage", "site/broken picture ß.png"),
        ("OriginShieldRegion", "eu-central-1"),
        ("CdnKeyGroup", "4b4b36de-3b6c-4b5c-8d0a-1f0e6f0f8a01"),
        (
            "CdnWebAclArn",
            "arn:aws:wafv2:us-east-1:111122223333:global/webacl/limit/473e64fd-f30b-4765-81a0-62ad96dd167a",
        ),
    ],
)
def test_a_good_value_is_allowed(name: str, value: str) -> None:
    assert _allows(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LambdaS3CodeBucket", "s3://bucket"),
        ("Variants", ""),
        ("Variants", "width=300"),
        ("Variants", "a b:width=300"),
        ("CacheControl", "public\nX-Other: 1"),
        ("CorsOrigins", "https://www.example.com/"),
        ("CorsOrigins", "www.example.com"),
        ("ApiAuthorization", "NONE"),
        ("ApiUserPoolArn", "eu-central-1_Ab1Cd2Ef3"),
        ("ApiUserPoolArn", "arn:aws:cognito-identity:eu-central-1:111122223333:identitypool/eu-central-1:0b8f9c1e"),
        ("CdnAlias", "https://images.example.com"),
        ("CdnAlias", "*.example.com"),
        ("CdnCertificateArn", CERTIFICATE.replace("us-east-1", "eu-central-1")),
        ("CdnUrl", "https://example.com/"),
        ("CdnUrl", "example.com"),
        ("CdnUrl", "https://example.com/?a"),
        ("AlarmEmail", "ops"),
        ("MaximumConcurrency", "1"),
        ("EnableApi", "yes"),
        ("SizeLadder", "0"),
        ("SizeLadder", "08"),
        ("SizeLadder", "8193"),
        ("SizeLadder", "320,"),
        ("SizeLadder", "320, 640"),
        ("SizeLadder", "320];alert(1);[1"),
        ("FallbackImage", "a\nb"),
        ("OriginShieldRegion", "Frankfurt"),
        ("CdnKeyGroup", "arn:aws:cloudfront::1:key-group/x"),
        ("CdnWebAclArn", "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/x/473e64fd-f30b-4765-81a0-62ad96dd167a"),
        ("SizeLadder", ",".join(map(str, range(1, 34)))),
        ("MaxSourcePixels", "178956971"),
        ("MemorySize", "128"),
    ],
)
def test_a_bad_value_is_refused_before_anything_is_created(name: str, value: str) -> None:
    assert not _allows(name, value)


def _allows(name: str, value: str) -> bool:
    parameter = PARAMETERS[name]
    if parameter["Type"] == "Number":
        low, high = parameter.get("MinValue", float("-inf")), parameter.get("MaxValue", float("inf"))
        if not low <= float(value) <= high:
            return False
    if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
        return False
    # CloudFormation compares the pattern with each member of a list.
    members = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
    return all(re.fullmatch(parameter.get("AllowedPattern", ".*"), member) for member in members)


def test_patterns_are_anchored() -> None:
    for name, parameter in PARAMETERS.items():
        pattern = parameter.get("AllowedPattern", "^$")

        assert (pattern[0], pattern[-1]) == ("^", "$"), name


def test_defaults_and_bounds_are_those_of_the_function() -> None:
    assert parse_variants(PARAMETERS["Variants"]["Default"])
    assert PARAMETERS["MaxSourcePixels"]["MaxValue"] == MAX_SOURCE_PIXELS
    assert PARAMETERS["MaxSourcePixels"]["Default"] == Limits().max_pixels
    assert PARAMETERS["MaxSourceBytes"]["Default"] == Limits().max_bytes


def test_each_allowed_concurrency_has_its_number() -> None:
    numbers = document()["Mappings"]["MaximumConcurrency"]

    assert numbers == {str(n): {"Number": n} for n in PARAMETERS["MaximumConcurrency"]["AllowedValues"]}


@pytest.mark.parametrize(
    ("alias", "certificate", "accepted"),
    [("", "", True), ("i.example.com", CERTIFICATE, True), ("i.example.com", "", False), ("", CERTIFICATE, False)],
)
def test_an_alias_and_its_certificate_go_together(alias: str, certificate: str, accepted: bool) -> None:  # noqa: FBT001
    broken = resolve(CdnAlias=alias, CdnCertificateArn=certificate).broken_rules

    assert (not broken) == accepted


@pytest.mark.parametrize(
    ("unsigned", "ladder", "accepted"),
    [("false", "", True), ("false", "320,640", True), ("true", "320,640", True), ("true", "", False)],
)
def test_unsigned_urls_need_a_ladder(unsigned: str, ladder: str, accepted: bool) -> None:  # noqa: FBT001
    broken = resolve(AllowUnsigned=unsigned, SizeLadder=ladder).broken_rules

    assert (not broken) == accepted


def test_a_skipped_check_says_why() -> None:
    for name, resource in RESOURCES.items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert re.fullmatch(r"CKV2?_AWS_\d+", skip["id"]), name
            assert len(skip["comment"]) > 20, name


def test_sections_stand_in_the_order_data_flows() -> None:
    banners = re.findall(r"^  # -{8} (\w+)", TEMPLATE_PATH.read_text(), re.MULTILINE)

    assert banners == ["Storage", "Queue", "Function", "Metadata", "API", "Delivery", "Alarms"]


def test_outputs_say_what_they_are() -> None:
    assert all(output["Description"] for output in document()["Outputs"].values())
