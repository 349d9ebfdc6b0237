"""Log lines and metrics: what they contain, and that concurrent threads neither mix lines nor share notes."""

import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from image_processor import telemetry
from image_processor.errors import Throttled, UnsupportedFormat


class Stdout(io.StringIO):
    """Lets other threads run after each write, as the flush of each write does on Lambda."""

    def write(self, text: str) -> int:
        written = super().write(text)
        time.sleep(0)
        return written


def test_log_lines_of_concurrent_threads_are_not_interleaved(monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "lines-of-threads")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageProcessor")
    stdout = Stdout()
    monkeypatch.setattr(sys, "stdout", stdout)
    telemetry._logger.cache_clear()
    barrier = threading.Barrier(10)

    def fail(number: int) -> None:
        barrier.wait()
        for _ in range(20):
            telemetry.failed(f"{number}.jpg", UnsupportedFormat("the source is empty"))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(fail, range(10)))

    telemetry._logger.cache_clear()
    lines = stdout.getvalue().splitlines()
    assert len(lines) == 2 * 10 * 20
    for line in lines:
        json.loads(line)


@pytest.fixture
def read_lines(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Returns the JSON lines that were written since the last call."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)  # loggers are cached by name, with their stdout
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageProcessor")
    telemetry._logger.cache_clear()
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    telemetry._logger.cache_clear()


def publish(sent_at: float | None = None) -> None:
    with telemetry.working(sent_at):
        telemetry.note(etag="e1", version="v1", bytes_in=4000)
        with telemetry.step("render"):
            time.sleep(0.02)
        for _ in range(2):
            with telemetry.step("store"):
                time.sleep(0.01)
            telemetry.note(bytes_out=100)
        telemetry.published("a.jpg", 2, 0.05)


def test_a_published_source_writes_one_log_line_and_one_set_of_metrics(read_lines):
    publish(sent_at=time.time() - 3)

    line, metrics = read_lines()
    assert (line["message"], line["key"], line["etag"], line["version"]) == ("published", "a.jpg", "e1", "v1")
    assert (line["renditions"], line["bytes_in"], line["bytes_out"], line["milliseconds"]) == (2, 4000, 200, 50)
    assert line["steps_milliseconds"].keys() == {"render", "store"}
    assert line["steps_milliseconds"]["store"] >= 20
    [described] = metrics["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "ImageProcessor"
    assert described["Dimensions"] == [["service"]]
    assert {metric["Name"]: metric["Unit"] for metric in described["Metrics"]} == {
        "SourcesProcessed": "Count",
        "Renditions": "Count",
        "BytesIn": "Bytes",
        "BytesOut": "Bytes",
        "RenderTime": "Milliseconds",
        "StorageTime": "Milliseconds",
        "Lag": "Milliseconds",
    }
    assert (metrics["SourcesProcessed"], metrics["Renditions"], metrics["BytesOut"]) == ([1], [2], [200])
    assert 20 <= metrics["RenderTime"][0] < 1000
    assert 3000 <= metrics["Lag"][0] < 4000


def test_a_value_that_was_not_noted_is_left_out_of_the_metrics(read_lines):
    telemetry.published("gone.jpg", 0, 0.01)

    line, metrics = read_lines()
    assert line["message"] == "withdrawn"
    assert "steps_milliseconds" not in line
    assert {metric["Name"] for metric in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]} == {
        "SourcesProcessed",
        "Renditions",
    }


@pytest.mark.parametrize(
    ("log_failure", "error"), [("failed", UnsupportedFormat("no")), ("will_retry", Throttled("busy"))]
)
def test_a_failure_is_logged_with_what_was_noted_before_it(read_lines, log_failure, error):
    with telemetry.working():
        telemetry.note(etag="e1", bytes_in=10)
        with pytest.raises(ValueError, match="broken"), telemetry.step("render"):
            raise ValueError("broken")
        getattr(telemetry, log_failure)("a.jpg", error)

    line, metrics = read_lines()
    assert (line["etag"], line["bytes_in"], line["code"]) == ("e1", 10, error.code)
    assert "render" in line["steps_milliseconds"]
    assert metrics["code"] == error.code


def test_notes_of_one_source_never_appear_in_the_line_of_another(read_lines):
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        for iteration in range(3):
            with telemetry.working():
                telemetry.note(etag=f"{number}-{iteration}", bytes_in=1)
                barrier.wait()
                telemetry.published(f"{number}-{iteration}", 1, 0.0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    telemetry.published("outside", 1, 0.0)

    lines = [line for line in read_lines() if "key" in line]
    assert len(lines) == 25
    for line in lines:
        assert line.get("etag", "outside") == line["key"]
        assert line.get("bytes_in", 1) == 1
