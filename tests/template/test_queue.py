"""Queue and dead-letter queue: uploads wait in the queue, and none is lost without an alarm."""

import pytest

from .cloudformation import Stack, resolve

DAY = 24 * 60 * 60
QUEUES = ["UploadQueue", "DeadLetterQueue"]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve()


def test_the_queue_gets_every_event_that_changes_a_source(stack: Stack) -> None:
    configurations = stack.properties("UploadBucket")["NotificationConfiguration"]["QueueConfigurations"]

    assert {c["Event"]: c["Queue"] for c in configurations} == {
        "s3:ObjectCreated:*": "<UploadQueue.Arn>",
        "s3:ObjectRemoved:*": "<UploadQueue.Arn>",
        "s3:LifecycleExpiration:DeleteMarkerCreated": "<UploadQueue.Arn>",
    }


def test_the_bucket_depends_on_the_queue_s_policy(stack: Stack) -> None:
    assert "UploadQueuePolicy" in stack.references["UploadBucket"]


def test_only_buckets_of_this_account_may_send(stack: Stack) -> None:
    [statement] = [
        statement
        for statement in stack.properties("UploadQueuePolicy")["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]

    assert statement == {
        "Sid": "AllowBucketsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "<UploadQueue.Arn>",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"},
        },
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_denies_plain_http(stack: Stack, queue: str) -> None:
    [policy] = [p for p in stack.of_type("AWS::SQS::QueuePolicy").values() if p["Queues"] == [f"<{queue}>"]]

    assert {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": f"<{queue}.Arn>",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } in policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_encrypted_so_that_s3_can_send(stack: Stack, queue: str) -> None:
    assert stack.properties(queue)["SqsManagedSseEnabled"] is True
    assert "KmsMasterKeyId" not in stack.properties(queue)  # S3 has no permission for the AWS managed key


def test_a_batch_in_process_is_not_received_twice(stack: Stack) -> None:
    assert stack.properties("UploadQueue")["VisibilityTimeout"] >= 6 * stack.properties("Function")["Timeout"]


def test_an_upload_is_received_five_times(stack: Stack) -> None:
    assert stack.properties("UploadQueue")["RedrivePolicy"] == {
        "deadLetterTargetArn": "<DeadLetterQueue.Arn>",
        "maxReceiveCount": 5,
    }


def test_a_dead_letter_stays_14_days_and_longer_than_a_message_can_wait(stack: Stack) -> None:
    waits, rests = (stack.properties(queue)["MessageRetentionPeriod"] for queue in QUEUES)

    assert rests == 14 * DAY
    assert rests > waits


def test_the_function_receives_batches_and_reports_failed_messages() -> None:
    mapping = resolve(MaximumConcurrency="3").properties("UploadQueueMapping")

    assert mapping == {
        "FunctionName": "<Function>",
        "EventSourceArn": "<UploadQueue.Arn>",
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 3},  # a number: a text stops the local emulator's poller
    }
