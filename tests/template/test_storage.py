"""Buckets and table: private, encrypted, over TLS only, and kept when the stack goes."""

from typing import Any

import pytest

from .cloudformation import Stack, resolve

BUCKETS = ["UploadBucket", "ProcessedBucket"]
HOLDS_DATA = [*BUCKETS, "MetadataTable"]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve()


def _statements(stack: Stack, policy: str) -> list[dict[str, Any]]:
    return stack.properties(policy)["PolicyDocument"]["Statement"]


def test_every_bucket_is_looked_at(stack: Stack) -> None:
    assert sorted(stack.of_type("AWS::S3::Bucket")) == sorted(BUCKETS)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_never_public(stack: Stack, bucket: str) -> None:
    assert stack.properties(bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_belongs_to_its_owner_alone(stack: Stack, bucket: str) -> None:
    assert stack.properties(bucket)["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_encrypted(stack: Stack, bucket: str) -> None:
    [rule] = stack.properties(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_refuses_plain_http(stack: Stack, bucket: str) -> None:
    [policy] = [name for name, p in stack.of_type("AWS::S3::BucketPolicy").items() if p["Bucket"] == f"<{bucket}>"]

    assert {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"<{bucket}.Arn>", f"<{bucket}.Arn>/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } in _statements(stack, policy)


def test_an_emulator_without_tls_can_have_the_deny_left_off() -> None:
    stack = resolve(RequireTls="false")

    assert "DenyPlainHttp" not in repr(stack.resources)


@pytest.mark.parametrize("name", HOLDS_DATA)
def test_what_holds_data_outlives_the_stack(stack: Stack, name: str) -> None:
    assert stack.resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_everything_else_goes_with_the_stack(stack: Stack) -> None:
    assert {name for name, resource in stack.resources.items() if "DeletionPolicy" in resource} == set(HOLDS_DATA)


def test_a_source_that_is_overwritten_can_be_brought_back() -> None:
    upload_bucket = resolve(SourceVersionDays="7").properties("UploadBucket")
    rules = {rule["Id"]: rule for rule in upload_bucket["LifecycleConfiguration"]["Rules"]}

    assert upload_bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rules["ExpireNoncurrentVersions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": "7"}
    assert not any("ExpirationInDays" in rule for rule in rules.values())  # never a current one


def test_an_upload_that_was_never_finished_stops_costing(stack: Stack) -> None:
    rules = stack.properties("UploadBucket")["LifecycleConfiguration"]["Rules"]

    assert {"DaysAfterInitiation": 7} in [rule.get("AbortIncompleteMultipartUpload") for rule in rules]
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_no_version_of_a_withdrawn_rendition_stays(stack: Stack) -> None:
    assert "VersioningConfiguration" not in stack.properties("ProcessedBucket")


def test_the_table_finds_the_records_of_a_source(stack: Stack) -> None:
    table = stack.properties("MetadataTable")
    [index] = table["GlobalSecondaryIndexes"]

    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert index["IndexName"] == "by-original-file"
    assert index["KeySchema"] == [{"AttributeName": "original_file", "KeyType": "HASH"}]
    assert index["Projection"] == {"ProjectionType": "ALL"}
    assert {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} == {
        "id": "S",
        "original_file": "S",
    }


def test_the_table_is_encrypted_can_be_restored_and_costs_nothing_idle(stack: Stack) -> None:
    table = stack.properties("MetadataTable")

    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
