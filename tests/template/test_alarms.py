"""Alarms, dashboard, saved queries and traces: who is told what, and what is there to look at."""

import json
import re
from typing import Any

import pytest

from image_processor import telemetry
from image_processor.errors import Throttled

from .cloudformation import Stack, resolve

ALARMS = {  # what each stands for, and a word of what to do
    "DeadLetterAlarm": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "deployment/redrive.sh --stack-name images"),
    "QueueAgeAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "raise MaximumConcurrency"),
    "FunctionErrorAlarm": ("AWS/Lambda", "Errors", "raise MemorySize"),
    "FunctionThrottleAlarm": ("AWS/Lambda", "Throttles", "Lower MaximumConcurrency"),
    "FunctionDurationAlarm": ("AWS/Lambda", "Duration", "raise MemorySize"),
    "ApiErrorAlarm": ("AWS/ApiGateway", "5XXError", "Look for 'fault' in <FunctionLogGroup>"),
    "DeliveryErrorAlarm": ("AWS/Lambda", "Url5xxCount", "Look for 'fault' in <FunctionLogGroup>"),
}
ALARM_TYPE = "AWS::CloudWatch::Alarm"


@pytest.fixture(scope="module")
def stack() -> Stack:
    return resolve(EnableDashboard="true")


def threshold(stack: Stack, name: str) -> float:
    alarm = stack.properties(name)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    return float(alarm["Threshold"])


def test_there_are_exactly_these_alarms(stack: Stack) -> None:
    assert {name: (a["Namespace"], a["MetricName"]) for name, a in stack.of_type(ALARM_TYPE).items()} == {
        name: (namespace, metric) for name, (namespace, metric, _) in ALARMS.items()
    }


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_to_do(stack: Stack, name: str) -> None:
    text = stack.properties(name)["AlarmDescription"]

    assert ALARMS[name][2] in text
    assert len(text) < 800  # CloudWatch takes 1,024, names of the resources included


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_when_it_goes_on_and_off_and_a_quiet_hour_is_no_alarm(stack: Stack, name: str) -> None:
    alarm = stack.properties(name)

    assert alarm["AlarmActions"] == alarm["OKActions"] == ["<AlarmTopic>"]
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("DeadLetterAlarm", {"Name": "QueueName", "Value": "<DeadLetterQueue.QueueName>"}),
        ("QueueAgeAlarm", {"Name": "QueueName", "Value": "<UploadQueue.QueueName>"}),
        ("FunctionErrorAlarm", {"Name": "FunctionName", "Value": "<Function>"}),
        ("FunctionThrottleAlarm", {"Name": "FunctionName", "Value": "<Function>"}),
        ("FunctionDurationAlarm", {"Name": "FunctionName", "Value": "<Function>"}),
        ("ApiErrorAlarm", {"Name": "ApiName", "Value": "images"}),
        ("DeliveryErrorAlarm", {"Name": "FunctionName", "Value": "<Function>"}),
    ],
)
def test_an_alarm_watches_this_stack(stack: Stack, name: str, dimension: dict[str, str]) -> None:
    assert stack.properties(name)["Dimensions"] == [dimension]
    if name == "ApiErrorAlarm":
        assert stack.properties("Api")["Name"] == dimension["Value"]


def test_one_dead_letter_raises_an_alarm_within_a_minute(stack: Stack) -> None:
    alarm = stack.properties("DeadLetterAlarm")

    assert threshold(stack, "DeadLetterAlarm") == 0
    assert alarm["Statistic"] == "Maximum"
    assert alarm["EvaluationPeriods"] * alarm["Period"] <= 60


def test_one_upload_that_is_tried_again_is_not_yet_a_queue_too_old(stack: Stack) -> None:
    # SQS counts a message as the oldest until it was received three times.
    assert threshold(stack, "QueueAgeAlarm") > 3 * stack.properties("UploadQueue")["VisibilityTimeout"]


