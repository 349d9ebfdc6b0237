"""Runs the edge function under node and njs, and builds its requests."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

HERE: Final = Path(__file__).parent
PROJECT: Final = HERE.parents[1]
sys.path.insert(0, str(PROJECT / "deployment" / "build"))

import edge_function  # noqa: E402 - by the path above

REQUEST_ID: Final = "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE=="
SOURCE: Final = (PROJECT / "src" / "edge" / "viewer_request.js").read_text(encoding="utf-8")
DEPLOYED: Final = edge_function.deployed_code((PROJECT / "templates" / "main.yaml").read_text(encoding="utf-8"))


class Answer(NamedTuple):
    """The result for a request: a path, the header for the origin and the version, or an error's message and code."""

    path: str = ""
    header: str | None = None
    version: str | None = None
    error: str | None = None
    code: str | None = None


def event(query: Mapping[str, Any], uri: str = "/cats/rio.jpg", accept: str | None = None) -> dict[str, Any]:
    """A viewer's request as CloudFront passes it, with a header that only a forger sends."""
    headers = {"host": {"value": "pictures.example"}, "x-image-request": {"value": "/forged.jpg?width=5&sig=forged"}}
    if accept is not None:
        headers["accept"] = {"value": accept}
    request = {"method": "GET", "uri": uri, "querystring": query, "headers": headers, "cookies": {}}
    return {
        "version": "1.0",
        "context": {"distributionId": "E1", "eventType": "viewer-request", "requestId": REQUEST_ID},
        "viewer": {"ip": "198.51.100.7"},
        "request": request,
    }


def as_written(query: str) -> dict[str, Any]:
    """A query as CloudFront splits it: percent-encoded, and with the empty name of a superfluous &."""
    parts = [part.partition("=") for part in query.split("&")] if query else []
    return _split([(name, value) for name, _, value in parts])


def as_decoded(query: str) -> dict[str, Any]:
    """A query as the local AWS splits it: decoded."""
    parts = [part.partition("=") for part in query.split("&") if part]
    return _split([(unquote_plus(name), unquote_plus(value)) for name, _, value in parts])


def _split(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    split: dict[str, Any] = {}
    for name, value in pairs:
        if name in split:
            split[name].setdefault("multiValue", [{"value": split[name]["value"]}]).append({"value": value})
        else:
            split[name] = {"value": value}
    return split


def answer(returned: dict[str, Any]) -> Answer:
    """The result that the function returned, after a check that it has every part."""
    if "statusCode" in returned:
        error = json.loads(returned["body"])["error"]
        assert returned == {
            "statusCode": 400,
            "headers": {
                "content-type": {"value": "application/json"},
                "cache-control": {"value": "public, max-age=60"},
                "access-control-allow-origin": {"value": "*"},
            },
            "body": returned["body"],
        }
        assert error == {"code": error["code"], "message": error["message"], "request_id": REQUEST_ID}
        return Answer(error=error["message"], code=error["code"])
    version = returned["querystring"].get("v", {}).get("value")
    assert returned["querystring"] == ({} if version is None else {"v": {"value": version}})
    assert set(returned["headers"]) - {"accept", "x-image-request"} == {"host"}
    assert returned["method"] == "GET"
    return Answer(returned["uri"], returned["headers"].get("x-image-request", {}).get("value"), version)


class Node:
    """A node process that runs the function on events, both as its source has it and as the template deploys it."""

    def __init__(self) -> None:
        node = shutil.which("node")
        assert node, "these tests need node, which `make setup` installs into .venv"
        self._process = subprocess.Popen(
            [node, HERE / "engine.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._send([SOURCE, DEPLOYED])

    def run(self, asked: dict[str, Any], ladder: Sequence[int] = ()) -> Answer:
        self._send({"ladder": list(ladder), "event": asked})
        assert self._process.stdout
        source, deployed = json.loads(self._process.stdout.readline())
        assert "thrown" not in source, source["thrown"]
        assert deployed == source, "the deployed code and its source have different results"
        return answer(deployed["returned"])

    def close(self) -> None:
        self._process.communicate(timeout=10)

    def _send(self, value: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()


def run_njs(njs: str, code: str, events: Sequence[dict[str, Any]], ladder: Sequence[int], folder: Path) -> list[Answer]:
    """Run a code under njs, from which CloudFront's engine is derived."""
    script = folder / "edge.js"
    script.write_text(
        f"const LADDER = {json.dumps(list(ladder))};\n{code}"
        f"const EVENTS = JSON.parse({json.dumps(json.dumps(events))});\n"
        "EVENTS.forEach(event => console.log(JSON.stringify(handler(event))));\n"  # it cuts a line at 2,048 bytes
    )
    printed = subprocess.run([njs, script], check=True, capture_output=True, text=True, encoding="utf-8").stdout
    return [answer(json.loads(line)) for line in printed.splitlines()]
