"""Buckets and table: private, encrypted, over TLS only, and retained when the stack is deleted."""

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


def test_these_tests_cover_every_bucket(stack: Stack) -> None:
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
def test_a_bucket_denies_plain_http(stack: Stack, bucket: str) -> None:
    [policy] = [name for name, p in stack.of_type("AWS::S3::BucketPolicy").items() if p["Bucket"] == f"<{bucket}>"]

    assert {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"<{bucket}.Arn>", f"<{bucket}.Arn>/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } in _statements(stack, policy)


def test_the_deny_can_be_left_out_for_an_emulator_without_tls() -> None:
    stack = resolve(RequireTls="false")

    assert "DenyPlainHttp" not in repr(stack.resources)


@pytest.mark.parametrize("name", HOLDS_DATA)
def test_resources_with_data_are_retained(stack: Stack, name: str) -> None:
    assert stack.resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_every_other_resource_is_deleted_with_the_stack(stack: Stack) -> None:
    assert {name for name, resource in stack.resources.items() if "DeletionPolicy" in resource} == set(HOLDS_DATA)


def test_an_overwritten_source_can_be_restored() -> None:
    upload_bucket = resolve(SourceVersionDays="7").properties("UploadBucket")
    rules = {rule["Id"]: rule for rule in upload_bucket["LifecycleConfiguration"]["Rules"]}

    assert upload_bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rules["ExpireNoncurrentVersions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": "7"}
    assert not any("ExpirationInDays" in rule for rule in rules.values())  # never the current version


def test_an_unfinished_upload_is_aborted(stack: Stack) -> None:
    rules = stack.properties("UploadBucket")["LifecycleConfiguration"]["Rules"]

    assert {"DaysAfterInitiation": 7} in [rule.get("AbortIncompleteMultipartUpload") for rule in rules]
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_a_deleted_rendition_has_no_versions(stack: Stack) -> None:
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


def test_the_table_is_encrypted_restorable_and_paid_by_request(stack: Stack) -> None:
    table = stack.properties("MetadataTable")

    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
