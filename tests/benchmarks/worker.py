"""One peer in a process of its own: `python -m tests.benchmarks.worker PEER`. A line of JSON in, a line of JSON out.

    {"source": path}                      reads the source            → {}
    {"targets": […], "into": [paths]}     makes them, all in one go   → {"wall": ms, "cpu": ms, "sizes": [bytes]}

The clocks run from bytes to bytes, inside: neither start nor files nor pipes are in them. `cpu` is what the processor
did for all threads of the process. `into` may be missing.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.cases import Target


def main(peer: str) -> None:
    """Answer until standard input ends."""
    make = importlib.import_module(f"tests.benchmarks.peers.{peer}").make
    _say({"ready": _version(peer)})
    source = b""
    for line in sys.stdin:
        request = json.loads(line)
        if "source" in request:
            source = Path(request["source"]).read_bytes()
            _say({})
            continue
        targets = [Target.of(plain) for plain in request["targets"]]
        begun, used = time.perf_counter(), time.process_time()
        bodies = make(source, targets)
        taken, used = time.perf_counter() - begun, time.process_time() - used
        for path, body in zip(request.get("into", ()), bodies, strict=False):  # the floor makes none
            Path(path).write_bytes(body)
        _say({"wall": 1000 * taken, "cpu": 1000 * used, "sizes": [len(body) for body in bodies]})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
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
