"""Runs a folder as Lambda would: AWS's runtime client, under AWS's runtime interface emulator (RIE). Linux, no Docker.

    a test ──HTTP──▶ emulator ──runtime API──▶ python -m awslambdaric <handler>, in the folder

The emulator starts the runtime at the first invocation, as Lambda does, and logs how long each phase took.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import platform
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

PROJECT = Path(__file__).parents[2]
ENVIRONMENT = PROJECT / ".venv-runtime"
START_SECONDS, ANSWER_SECONDS, STOP_SECONDS = 10, 60, 5  # each about twenty times the usual duration
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
_RAPID = "lib/python3.*/site-packages/samcli/local/rapid"
_INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_INVOKE = re.compile(r"INVOKE RTDONE\(.*?duration: ([\d.]+)ms\)")


class RuntimeFailed(Exception):
    """The handler could not be loaded, or raised an error; the message has its response and the log."""


def missing() -> str | None:
    """Why a handler can't be run here; None when it can."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        return f"AWS's runtime interface emulator runs on Linux, x86_64 or arm64, not on {platform.platform()}"
    return None


class LambdaRuntime:
    """One execution environment, from its cold start until it is closed; a context manager."""

    def __init__(self, folder: Path, handler: str, environment: Mapping[str, str]) -> None:
        emulator, api = _free_address(), _free_address()
        binary = next(ENVIRONMENT.glob(f"{_RAPID}/aws-lambda-rie-{_ARCHITECTURES[platform.machine()]}"), None)
        if not binary:
            raise RuntimeFailed(f"there is no emulator in {ENVIRONMENT.name}: make runtime")
        self._url = f"http://{emulator}/2015-03-31/functions/function/invocations"
        self._log = TemporaryFile()  # noqa: SIM115 - closed with the runtime
        self._process = subprocess.Popen(
            [
                *(binary, "--runtime-interface-emulator-address", emulator, "--runtime-api-address", api),
                *(ENVIRONMENT / "bin/python", "-m", "awslambdaric", handler),
            ],
            cwd=folder,
            env={**_lambda_environment(folder, handler), **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait_for(emulator)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Invoke the handler and return its result; raises `RuntimeFailed` if there is none."""
        request = urllib.request.Request(self._url, json.dumps(event).encode())  # noqa: S310 - http, on this machine
        try:
            with _direct().open(request, timeout=ANSWER_SECONDS) as response:
                answer = json.loads(response.read() or b"null")
        except OSError as error:  # the emulator's HTTP status for a runtime that has ended, or a timeout
            raise RuntimeFailed(f"{error}\n{self.log()}") from error
        if isinstance(answer, dict) and "errorType" in answer:
            raise RuntimeFailed(f"{answer['errorType']}: {answer.get('errorMessage')}\n{self.log()}")
        return answer

    def log(self) -> str:
        """The output of the emulator and the function."""
        # By its path, not by the descriptor, whose position the writing processes share.
        return Path(f"/proc/self/fd/{self._log.fileno()}").read_text(errors="replace")

    def init_milliseconds(self) -> float:
        """The time from the start of the runtime's process until it requests the first event."""
        [duration] = _INIT.findall(self.log())
        return float(duration)

    def invoke_milliseconds(self) -> list[float]:
        """The time of each invocation, without the emulator's own part."""
        return [float(duration) for duration in _INVOKE.findall(self.log())]

    def peak_megabytes(self) -> float:
        """The most memory that the runtime's process has had resident (VmHWM, proc(5))."""
        [kibibytes] = re.findall(r"VmHWM:\s+(\d+) kB", (self._runtime() / "status").read_text())
        return int(kibibytes) * 1024 / 1e6

    def processor_milliseconds(self) -> float:
        """The processor time of the runtime's process so far, in steps of 10 (utime and stime, proc(5))."""
        fields = (self._runtime() / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def process_id(self) -> int:
        """The id of the runtime's process, in which the function runs."""
        return int(self._runtime().name)

    def close(self) -> None:
        """Stop the emulator, which stops the runtime."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _runtime(self) -> Path:
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/children")  # any of the threads may have started it
        [child] = [child for children in threads for child in children.read_text().split()]
        return Path("/proc", child)

    def _wait_for(self, address: str) -> None:
        host, port = address.split(":")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeFailed(f"the emulator did not start:\n{self.log()}") from error
                time.sleep(0.01)
            else:
                return


def _lambda_environment(folder: Path, handler: str) -> dict[str, str]:
    """The variables that Lambda sets for every function, and none of this machine's."""
    region = "eu-central-1"
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(folder),
        "_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's /var/task can't be written to
    }


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _direct() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
