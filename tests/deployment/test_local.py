"""local.sh without a local AWS: what it refuses before it starts one. tests/e2e starts it."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from .project import Project

pytestmark = pytest.mark.slow


@pytest.fixture
def project(shared_project: Project) -> Project:
    return shared_project


class Healthy(BaseHTTPRequestHandler):
    """Answers as a local AWS that runs."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running() -> Iterator[str]:
    """The endpoint of a local AWS that says that it runs."""
    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def free_endpoint() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_shell_for_a_local_aws_that_does_not_run_is_refused_in_one_line(project: Project, tmp_path: Path) -> None:
    endpoint = free_endpoint()
    (tmp_path / "outputs.json").write_text(json.dumps({"CdnHost": "a", "Endpoint": endpoint, "X": "b"}, indent=2))

    done = project.run("local.sh", "--shell", STATE=str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"local.sh: can't reach {endpoint}: is 'make run' running?\n"


def test_a_shell_for_a_local_aws_that_runs_is_printed(project: Project, tmp_path: Path) -> None:
    with running() as endpoint:
        (tmp_path / "outputs.json").write_text(json.dumps({"CdnHost": "a", "Endpoint": endpoint}, indent=2))

        done = project.run("local.sh", "--shell", STATE=str(tmp_path), http_proxy="http://127.0.0.1:9")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"\nEndpoint={endpoint}\n" in done.stdout


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("MemorySize=1G", "--parameter MemorySize=1G: it must be a number from 512 to 10240"),
        ("Memory=512", "no parameter 'Memory'; there are: Architecture"),
        ("-x", "--parameter is Name=value, not '-x'"),
    ],
)
def test_a_wrong_parameter_is_refused_before_a_local_aws_is_started(
    project: Project, tmp_path: Path, parameter: str, said: str
) -> None:
    done = project.run("local.sh", "--parameter", parameter, STATE=str(tmp_path / "state"))

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"local.sh: {said}")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("arguments", "second"), [([], True), (["--clean"], False)])
def test_a_second_local_aws_is_suggested_to_who_wants_to_start_one(
    project: Project, tmp_path: Path, arguments: list[str], *, second: bool
) -> None:
    with running() as endpoint:
        (tmp_path / "server.endpoint").write_text(endpoint)

        done = project.run("local.sh", *arguments, STATE=str(tmp_path))

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "it runs already" in done.stderr
    assert ("A second local AWS" in done.stderr) == second
