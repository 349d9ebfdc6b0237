"""Messages of a batch are worked on at once, their pixels one after the other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from image_processor import pipeline as pipeline_module

from .pictures import encode

SOURCES = {f"{number}.png": encode(Image.new("RGB", (40, 30), (number, 0, 0)), "png") for number in range(8)}


def test_sources_published_at_once_are_all_right(pipeline, s3, table):
    etags = {key: s3.upload(key, body) for key, body in SOURCES.items()}

    with ThreadPoolExecutor(max_workers=len(SOURCES)) as pool:
        list(pool.map(pipeline.publish, SOURCES))

    assert s3.renditions() == {f"{key}/{name}": etag for key, etag in etags.items() for name in ("thumbnail", "wide")}
    assert len(table.items) == 2 * len(SOURCES)


def test_only_one_source_has_its_pixels_in_memory(pipeline, s3, monkeypatch):
    for key, body in SOURCES.items():
        s3.upload(key, body)
    two_at_once = threading.Barrier(2)
    render = pipeline_module.render

    def rendering(*arguments):
        with pytest.raises(threading.BrokenBarrierError):  # nobody else came here within the time
            two_at_once.wait(timeout=0.1)
        two_at_once.reset()
        return render(*arguments)

    monkeypatch.setattr(pipeline_module, "render", rendering)

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(pipeline.publish, list(SOURCES)[:2]))

    assert len(s3.renditions()) == 4
