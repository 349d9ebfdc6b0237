"""Trims the data that botocore reads while it creates a client, because each byte takes time at every cold start.

    trim_botocore.py FOLDER SERVICE...   FOLDER is botocore's data

The program deletes every other service, in files and in the list of endpoints, and the documentation in a service's
model. The rest behaves the same, in every region. Files are decompressed, because the zip compresses them again.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any


def trim(data: Path, services: list[str]) -> None:
    """Trim in place; ValueError for a service that isn't there."""
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in services:
            shutil.rmtree(folder)
    for service in services:
        versions = sorted(data.glob(f"{service}/*/"))
        if not versions:
            raise ValueError(f"{data} has no {service}")
        for older in versions[:-1]:  # earlier versions of the service's API
            shutil.rmtree(older)
    for packed in data.rglob("*.json.gz"):
        content = json.loads(gzip.decompress(packed.read_bytes()))
        _write(packed.with_suffix(""), _without_documentation(content))
        packed.unlink()
    endpoints = data / "endpoints.json"
    content = json.loads(endpoints.read_text())
    for partition in content["partitions"]:
        partition["services"] = {name: at for name, at in partition["services"].items() if name in services}
    _write(endpoints, content)


def _without_documentation(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_documentation(part) for part in node]
    if not isinstance(node, dict):
        return node
    # Empty and not absent, because botocore reads it at some places. A member of a shape that has this name is no text.
    return {
        name: "" if name == "documentation" and isinstance(part, str) else _without_documentation(part)
        for name, part in node.items()
    }


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")))


if __name__ == "__main__":
    trim(Path(sys.argv[1]), sys.argv[2:])
