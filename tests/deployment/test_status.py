"""status.sh with a fake `aws`: one screen of health, with an exit status for cron."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .project import Aws, Project, stack_text

pytestmark = pytest.mark.slow

STACK = "aws-serverless-image-processing"
OUTPUTS = {
    "FunctionName": "f",
    "QueueUrl": "https://sqs/1/live",
    "DeadLetterQueueUrl": "https://sqs/1/dead",
    "ApiUrl": "https://api",
}
ZIP = {"LambdaS3CodeKey": "0cc627188f21aaaa.zip"}
NOW = datetime.now(UTC)
MINUTE = NOW.replace(second=0, microsecond=0) - timedelta(minutes=5)
METRICS = {  # by name and error code; in each of two hours
    ("SourcesProcessed", ""): [600, 4],
    ("SourcesFailed", "corrupt-image"): [2, 1],
    ("SourcesFailed", "too-many-pixels"): [0, 1],
    ("Retries", "throttled"): [4, 0],
    ("Renditions", ""): [99, 99],
    ("Invocations", ""): [1200, 34],
    ("Errors", ""): [0, 0],
    ("Throttles", ""): [0, 7],
    ("UrlRequestCount", ""): [50, 2],
    ("Url4xxCount", ""): [5, 0],
    ("Count", ""): [3, 0],
}  # fmt: skip


def metrics(aws: Aws, oldest: float = 3, values: dict[tuple[str, str], list[int]] = METRICS) -> None:
    """Let CloudWatch have metrics, in whichever order the script asks for them: the program reads it from the fake."""
    own = [key for key in values if key[0][0] in "SRF" or key[0] == "InvalidationsFailed"]
    listed = [
        {
            "Namespace": "ImageProcessor",
            "MetricName": name,
            "Dimensions": [{"Name": "service", "Value": STACK}, *([{"Name": "code", "Value": code}] if code else [])],
        }
        for name, code in own
    ]
    aws.answer("list-metrics", json.dumps({"Metrics": listed}))
    asked = [key for key in own if key[0] == "SourcesProcessed" or key[1]]
    asked += [
        (name, "") for name in ("Invocations", "Errors", "Throttles", "UrlRequestCount", "Url4xxCount", "Url5xxCount")
    ]
    asked += [(name, "") for name in ("Count", "4XXError", "5XXError")]
    times = [MINUTE.isoformat(), (MINUTE - timedelta(hours=3)).isoformat()]
    results: list[dict[str, Any]] = [
        {"Id": f"m{number}", "Label": "", "Timestamps": times if key in values else [], "Values": values.get(key, [])}
        for number, key in enumerate(asked)
    ]
    results.append(
        {"Id": f"m{len(asked)}", "Label": "", "Timestamps": [datetime.now(UTC).timestamp()], "Values": [oldest]}
    )
    aws.answer("get-metric-data", json.dumps({"MetricDataResults": results}))


def queue(aws: Aws, url: str, waiting: int = 0, in_flight: int = 0) -> None:
    attributes = {
        "ApproximateNumberOfMessages": str(waiting),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        "ApproximateNumberOfMessagesDelayed": "0",
    }
    aws.answer(f"get-queue-attributes {url}", json.dumps({"Attributes": attributes}))


def alarm(aws: Aws, state: str) -> None:
    """Let the stack have two alarms, one in OK."""
    resources = [
        {"ResourceType": "AWS::CloudWatch::Alarm", "LogicalResourceId": name, "PhysicalResourceId": f"it-{name}-X"}
        for name in ("DeadLetterAlarm", "QueueAgeAlarm")
    ]
    resources.append({"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "B", "PhysicalResourceId": "b"})
    aws.answer("list-stack-resources", json.dumps({"StackResourceSummaries": resources}))
    described = [
        {
            "AlarmName": "it-QueueAgeAlarm-X",
            "StateValue": "OK",
            "StateUpdatedTimestamp": "2026-11-24T05:40:00.123000+00:00",
        },
        {"AlarmName": "it-DeadLetterAlarm-X", "StateValue": state, "StateUpdatedTimestamp": 1795498776},
    ]
    aws.answer("describe-alarms", json.dumps({"MetricAlarms": described}))


def said(message: str, key: str, at: datetime) -> dict[str, Any]:
    line = {"message": message, "key": key, "release": "1.2.3"}
    return {"timestamp": round(at.timestamp() * 1000), "message": json.dumps(line)}


@pytest.fixture(autouse=True)
def stack(aws: Aws) -> None:
    """A healthy stack."""
    aws.answer("describe-stacks", stack_text("UPDATE_COMPLETE", ZIP, OUTPUTS))
    configuration = {"LastModified": "2026-11-24T05:40:00.123+0000", "LoggingConfig": {"LogGroup": "/log"}}
    aws.answer("get-function-configuration", json.dumps(configuration))
    queue(aws, OUTPUTS["QueueUrl"], waiting=1200, in_flight=20)
    queue(aws, OUTPUTS["DeadLetterQueueUrl"])
    alarm(aws, "INSUFFICIENT_DATA")
    metrics(aws)
    events = [said("published", "b.jpg", MINUTE + timedelta(seconds=9)), said("published", "a.jpg", MINUTE)]
    events.append({"timestamp": round(NOW.timestamp() * 1000), "message": "REPORT of Lambda"})
    aws.answer("filter-log-events", json.dumps({"events": events}))


class Shown:
    """What status.sh has printed, on AWS unless an emulator is given."""

    def __init__(self, project: Project, *options: str, **variables: str) -> None:
        result = project.run("status.sh", *options, **{"AWS_ENDPOINT_URL": "", **variables})
        assert result.stderr == ""
        self.status, self.text = result.returncode, result.stdout
        self.lines = result.stdout.splitlines()
        self.rows = {line[2:18].strip(): line[18:] for line in self.lines if line.startswith("  ")}

    @property
    def reasons(self) -> list[str]:
        """The last lines, after the table."""
        heading = max(
            number for number, line in enumerate(self.lines) if line in ("Unhealthy:", "Could not be found out:")
        )
        return [line.strip() for line in self.lines[heading + 1 :]]


@pytest.fixture
def project(shared_project: Project) -> Project:
    return shared_project


def test_a_healthy_stack_is_shown_on_one_screen(project: Project) -> None:
    shown = Shown(project)

    assert shown.lines[0].startswith(f"Stack {STACK} in eu-central-1, account 123456789012, 20")
    assert {title: text for title, text in shown.rows.items() if title != "last day"} == {
        "stack": "UPDATE_COMPLETE",
        "function": "updated 2026-11-24 05:40 UTC, code 0cc627188f21",
        "queue": "1,200 waiting, the oldest for 3 seconds, 20 in flight",
        "dead letters": "0",
        "last source": f"b.jpg, published {MINUTE:%Y-%m-%d %H:%M} UTC, by release 1.2.3",
        "failed": "corrupt-image 3, too-many-pixels 1",
        "retried": "throttled 4",
        "invocations": "1,234, 0 errors, 7 throttled",
        "new by URL": "52 requests, 5 with 4xx, 0 with 5xx",
        "by the API": "3 requests, 0 with 4xx, 0 with 5xx",
        "alarms": "0 of 2 in ALARM, 1 without data yet",
    }
    assert shown.rows["last day"].startswith("604 sources processed, 4 failed, since 20")
    assert shown.lines[-1] == "Healthy."
    assert (shown.status, len(shown.lines)) == (0, 14)


def test_the_requests_are_as_aws_takes_them(project: Project, aws: Aws) -> None:
    assert Shown(project, "--cost").status == 0

    [request] = aws.requests("get-metric-data")
    since = datetime.fromisoformat(request["StartTime"])
    assert timedelta(hours=24) <= datetime.now(UTC) - since < timedelta(hours=25, minutes=5)
    assert (since.minute, since.second, since.microsecond) == (0, 0, 0)
    queries = [one["MetricStat"] for one in request["MetricDataQueries"]]
    assert {(one["Metric"]["MetricName"], one["Period"], one["Stat"]) for one in queries} >= {
        ("SourcesProcessed", 60, "Sum"), ("Retries", 3600, "Sum"), ("ApproximateAgeOfOldestMessage", 60, "Maximum"),
    }  # fmt: skip
    assert {
        tuple(one["Metric"]["Dimensions"][0].values()) for one in queries if one["Metric"]["Namespace"] == "AWS/SQS"
    } == {("QueueName", "live")}
    [logged] = aws.requests("filter-log-events")
    assert logged["startTime"] == MINUTE.timestamp() * 1000
    assert logged["endTime"] == logged["startTime"] + 120_000
    for operation in ("list-metrics", "list-stack-resources", "describe-alarms", "get-queue-attributes"):
        assert aws.requests(operation)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_works_is_healthy(project: Project, aws: Aws, status: str) -> None:
    aws.answer("describe-stacks", stack_text(status, ZIP, OUTPUTS))

    shown = Shown(project)

    assert shown.status == 0
    assert ("the last update has failed" in shown.rows["stack"]) == ("ROLLBACK" in status)


@pytest.mark.parametrize(
    "status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_IN_PROGRESS"]
)
def test_a_stack_that_failed_is_unhealthy(project: Project, aws: Aws, status: str) -> None:
    aws.answer("describe-stacks", stack_text(status))  # without outputs

    shown = Shown(project)

    assert shown.status == 1
    assert shown.reasons == [f"the stack is in {status}: deploy.sh says what can be done"]


def test_what_is_wrong_is_in_the_last_lines(project: Project, aws: Aws) -> None:
    queue(aws, OUTPUTS["DeadLetterQueueUrl"], waiting=2, in_flight=1)
    alarm(aws, "ALARM")
    metrics(aws, oldest=2400)

    shown = Shown(project, "--quiet")

    assert shown.status == 1
    assert shown.reasons == [
        "a message has waited for 40 minutes: see QueueAgeAlarm in docs/operations.md",
        f"3 dead letters: deployment/redrive.sh --stack-name {STACK} --region eu-central-1 shows the reasons",
        "DeadLetterAlarm is in ALARM since 2026-11-24 05:39 UTC: see DeadLetterAlarm in docs/operations.md",
    ]


def test_an_age_from_long_ago_is_not_that_of_the_oldest_message(project: Project, aws: Aws) -> None:
    """SQS reports none for a queue that was idle for hours."""
    metrics(aws, oldest=2400)
    answered = next(answer for answer in aws.answers if answer[0] == ["get-metric-data"])
    results = json.loads(answered[1])
    results["MetricDataResults"][-1]["Timestamps"] = [(NOW - timedelta(hours=2)).timestamp()]
    aws.answer("get-metric-data", json.dumps(results))

    shown = Shown(project)

    assert (shown.status, shown.rows["queue"]) == (0, "1,200 waiting, 20 in flight")


@pytest.mark.parametrize(
    ("operation", "title"),
    [
        ("get-metric-data", "last day"),
        ("describe-alarms", "alarms"),
        ("get-queue-attributes", "queue"),
        ("get-function-configuration", "function"),
    ],
)
def test_what_aws_does_not_tell_is_unknown_and_the_rest_is_shown(
    project: Project, aws: Aws, operation: str, title: str
) -> None:
    aws.deny(operation, "It", "AccessDenied", "User: me is not authorized")

    shown = Shown(project, "--quiet")

    assert (shown.status, shown.rows[title]) == (2, "unknown")
    assert "(AccessDenied) when calling the It operation: User: me is not authorized" in shown.reasons[-1]
    assert shown.rows["stack"] == "UPDATE_COMPLETE"


def test_what_is_wrong_counts_more_than_what_is_unknown(project: Project, aws: Aws) -> None:
    aws.deny("describe-alarms", "DescribeAlarms", "AccessDenied", "no")
    queue(aws, OUTPUTS["DeadLetterQueueUrl"], waiting=1)

    shown = Shown(project)

    assert shown.status == 1
    assert shown.lines.index("Could not be found out:") < shown.lines.index("Unhealthy:")
    assert shown.reasons[0].startswith("1 dead letter: ")


def test_a_healthy_stack_prints_nothing_with_quiet(project: Project) -> None:
    shown = Shown(project, "--quiet")

    assert (shown.status, shown.text) == (0, "")


def test_a_new_stack_has_no_metrics_yet(project: Project, aws: Aws) -> None:
    metrics(aws, values={})
    alarm(aws, "OK")

    shown = Shown(project)

    assert shown.status == 0
    assert shown.rows["last source"].startswith("none since ")
    assert shown.rows["alarms"] == "0 of 2 in ALARM"
    assert not aws.calls("filter-log-events")


def test_the_last_source_has_its_time_without_its_line(project: Project, aws: Aws) -> None:
    aws.answer("filter-log-events", "")

    assert Shown(project).rows["last source"] == f"{MINUTE:%Y-%m-%d %H:%M} UTC"


def test_a_key_does_not_control_the_terminal(project: Project, aws: Aws) -> None:
    aws.answer("filter-log-events", json.dumps({"events": [said("published", "\x1b[2J\nHealthy.", MINUTE)]}))

    assert Shown(project).rows["last source"].startswith(r"\x1b[2J\x0aHealthy., published")


def cost(aws: Aws, **services: str) -> None:
    groups = [
        {"Keys": [name], "Metrics": {"UnblendedCost": {"Amount": dollars, "Unit": "USD"}}}
        for name, dollars in services.items()
    ]
    aws.answer("get-cost-and-usage", json.dumps({"ResultsByTime": [{"Groups": groups, "Estimated": True}]}))


def test_cost_is_asked_for_only_on_request(project: Project, aws: Aws) -> None:
    cost(aws, Lambda="1.234", S3="20.5")

    Shown(project)
    assert not aws.calls("get-cost-and-usage")
    shown = Shown(project, "--cost")

    assert "$21.73 this month" in shown.rows["cost"]
    assert "S3 $20.50, Lambda $1.23" in shown.text
    [request] = aws.requests("get-cost-and-usage")
    assert request["TimePeriod"]["Start"].endswith("-01")
    assert request["TimePeriod"]["End"] > request["TimePeriod"]["Start"]
    assert request["Filter"] == {"Tags": {"Key": "aws:cloudformation:stack-name", "Values": [STACK]}}


def test_a_tag_that_is_not_activated_is_explained(project: Project, aws: Aws) -> None:
    cost(aws)

    assert "has the tag aws:cloudformation:stack-name" in Shown(project, "--cost").rows["cost"]


def test_an_emulator_has_no_costs(project: Project, aws: Aws) -> None:
    shown = Shown(project, "--cost", AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert shown.rows["cost"] == "not available from this emulator"
    assert not aws.calls("get-cost-and-usage")


def test_a_cost_that_is_not_told_does_not_change_the_health(project: Project, aws: Aws) -> None:
    aws.deny("get-cost-and-usage", "GetCostAndUsage", "AccessDeniedException", "not for you")

    shown = Shown(project, "--cost")

    assert shown.status == 0
    assert "not for you" in shown.rows["cost"]


def test_on_an_emulator_the_counts_come_from_the_log(project: Project, aws: Aws) -> None:
    emf = [
        {
            "_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": name}]}]},
            name: [count],
            **({"code": code} if code else {}),
        }
        for name, code, count in (
            ("SourcesProcessed", "", 2),
            ("SourcesFailed", "no-image", 1),
            ("SourcesFailed", "no-image", 2),
        )
    ]
    lines = [{"timestamp": round(MINUTE.timestamp() * 1000), "message": json.dumps(line)} for line in emf]
    aws.answer("filter-log-events", json.dumps({"events": [*lines, said("published", "a.jpg", MINUTE)]}))

    shown = Shown(project, AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert shown.status == 0
    assert shown.rows["last day"].startswith("2 sources processed, 3 failed")
    assert shown.rows["failed"] == "no-image 3"
    assert shown.rows["last source"].startswith("a.jpg, published")
    assert shown.rows["oldest message"] == shown.rows["invocations"] == "not available from this emulator"
    assert not aws.calls("get-metric-data")
    assert len(aws.requests("filter-log-events")) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--stack-name", "a_b"], "--stack-name may have letters"), (["--what"], "unknown option '--what'")],
)
def test_a_wrong_option_is_not_ill_health(project: Project, options: list[str], message: str) -> None:
    result = project.run("status.sh", *options)

    assert result.returncode == 2
    assert message in result.stderr


def test_a_stack_that_does_not_exist_is_not_ill_health(project: Project, aws: Aws) -> None:
    aws.deny("describe-stacks", "DescribeStacks", "ValidationError", f"Stack with id {STACK} does not exist")

    result = project.run("status.sh")

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"status.sh: there is no stack {STACK}")


def test_missing_credentials_are_not_ill_health(project: Project, aws: Aws) -> None:
    aws.answer("get-caller-identity", error="Unable to locate credentials\n")

    assert project.run("status.sh").returncode == 2


def test_a_response_that_is_not_understood_is_not_ill_health(project: Project, aws: Aws) -> None:
    aws.answer("describe-alarms", '{"MetricAlarms": [{}]}')

    assert project.run("status.sh").returncode == 2
