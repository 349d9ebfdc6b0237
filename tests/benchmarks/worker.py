"""Runs one peer in a separate process: `python -m tests.benchmarks.worker PEER`. A line of JSON in, a line of JSON out.

    {"source": path}                      reads the source            → {}
    {"targets": […], "into": [paths]}     renders them in one call    → {"wall": ms, "cpu": ms, "sizes": [bytes]}

The clocks run from the source's bytes to the pictures' bytes, without the start, files and pipes. `cpu` is the
processor time of all threads of the process. `into` may be missing.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.cases import Target


def main(peer: str) -> None:
    """Respond to requests until standard input ends."""
    make = importlib.import_module(f"tests.benchmarks.peers.{peer}").make
    _respond({"ready": _version(peer)})
    source = b""
    for line in sys.stdin:
        request = json.loads(line)
        if "source" in request:
            source = Path(request["source"]).read_bytes()
            _respond({})
            continue
        targets = [Target.of(plain) for plain in request["targets"]]
        begun, used = time.perf_counter(), time.process_time()
        bodies = make(source, targets)
        taken, used = time.perf_counter() - begun, time.process_time() - used
        for path, body in zip(request.get("into", ()), bodies, strict=False):  # the floor renders none
            Path(path).write_bytes(body)
        _respond({"wall": 1000 * taken, "cpu": 1000 * used, "sizes": [len(body) for body in bodies]})


def _respond(response: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(response) + "\n")
    sys.stdout.flush()


def _version(peer: str) -> str:
    if peer == "libvips":
        import pyvips

        return f"pyvips {pyvips.__version__}, libvips {'.'.join(str(pyvips.version(part)) for part in range(3))}"
    import PIL

    pillow = f"Pillow {PIL.__version__}"
    if peer == "thumbor":
        import thumbor

        return f"thumbor {thumbor.__version__}, {pillow}"
    return pillow


if __name__ == "__main__":
    main(sys.argv[1])
