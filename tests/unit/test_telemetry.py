"""Log lines and metrics stay whole when several messages of a batch are done at once."""

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
    """Lets other threads go on after each write, as Lambda's does by flushing."""

    def write(self, text: str) -> int:
        written = super().write(text)
        time.sleep(0)
        return written


def test_lines_of_several_threads_do_not_run_into_each_other(monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "lines-of-threads")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageProcessor")
    stdout = Stdout()
    monkeypatch.setattr(sys, "stdout", stdout)
    telemetry._logger.cache_clear()
    together = threading.Barrier(10)

    def fail(number: int) -> None:
        together.wait()
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
def written(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was written until it is asked for, a line each."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)  # a logger of a name keeps to its first stdout
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ImageProcessor")
    telemetry._logger.cache_clear()
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    telemetry._logger.cache_clear()


def publish(since: float | None = None) -> None:
    with telemetry.working(since):
        telemetry.note(etag="e1", version="v1", bytes_in=4000)
        with telemetry.step("render"):
            time.sleep(0.02)
        for _ in range(2):
            with telemetry.step("store"):
                time.sleep(0.01)
            telemetry.note(bytes_out=100)
        telemetry.published("a.jpg", 2, 0.05)


def test_a_source_is_one_line_and_one_set_of_metrics(written):
    publish(since=time.time() - 3)

    line, metrics = written()
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


def test_what_was_not_noted_is_no_metric(written):
    telemetry.published("gone.jpg", 0, 0.01)

    line, metrics = written()
    assert line["message"] == "withdrawn"
    assert "steps_milliseconds" not in line
    assert {metric["Name"] for metric in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]} == {
        "SourcesProcessed",
        "Renditions",
    }


@pytest.mark.parametrize(("tell", "error"), [("failed", UnsupportedFormat("no")), ("will_retry", Throttled("busy"))])
def test_a_failure_says_how_far_it_came(written, tell, error):
    with telemetry.working():
        telemetry.note(etag="e1", bytes_in=10)
        with pytest.raises(ValueError, match="broken"), telemetry.step("render"):
            raise ValueError("broken")
        getattr(telemetry, tell)("a.jpg", error)

    line, metrics = written()
    assert (line["etag"], line["bytes_in"], line["code"]) == ("e1", 10, error.code)
    assert "render" in line["steps_milliseconds"]
    assert metrics["code"] == error.code


def test_sources_of_several_threads_and_one_after_another_are_kept_apart(written):
    together = threading.Barrier(8)

    def work(number: int) -> None:
        for lap in range(3):
            with telemetry.working():
                telemetry.note(etag=f"{number}-{lap}", bytes_in=1)
                together.wait()
                telemetry.published(f"{number}-{lap}", 1, 0.0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    telemetry.published("outside", 1, 0.0)

    lines = [line for line in written() if "key" in line]
    assert len(lines) == 25
    for line in lines:
        assert line.get("etag", "outside") == line["key"]
        assert line.get("bytes_in", 1) == 1
