"""What deploy.sh refuses, or notes, before anything is deployed: the account's limits and the region's services."""

import json

import pytest

from tests.template.test_regions import WITHOUT_FUNCTION_URLS

from .deployments import deploy, deploys, given_parameters
from .project import Aws, Project, error_line

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
