"""`make run`: what it prints, what it stores, what it leaves running, and how it fails."""

import os
import shlex
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from ..docs.pages import commands, manual
from .local import PROJECT, Stack, clean_environment, eventually, free_port, local_aws, picture


def processes_of(state: Path) -> list[str]:
    """What runs with this folder in its command line or environment: the server, and the functions' workers."""
    if Path("/proc/self/cmdline").exists():  # Linux, where a small machine may have no ps
        lines = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended meanwhile
                described = (process / "cmdline").read_bytes() + b" " + (process / "environ").read_bytes()
                lines.append(described.decode(errors="replace").replace("\0", " "))
    else:
        lines = subprocess.run(
            ["ps", "-axeww", "-o", "command"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    return [line for line in lines if str(state) in line]


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(PROJECT / "deployment" / "local.sh"), *arguments]
    return subprocess.run(
        command, env={**clean_environment(), **environment}, capture_output=True, text=True, timeout=240, check=False
    )


def test_what_was_uploaded_and_set_is_there_again_and_nothing_is_left_running(tmp_path: Path) -> None:
    state = tmp_path / "state"
    [command] = commands("".join(manual("local").blocks("sh", "Change parameters")))
    _, *parameters = shlex.split(command)
    with local_aws(state, *parameters) as first:
        Stack(first, first.outputs).upload("stored.jpg", picture())
        Stack(first, first.outputs).served("stored.jpg/thumbnail")
        assert processes_of(state), "or this test would find none left in any case"
    assert first.process.returncode == 0
    assert processes_of(state) == []
    with local_aws(state) as second:
        assert second.outputs["CdnHost"] == first.outputs["CdnHost"]
        assert Stack(second, second.outputs).served("stored.jpg/thumbnail").image.size == (128, 128)
        made = Stack(second, second.outputs).post({"key": "stored.jpg"}).json["renditions"]
        # The port is another one this time, and so are the URLs.
        assert [one["url"].partition("?")[0] for one in made] == [
            f"{second.outputs['CdnUrl']}/stored.jpg/{variant}" for variant in ("thumbnail", "wide")
        ]


def test_each_printed_line_works_as_it_is_printed(tmp_path: Path) -> None:
    with local_aws(tmp_path / "state") as local:
        lines = [line.strip() for line in local.printed.splitlines() if line.startswith("  ")]
        shell = next(line for line in lines if line.startswith("eval "))
        upload = next(line for line in lines if " s3 cp " in line)
        sign = next(line for line in lines if "sign.py" in line)
        post = next(line for line in lines if "curl " in line)
        thumbnail = next(line for line in lines if line.startswith("http://"))
        get = f"curl -sf -o {tmp_path}/thumbnail {thumbnail}"
        command = ["bash", "-euo", "pipefail", "-c", "\n".join([shell, upload, get, sign, f"{post} -sf"])]

        done = subprocess.run(
            command, cwd=PROJECT, env=clean_environment(), capture_output=True, text=True, check=False
        )

        assert done.returncode == 0, done.stderr
        assert local.outputs["CdnUrl"] + "/sample.jpg?width=300" in done.stdout
        assert '"width": 300' in done.stdout
        assert done.stdout.endswith("}\n"), "the shell's prompt is not on the same line"
        assert (tmp_path / "thumbnail").read_bytes().startswith(b"\xff\xd8\xff")


def test_each_step_is_announced_once_with_its_time(tmp_path: Path) -> None:
    with local_aws(tmp_path / "state") as local:
        steps = [line for line in local.printed.splitlines() if line.endswith("…")]

    assert len(steps) == len(set(steps)), steps
    assert [step for step in steps if "sample picture" in step and "seconds" not in step] == []


def test_a_shell_for_a_stack_that_never_ran_is_refused_in_one_line(tmp_path: Path) -> None:
    done = run("--shell", STATE=str(tmp_path))

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "'make run' writes it" in done.stderr


def test_what_is_running_is_neither_started_twice_nor_forgotten(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "server.pid").write_text("1")  # as a crash leaves it, and another process may have the number by now
    (state / "server.endpoint").write_text(f"http://127.0.0.1:{free_port()}")
    with local_aws(state):
        for arguments in ([], ["--clean"]):
            done = run(*arguments, PORT=str(free_port()), STATE=str(state))

            assert (done.returncode, done.stderr.count("\n")) == (1, 1)
            assert "it runs already" in done.stderr
        assert (state / "outputs.json").exists()

    assert run("--clean", STATE=str(state)).returncode == 0
    assert not state.exists()


def test_a_deployment_that_is_refused_ends_the_local_aws_and_says_so(tmp_path: Path) -> None:
    done = run("--parameter", "ApiAuthorization=COGNITO", PORT=str(free_port()), STATE=str(tmp_path / "state"))

    assert done.returncode == 1
    *_, why, end = done.stderr.splitlines()
    assert "ApiAuthorization=COGNITO and ApiUserPoolArn need each other" in why
    assert end == "local.sh: the stack is not deployed, as said above; the local AWS is stopped again"
    assert processes_of(tmp_path / "state") == []


def test_a_port_that_is_taken_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        done = run(PORT=str(port), STATE=str(tmp_path / "state"))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port} is taken" in done.stderr


def test_a_port_that_is_none_is_reported_in_one_line(tmp_path: Path) -> None:
    for port in ("http", "0", "70000"):
        done = run(PORT=port, STATE=str(tmp_path / "state"))

        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "PORT is a number" in done.stderr


def test_a_server_that_dies_ends_it_with_one_line(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with local_aws(state) as local:
        os.kill(int((state / "server.pid").read_text()), signal.SIGKILL)
        eventually(lambda: local.process.poll() is not None)

    said = (tmp_path / "state.printed").read_text().splitlines()[-1]
    assert local.process.returncode == 1
    assert "the local AWS stopped by itself" in said
    assert processes_of(state) == []
