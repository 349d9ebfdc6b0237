"""Log lines and metrics of the handler."""

import json

import pytest

from image_processor import __version__

from .buckets import picture, rendition, upload
from .events import CONTEXT, invoke, messages, notification

pytestmark = pytest.mark.usefixtures("environment")


def test_a_source_writes_one_log_line_and_one_set_of_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    upload("rio.jpg", picture())

    invoke(messages(notification("rio.jpg")))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line.get("message") == "published"]
    assert (line["key"], line["renditions"]) == ("rio.jpg", 1)
    assert line["function_request_id"] == CONTEXT.aws_request_id
    assert line["release"] == __version__
    assert line["steps_milliseconds"].keys() == {"read", "render", "put", "record", "look"}
    assert (line["bytes_in"], line["bytes_out"]) == (
        len(picture()),
        rendition("rio.jpg/thumbnail")["ContentLength"],
    )
    assert line["lag_milliseconds"] > 0  # since the recorded message was sent
    [metrics] = [line for line in lines if "_aws" in line]
    assert metrics["SourcesProcessed"] == [1.0]
    assert {"BytesIn", "BytesOut", "RenderTime", "StorageTime", "Lag"} < metrics.keys()


def test_a_failure_is_counted_by_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    upload("bad.jpg", b"text")

    invoke(messages(notification("bad.jpg")))

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [(metric["SourcesFailed"], metric["code"]) for metric in metrics] == [([1.0], "unsupported-format")]
