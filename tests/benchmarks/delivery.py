"""Measures how long a picture takes by its URL, on a local AWS: `.venv/bin/python -m tests.benchmarks.delivery SOURCE`.

Each round requests a picture that is not stored, the same picture once it is stored, and one that is too large for the
function's response, which is rendered and then fetched from the bucket by a redirect. Before each round, the renditions
are deleted from the bucket. AWS is a process on this machine, so the times include neither a network nor a cold start.
Prints a line of JSON.
"""

import io
import json
import os
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from PIL import Image

from tests.benchmarks.latency import WIDTH
from tests.e2e.local import PROJECT, Answer, Stack, local_aws
from tests.e2e.urls import Author, made

SCRATCH: Final = PROJECT / "build" / "bench"
ROUNDS: Final = 25
NOISE: Final = (1300, 1300)  # of which a PNG has 5 MB, more than the function's response may have


def compare(source: bytes, rounds: int = ROUNDS) -> dict[str, Any]:
    """Milliseconds of each request, the function's own steps among them; raises `RuntimeError` for another response."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=SCRATCH) as folder, local_aws(Path(folder) / "state") as local:
        stack = Stack(local, local.outputs)
        stack.upload("12mp.jpg", source)
        stack.upload("noise.png", noise())
        for key in ("12mp.jpg", "noise.png"):
            stack.served(f"{key}/thumbnail")
        author = Author(stack, Author(stack).current_key)
        small, large = author.url("/12mp.jpg", width=WIDTH), author.url("/noise.png", format="auto")
        times: dict[str, list[float]] = {"stored": [], "made": [], "redirect": [], "large": []}
        steps: dict[str, list[int]] = {}
        for number in range(rounds + 1):  # the first warms up
            delete_renditions(stack)
            responses, taken = ask_all(stack, small, large)
            if number:
                for name, milliseconds in taken.items():
                    times[name].append(milliseconds)
                for name, duration in steps_of(responses["made"]).items():
                    steps.setdefault(name, []).append(duration)
        return {"times": times, "steps": steps, "bytes": len(responses["large"].body)}


def ask_all(stack: Stack, small: str, large: str) -> tuple[dict[str, Answer], dict[str, float]]:
    """One round: the responses, and their milliseconds."""
    responses, taken = {}, {}

    def ask(name: str, url: str) -> Answer:
        begun = time.perf_counter()
        responses[name] = stack.ask(url)
        taken[name] = 1000 * (time.perf_counter() - begun)
        return responses[name]

    ask("made", small)
    ask("stored", small)
    ask("large", ask("redirect", large).headers.get("location", large))
    found = {name: (response.status, made(response)) for name, response in responses.items()}
    wanted = {"made": (200, True), "stored": (200, False), "redirect": (302, False), "large": (200, False)}
    if found != wanted:
        raise RuntimeError(f"statuses, and whether the function responded: {found}, wanted {wanted}")
    return responses, taken


def delete_renditions(stack: Stack) -> None:
    """Delete the renditions from the bucket, except the variants."""
    client, bucket = stack.local.client("s3"), stack.outputs["ProcessedBucketName"]
    for key in stack.renditions():
        if "=" in key:
            client.delete_object(Bucket=bucket, Key=key)


def noise() -> bytes:
    """A picture that no encoder makes smaller."""
    dice = random.Random("noise")  # noqa: S311 - a picture, not a secret
    body = io.BytesIO()
    Image.frombytes("RGB", NOISE, dice.randbytes(3 * NOISE[0] * NOISE[1])).save(body, "PNG")
    return body.getvalue()


def steps_of(response: Answer) -> dict[str, int]:
    """The function's Server-Timing: step → milliseconds."""
    parts = (part.split(";dur=") for part in response.headers["server-timing"].split(", "))
    return {name: int(duration) for name, duration in parts}


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # the benchmarks run on one core, but a client and its server need two
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    sys.stdout.write(json.dumps(compare(Path(sys.argv[1]).read_bytes())) + "\n")
