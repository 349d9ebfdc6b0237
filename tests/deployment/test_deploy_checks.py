"""What deploy.sh refuses, or notes, before anything is deployed: the account's limits and the region's services."""

import json
import sys

import pytest

from tests.template.cloudformation import document
from tests.template.test_regions import WITHOUT_FUNCTION_URLS

from .deployments import deploy, deploys, given_parameters
from .project import PROJECT, Aws, Project, error_line

sys.path[:0] = [str(PROJECT / "src"), str(PROJECT / "deployment" / "operations")]

from given import check_parameter, read_constraints, unquoted  # noqa: E402 - by the path above

pytestmark = pytest.mark.slow

RAISE = "request an increase of 'Concurrent executions' in Service Quotas, AWS Lambda"


def limit(aws: Aws, total: int, unreserved: int) -> None:
    """Let the account have this limit of concurrent executions."""
    found = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": unreserved}
    aws.answer("get-account-settings", json.dumps({"AccountLimit": found}))


@pytest.mark.parametrize(
    ("total", "unreserved", "wanted", "may_be"),
    [
        (10, 10, 1, "Lambda keeps 10 unreserved, so that it may be 0 only"),
        (50, 50, 20, "Lambda keeps 50 unreserved, so that it may be 0 only"),
        (1000, 1000, 901, "Lambda keeps 100 unreserved, so that it may be 900 at most"),
        (1000, 300, 300, "Lambda keeps 100 unreserved, so that it may be 200 at most"),
    ],
)
def test_a_reservation_that_lambda_would_refuse_is_a_sentence_before_the_deployment(
    project: Project, aws: Aws, total: int, unreserved: int, wanted: int, may_be: str
) -> None:
    deploys(aws)
    limit(aws, total, unreserved)
    line = error_line(project.run("deploy.sh", "--parameter", f"ReservedConcurrency={wanted}"))
    assert line.startswith(f"deploy.sh: ReservedConcurrency={wanted}: this account has {total:,} concurrent executions")
    assert may_be in line
    assert line.endswith(RAISE)
    assert not aws.calls("create-change-set")
    assert not aws.calls("put-object")


@pytest.mark.parametrize(
    ("total", "unreserved", "wanted", "own"), [(1000, 1000, 900, 0), (1000, 200, 900, 800), (10, 10, 0, 0)]
)
def test_a_reservation_that_lambda_accepts_is_deployed(
    project: Project, aws: Aws, total: int, unreserved: int, wanted: int, own: int
) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters={"ReservedConcurrency": str(own), "MaximumConcurrency": "2"})
    limit(aws, total, unreserved)
    assert "Note" not in deploy(project, "--parameter", f"ReservedConcurrency={wanted}")
    assert given_parameters(aws)["ReservedConcurrency"] == str(wanted)


@pytest.mark.parametrize(
    ("parameters", "noted"),
    [
        ({}, "With MaximumConcurrency=10, a burst of uploads can use them all"),
        ({"MaximumConcurrency": "20"}, "Set --parameter MaximumConcurrency=5, or " + RAISE),
        ({"MaximumConcurrency": "5"}, None),
    ],
)
def test_a_new_account_s_ten_executions_are_noted_with_the_value_that_fits(
    project: Project, aws: Aws, parameters: dict[str, str], noted: str | None
) -> None:
    deploys(aws)
    limit(aws, 10, 10)
    said = deploy(project, *[word for pair in parameters.items() for word in ("--parameter", "=".join(pair))])
    assert noted in said if noted else "Note" not in said


def test_values_that_stay_as_they_are_are_not_checked_again(project: Project, aws: Aws) -> None:
    deploys(aws, "UPDATE_COMPLETE", parameters={"MaximumConcurrency": "10"})
    deploy(project, "--parameter", "MaximumConcurrency=10")
    assert not aws.calls("get-account-settings")
    deploy(project, "--parameter", "MaximumConcurrency=15")
    assert aws.calls("get-account-settings")


def test_less_reserved_than_the_queue_may_use_is_noted(project: Project, aws: Aws) -> None:
    deploys(aws)
    limit(aws, 1000, 1000)
    said = deploy(project, "--parameter", "ReservedConcurrency=5")
    assert "ReservedConcurrency=5 is less than MaximumConcurrency=10: Lambda throttles the queue's messages" in said


def test_a_limit_that_cannot_be_read_is_noted(project: Project, aws: Aws) -> None:
    deploys(aws)
    aws.deny("get-account-settings", "GetAccountSettings", "AccessDeniedException", "no")
    assert "can't be read, and is not checked" in deploy(project, "--parameter", "ReservedConcurrency=900")


@pytest.mark.parametrize("region", ["ap-south-2", "me-central-1"])
def test_a_region_without_function_urls_is_said(project: Project, aws: Aws, region: str) -> None:
    assert region in WITHOUT_FUNCTION_URLS
    deploys(aws)
    assert f"Lambda has no function URLs in {region}: the stack has no delivery" in deploy(project, "--region", region)


@pytest.mark.parametrize(
    ("region", "words"), [("eu-central-1", ()), ("ap-south-2", ("--parameter", "EnableDelivery=false"))]
)
def test_delivery_that_is_not_missing_is_not_mentioned(
    project: Project, aws: Aws, region: str, words: tuple[str, ...]
) -> None:
    deploys(aws)
    assert "function URLs" not in deploy(project, "--region", region, *words)