def test_a_function_near_its_timeout_is_told_before_it_is_ended(stack: Stack) -> None:
    timeout = stack.properties("Function")["Timeout"] * 1000

    assert threshold(stack, "FunctionDurationAlarm") == 0.8 * timeout
    assert stack.properties("FunctionDurationAlarm")["Statistic"] == "Maximum"


def test_a_stack_without_api_has_no_alarm_of_it() -> None:
    assert set(resolve(EnableApi="false").of_type(ALARM_TYPE)) == ALARMS.keys() - {"ApiErrorAlarm"}


@pytest.mark.parametrize("switch", ["EnableCdn", "EnableDelivery"])
def test_a_stack_without_delivery_has_no_alarm_of_it(switch: str) -> None:
    assert set(resolve(**{switch: "false"}).of_type(ALARM_TYPE)) == ALARMS.keys() - {"DeliveryErrorAlarm"}


def test_alarms_are_mailed_to_who_asked() -> None:
    assert resolve(AlarmEmail="ops@example.com").properties("AlarmSubscription") == {
        "TopicArn": "<AlarmTopic>",
        "Protocol": "email",
        "Endpoint": "ops@example.com",
    }


def test_without_an_address_nobody_is_subscribed(stack: Stack) -> None:
    assert not stack.of_type("AWS::SNS::Subscription")


def widgets(stack: Stack) -> list[dict[str, Any]]:
    body = stack.properties("Dashboard")["DashboardBody"]
    return [{"type": widget["type"], **widget["properties"]} for widget in json.loads(body)["widgets"]]


def test_the_dashboard_shows_queue_function_api_delivery_sources_times_and_failures(stack: Stack) -> None:
    assert [widget["title"] for widget in widgets(stack)] == [
        "Queue",
        "Function",
        "API",
        "Delivery",
        "Sources",
        "p99",
        "Failures",
    ]
    assert {widget["region"] for widget in widgets(stack)} == {"eu-central-1"}


def test_each_metric_of_the_dashboard_is_this_stack_s(stack: Stack) -> None:
    shown = json.dumps([widget.get("metrics") for widget in widgets(stack)])

    for name in ("<UploadQueue.QueueName>", "<DeadLetterQueue.QueueName>", "<Function>", '"images"'):
        assert name in shown


def test_the_dashboard_shows_what_the_function_counts_by_code(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageProcessor")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "images")
    telemetry._logger.cache_clear()
    telemetry.invalidation_failed(Throttled("CloudFront is busy"))
    telemetry._logger.cache_clear()
    [counted] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    [metric] = counted["_aws"]["CloudWatchMetrics"]

    assert [one["Name"] for one in metric["Metrics"]] == ["InvalidationsFailed"]
    assert [sorted(dimensions) for dimensions in metric["Dimensions"]] == [["code", "service"]]
    # A search shows all metrics with exactly these dimensions.
    shown = json.dumps([widget.get("metrics") for widget in widgets(stack)])
    assert """SEARCH('{ImageProcessor,service,code} service=\\"images\\"','Sum')""" in shown


def test_queries_ask_the_function_s_log(stack: Stack) -> None:
    queries = stack.of_type("AWS::Logs::QueryDefinition")

    assert len(queries) == 3
    for query in queries.values():
        assert query["Name"].startswith("images/")
        assert query["LogGroupNames"] == ["<FunctionLogGroup>"]
        assert not re.search(r"\n", query["QueryString"])


def test_what_costs_by_the_month_and_what_no_emulator_knows_is_off_unless_asked_for() -> None:
    types = {resource["Type"] for resource in resolve().resources.values()}

    assert not types & {"AWS::CloudWatch::Dashboard", "AWS::Logs::QueryDefinition"}


def test_traces_are_written_when_asked_for_only() -> None:
    for on, mode in (("true", "Active"), ("false", "PassThrough")):
        stack = resolve(EnableTracing=on)
        [policy] = stack.properties("FunctionRole")["Policies"]
        sids = {statement["Sid"] for statement in policy["PolicyDocument"]["Statement"]}

        assert stack.properties("Function")["TracingConfig"] == {"Mode": mode}
        assert ("WriteTraces" in sids) == (on == "true")
