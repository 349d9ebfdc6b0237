"""Measures the work of the edge function under njs, from which CloudFront's engine is derived, beside a reference.

CloudFront throttles a function that needs too much of the compute that it allows, and says only how much that is in
per cent. AWS's own sample that verifies a JSON web token needs 19 of 100, so a function may need about five times that.
`edge_reference.js` does the same amount of work. Every code is run anew for each request, as CloudFront runs it, and
the time of an empty function with the same requests is subtracted.

    make bench-edge
"""

import base64
import hashlib
import hmac
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "deployment" / "build"))

import edge_function  # noqa: E402 - by the path above

LIMITS: Final = {"no query": 0.6, "usual": 2.0, "20 options": 4.0}  # times the reference's work
MISSING: Final = "njs is missing: apt-get install njs"
REQUESTS: Final = 2_000  # in a process
ROUNDS: Final = 7  # of which the fastest counts, because other load on the machine only adds time
TWENTY: Final = (
    "width=300&height=200&fit=contain&position=top&format=auto&quality=50&dpr=1.5&background=ff0000&rotate=90"
    "&flip=vertical&crop=10_20_300_400&trim=3&blur=4.5&sharpen=5&brightness=1.2&contrast=1.3&saturation=2&radius=6"
    "&watermark=logo.png&watermark_opacity=50"
)
EMPTY: Final = "function handler(event) { return event.request; }"
REFERENCE: Final = Path(__file__).with_name("edge_reference.js").read_text(encoding="utf-8")


def token() -> str:
    """A valid token of three claims, by the key in edge_reference.js."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "nbf": 1_700_000_000, "exp": 4_000_000_000})
    text = b".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    key = REFERENCE.partition("KEY = '")[2].partition("'")[0]
    return (text + b"." + _base64(hmac.new(key.encode(), text, hashlib.sha256).digest())).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def request(query: str, uri: str = "/cats/rio.jpg") -> dict[str, Any]:
    """A browser's request as CloudFront passes it; each name occurs once in the query."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    accept = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request", "requestId": "EXAMPLE"},
        "viewer": {"ip": "198.51.100.7"},
        "request": {
            "method": "GET",
            "uri": uri,
            "querystring": {name: {"value": value} for name, _, value in pairs},
            "headers": {"host": {"value": "d111111abcdef8.cloudfront.net"}, "accept": {"value": accept}},
            "cookies": {},
        },
    }


CASES: Final[Mapping[str, dict[str, Any]]] = {
    "no query": request("", "/cats/rio.jpg/thumbnail"),
    "usual": request(f"width=300&format=auto&sig={'A' * 43}"),
    "20 options": request(TWENTY),
}


def seconds(code: str, event: dict[str, Any]) -> float:
    """The processor time of a process that runs a code anew for each request."""
    program = (
        f"function once(event) {{\nconst LADDER = [];\n{code}\nreturn handler(event);\n}}\n"
        f"let last;\nfor (let i = 0; i < {REQUESTS}; i += 1) {{ last = once({json.dumps(event)}); }}\n"
        "if (last.statusCode) { throw new Error('refused: ' + JSON.stringify(last)); }\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "run.js")
        script.write_text(program, encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(["njs", script], check=True, capture_output=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def ratios(codes: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """For each code, the work for each case as a multiple of the reference's."""
    signed_in = request(f"jwt={token()}")
    runs = {("reference", "empty"): (EMPTY, signed_in), ("reference", ""): (REFERENCE, signed_in)}
    for case, event in CASES.items():
        runs[case, "empty"] = EMPTY, event
        runs |= {(case, name): (code, event) for name, code in codes.items()}
    best: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        for run, (code, event) in runs.items():
            best[run] = min(seconds(code, event), best.get(run, 60.0))
    reference = best["reference", ""] - best["reference", "empty"]
    return {name: {case: (best[case, name] - best[case, "empty"]) / reference for case in CASES} for name in codes}


def codes() -> dict[str, str]:
    """The edge function as its source has it, and as the template deploys it."""
    template = (PROJECT / "templates" / "main.yaml").read_text(encoding="utf-8")
    source = (PROJECT / "src" / "edge" / "viewer_request.js").read_text(encoding="utf-8")
    return {"source": source, "deployed": edge_function.deployed_code(template)}


def main() -> int:
    """Print the ratios; returns 1 if one is above its limit."""
    if not shutil.which("njs"):
        print(MISSING, file=sys.stderr)
        return 2
    measured = ratios(codes())
    print(f"{'× a JWT verification':24}" + "".join(f"{case:>12}" for case in CASES))
    print(f"{'at most':24}" + "".join(f"{limit:12.1f}" for limit in LIMITS.values()))
    for name, found in measured.items():
        print(f"{name:24}" + "".join(f"{ratio:12.2f}" for ratio in found.values()))
    return int(any(found[case] > limit for found in measured.values() for case, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