def test_delivery_that_is_requested_in_a_region_without_function_urls_is_refused(project: Project, aws: Aws) -> None:
    deploys(aws)
    line = error_line(project.run("deploy.sh", "--region", "eu-south-2", "--parameter", "EnableDelivery=true"))
    assert "EnableDelivery=true: Lambda has no function URLs in eu-south-2" in line
    assert not aws.calls("create-change-set")


def test_the_template_s_constraints_are_read_as_yaml_reads_them() -> None:
    parameters = document()["Parameters"]
    constraints = read_constraints((PROJECT / "templates/main.yaml").read_text(encoding="utf-8"))

    assert constraints.keys() == parameters.keys()
    for name, found in constraints.items():
        shown = {key: unquoted(value) for key, value in found.items() if key not in ("AllowedValues", "Description")}
        assert shown == {key: str(parameters[name][key]) for key in shown}, name
        listed = [unquoted(value.strip()) for value in found.get("AllowedValues", "").strip("[]").split(",") if value]
        assert listed == [str(value) for value in parameters[name].get("AllowedValues", ())], name
        assert found.keys() == parameters[name].keys()
        assert "ConstraintDescription" in found


@pytest.mark.parametrize("name", sorted(document()["Parameters"].keys() - {"LambdaS3CodeBucket", "LambdaS3CodeKey"}))
def test_each_default_is_a_value_that_is_allowed(name: str) -> None:
    constraints = read_constraints((PROJECT / "templates/main.yaml").read_text(encoding="utf-8"))

    check_parameter(f"{name}={document()['Parameters'][name]['Default']}", constraints)


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("MemorySize=1G", "MemorySize=1G: it must be a number from 512 to 10240"),
        ("MemorySize=511", "must be a number from 512 to 10240"),
        ("MemorySize=10241", "must be a number from 512 to 10240"),
        ("MemorySize=nan", "must be a number from 512 to 10240"),
        ("MemorySize=", "must be a number from 512 to 10240"),
        ("LogLevel=info", "LogLevel=info: it must be DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        ("EnableCdn=yes", "EnableCdn=yes: it must be true or false"),
        ("LogRetentionDays=8", "must be a number of days that CloudWatch Logs offers"),
        ("MaximumConcurrency=11", "must be 2, 3, 4"),
        ("AlarmEmail=me", "must be empty or an e-mail address"),
        ("AlarmEmail=me@example.com\n", "must be empty or an e-mail address"),
        ("CorsOrigins=https://a.example,https://b.example/", "must be * or origins"),
        ("SizeLadder=320,08", "must be empty or up to 32 numbers"),
        ("FallbackImage=" + "a" * 257, "FallbackImage: it may have 256 characters at most, and has 257"),
        ("Variants=a", "name:transformation"),
    ],
)
def test_a_value_that_cloudformation_would_refuse_is_refused_before_any_call(
    shared_project: Project, aws: Aws, parameter: str, said: str
) -> None:
    line = error_line(shared_project.run("deploy.sh", "--parameter", parameter))

    assert line.startswith("deploy.sh: --parameter ")
    assert said in line
    assert not aws.calls()


@pytest.mark.parametrize(
    "parameter",
    ["MemorySize=1024", "CorsOrigins=https://a.example, https://b.example:8443", "AlarmEmail=", "CdnAlias=a.b-c.de"],
)
def test_a_value_that_cloudformation_accepts_is_deployed(project: Project, aws: Aws, parameter: str) -> None:
    deploys(aws)
    deploy(project, "--parameter", parameter)
    name, value = parameter.split("=", 1)
    assert given_parameters(aws)[name] == value


@pytest.mark.parametrize(
    "region", ["Frankfurt", "eu-central", "eu central-1", "EU-CENTRAL-1", "eu-central-1b", "mars-1", "-"]
)
@pytest.mark.parametrize("script", ["deploy.sh", "status.sh"])
def test_what_cannot_be_a_region_is_refused_before_any_call(
    shared_project: Project, aws: Aws, script: str, region: str
) -> None:
    result = shared_project.run(script, "--region", region)

    assert result.stderr == f"{script}: '{region}' is not the name of an AWS region, such as eu-central-1\n"
    assert result.returncode > 0
    assert not aws.calls()


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"])
def test_a_region_that_the_template_does_not_support_is_refused_before_any_call(
    shared_project: Project, aws: Aws, region: str
) -> None:
    line = error_line(shared_project.run("deploy.sh", "--region", region))

    assert f"needs one of AWS's commercial regions, not {region}: China, GovCloud" in line
    assert not aws.calls()


def test_a_region_that_does_not_exist_is_named(shared_project: Project, aws: Aws) -> None:
    aws.answer(
        "sts get-caller-identity",
        error='\nCould not connect to the endpoint URL: "https://sts.eu-centrl-1.amazonaws.com/"\n',
    )
    line = error_line(shared_project.run("deploy.sh", "--region", "eu-centrl-1", AWS_ENDPOINT_URL=""))

    assert line == "deploy.sh: can't reach AWS in region 'eu-centrl-1': does the region exist, and is the network up?"
    assert len(aws.calls()) == 1


def test_a_script_with_local_names_it_when_the_region_is_missing(shared_project: Project) -> None:
    wanted = "no region: give --region, or set AWS_REGION"
    line = error_line(shared_project.run("deploy.sh", AWS_DEFAULT_REGION=""))
    assert line == f"deploy.sh: {wanted}"
    for script in ("backfill.sh", "redrive.sh"):
        line = error_line(shared_project.run(script, AWS_DEFAULT_REGION=""))
        assert line == f"{script}: {wanted}, or give --local for the stack of 'make run'"
