"""The code of the CloudFront Function as it is deployed: src/edge/viewer_request.js without comments and indentation.

What the build puts before it, `const LADDER = [320, 640];`, is not in it. Run as a program, it prints the code.
"""

from __future__ import annotations

from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "edge" / "viewer_request.js"
MAX_BYTES = 10_240  # CloudFront quotas, "Maximum function size"
LADDER_BYTES = 200  # kept for the line before it


def edge_code() -> str:
    """Return the code, in ASCII; raises `ValueError` when it leaves no room for the ladder."""
    lines = (line.strip() for line in SOURCE.read_text(encoding="utf-8").splitlines())
    code = "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))
    size, allowed = len(code.encode("ascii")), MAX_BYTES - LADDER_BYTES
    if size > allowed:
        raise ValueError(f"{SOURCE.name} has {size} bytes without comments and indentation, allowed: {allowed}")
    return code


if __name__ == "__main__":
    print(edge_code(), end="")
