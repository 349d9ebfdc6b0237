"""The function: its environment, its permissions and its logs."""

import importlib.util
import re
from typing import Any

import pytest

from image_processor.config import Settings

from .cloudformation import Stack, resolve

MAY = {
    ("s3:GetObject", "<UploadBucket.Arn>/*"),
    ("s3:GetObject", "<ProcessedBucket.Arn>/*"),
    ("s3:PutObject", "<ProcessedBucket.Arn>/*"),
    ("s3:DeleteObject", "<ProcessedBucket.Arn>/*"),
    ("sqs:ReceiveMessage", "<UploadQueue.Arn>"),
    ("sqs:DeleteMessage", "<UploadQueue.Arn>"),
    ("sqs:GetQueueAttributes", "<UploadQueue.Arn>"),
    ("logs:CreateLogStream", "<FunctionLogGroup.Arn>"),
    ("logs:PutLogEvents", "<FunctionLogGroup.Arn>"),
}
# Without s3:ListBucket, S3 answers 403 and not 404 for a missing key; the local emulator always answers 404.
MAY_LIST = {("s3:ListBucket", "<UploadBucket.Arn>"), ("s3:ListBucket", "<ProcessedBucket.Arn>")}
MAY_WITH_METADATA = {
    ("dynamodb:BatchWriteItem", "<MetadataTable.Arn>"),
    ("dynamodb:DeleteItem", "<MetadataTable.Arn>"),
    ("dynamodb:GetItem", "<MetadataTable.Arn>"),
    ("dynamodb:Query", "<MetadataTable.Arn>/index/by-original-file"),
}
MAY_CHECK_SIGNATURES = {("secretsmanager:GetSecretValue", "<SigningSecret.Id>")}
MAY_INVALIDATE = {
    ("ssm:GetParameter", "arn:aws:ssm:eu-central-1:111122223333:parameter<DistributionId>"),
    ("cloudfront:CreateInvalidation", "arn:aws:cloudfront::111122223333:distribution/<Distribution>"),
}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve()


def _statements(stack: Stack) -> list[dict[str, Any]]:
    [policy] = stack.properties("FunctionRole")["Policies"]
    apart = stack.of_type("AWS::IAM::Policy").values()
    assert all(other["Roles"] == ["<FunctionRole>"] for other in apart)
    return [statement for one in (policy, *apart) for statement in one["PolicyDocument"]["Statement"]]


def _allowed(stack: Stack) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in _statements(stack)
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    }


def _as_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_the_role_may_do_exactly_what_the_function_does(stack: Stack) -> None:
    assert _allowed(stack) == MAY | MAY_LIST | MAY_WITH_METADATA | MAY_CHECK_SIGNATURES | MAY_INVALIDATE


def test_the_role_has_no_permissions_for_a_table_that_is_off() -> None:
    assert _allowed(resolve(EnableMetadata="false")) == MAY | MAY_LIST | MAY_CHECK_SIGNATURES | MAY_INVALIDATE


@pytest.mark.parametrize("switch", ["EnableCdn", "InvalidateCdn"])
def test_the_role_has_no_permissions_for_a_distribution_it_does_not_invalidate(switch: str) -> None:
    assert not _allowed(resolve(**{switch: "false"})) & MAY_INVALIDATE


@pytest.mark.parametrize("switch", ["EnableCdn", "EnableDelivery"])
def test_without_delivery_the_function_has_no_secret_and_no_permission_for_one(switch: str) -> None:
    stack = resolve(**{switch: "false"})

    assert not [action for action, _ in _allowed(stack) if action.startswith("secretsmanager:")]
    assert "SIGNING_SECRET" not in stack.properties("Function")["Environment"]["Variables"]
    assert not stack.of_type("AWS::SecretsManager::Secret")


def test_the_function_reserves_the_given_concurrency_and_none_by_default(stack: Stack) -> None:
    assert "ReservedConcurrentExecutions" not in stack.properties("Function")
    assert resolve(ReservedConcurrency="20").properties("Function")["ReservedConcurrentExecutions"] == "20"


def test_the_function_can_distinguish_a_missing_source_from_a_forbidden_one(stack: Stack) -> None:
    assert _allowed(stack) >= MAY_LIST


def test_no_permission_is_for_every_resource(stack: Stack) -> None:
    for action, resource in _allowed(stack):
        assert "*" not in action
        named = re.sub("^arn:aws:(ssm|cloudfront):[a-z0-9:-]*:(parameter|distribution/)", "", resource)
        assert named.startswith("<")  # a resource of this stack
        assert "*" not in resource.removesuffix("/*")


def test_the_role_has_no_managed_policies_and_only_lambda_may_assume_it(stack: Stack) -> None:
    role = stack.properties("FunctionRole")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]

    assert stack.properties("Function")["Role"] == "<FunctionRole.Arn>"
    assert "ManagedPolicyArns" not in role
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"
    assert all(statement["Effect"] == "Allow" for statement in _statements(stack))
    assert len(stack.of_type("AWS::IAM::Role")) == 1


def test_the_environment_is_what_the_function_reads(stack: Stack) -> None:
    assert stack.properties("Function")["Environment"]["Variables"] == {
        "UPLOAD_BUCKET": "<UploadBucket>",
        "PROCESSED_BUCKET": "<ProcessedBucket>",
        "METADATA_TABLE": "<MetadataTable>",
        "DISTRIBUTION_PARAMETER": "/image-processor/images/distribution-id",
        "SIGNING_SECRET": "<SigningSecret.Id>",
        "SIZE_LADDER": "",
        "ALLOW_UNSIGNED": "false",
        "FALLBACK_IMAGE": "",
        "VARIANTS": "thumbnail:width=128,height=128,fit=cover",
        "MAX_SOURCE_BYTES": "52428800",
        "MAX_SOURCE_PIXELS": "80000000",
        "CACHE_CONTROL": "public, max-age=300",
        "CORS_ORIGINS": "*",
        "LOG_LEVEL": "INFO",
        "POWERTOOLS_SERVICE_NAME": "images",
        "POWERTOOLS_METRICS_NAMESPACE": "ImageProcessor",
    }


def test_the_function_accepts_the_environment_it_is_given() -> None:
    stack = resolve(
        CorsOrigins="https://a.example, https://b.example", Variants="small:width=300;icon:width=64,height=64"
    )

    settings = Settings.from_environment(stack.properties("Function")["Environment"]["Variables"])

    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert [variant.name for variant in settings.variants] == ["small", "icon"]


def test_the_handler_exists(stack: Stack) -> None:
    module, _, function = stack.properties("Function")["Handler"].rpartition(".")

    assert importlib.util.find_spec(module)
    assert function == "lambda_handler"


def test_the_function_has_the_given_memory_and_architecture() -> None:
    function = resolve(MemorySize="3008", Architecture="x86_64").properties("Function")

    assert function["Runtime"] == "python3.13"
    assert function["MemorySize"] == "3008"
    assert function["Architectures"] == ["x86_64"]


def test_logs_go_to_the_stack_s_group_which_has_a_retention() -> None:
    stack = resolve(LogRetentionDays="90")

    assert stack.properties("FunctionLogGroup") == {"RetentionInDays": "90"}
    assert stack.properties("Function")["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "<FunctionLogGroup>"}
