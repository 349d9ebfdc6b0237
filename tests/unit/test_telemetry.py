"""Log lines and metrics stay whole when several messages of a batch are done at once."""

import io
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from image_processor import telemetry
from image_processor.errors import UnsupportedFormat


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
