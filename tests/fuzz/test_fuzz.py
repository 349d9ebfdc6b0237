"""The parts of the fuzzer work: its seeds, how it splits and joins files, how it changes them."""

from collections import defaultdict
from random import Random

import pytest
from PIL import Image

from image_processor.engine.render import render

from . import targets
from .containers import CONTAINERS, kind_of
from .mutate import mutate
from .seeds import sources, texts
from .targets import LIMITS, STILL, parse_text, render_source

pytestmark = pytest.mark.slow

SOURCES = sources()
SPLIT = {name: kind_of(source) for name, source in SOURCES.items() if kind_of(source)}


@pytest.mark.parametrize("name", SPLIT)
def test_a_source_taken_apart_is_itself_when_put_together(name):
    container = CONTAINERS[SPLIT[name]]

    parts = container.split(SOURCES[name])

    assert any(part.name for part in parts)
    assert container.join(parts) == SOURCES[name]


@pytest.mark.parametrize("name", SOURCES)
def test_a_seed_is_rendered_if_its_format_is_read(name):
    # The bytes of a seed select another option, which a source of few pixels may not allow.
    assert render_source(SOURCES[name]) in ("rendered", "UnsupportedFormat", "InvalidTransformation")
    assert render(SOURCES[name], [STILL], LIMITS)[0].width == 8


@pytest.mark.parametrize("name", SOURCES)
def test_a_seed_cut_at_any_sixteenth_breaks_nothing(name):
    for part in range(16):
        assert render_source(SOURCES[name][: len(SOURCES[name]) * part // 16]) != "SourceTooLarge"


@pytest.mark.parametrize("name", texts())
def test_the_text_of_a_seed_is_read_or_refused(name):
    assert parse_text(texts()[name]) in ("read", "InvalidTransformation")


def test_most_changed_sources_still_have_their_format_and_many_are_read():
    donors = defaultdict(list)
    for source in SOURCES.values():
        donors[kind_of(source)].append(source)
    png = SOURCES["png"]

    changed = [mutate(png, 1 << 16, Random(seed), lambda body, _: body[::-1], donors) for seed in range(200)]

    assert sum(kind_of(source) == "png" for source in changed) > 150
    assert len(set(changed)) > 100
    assert sum(render_source(source) == "rendered" for source in changed) > 40


def test_a_target_raises_what_is_not_the_engine_s_own_error(monkeypatch):
    def broken(*_):
        raise KeyError("planted")

    monkeypatch.setattr(Image, "open", broken)
    assert render_source(SOURCES["png"]) == "CorruptImage"  # as Pillow's decoders raise it

    monkeypatch.setattr(targets, "render", broken)
    with pytest.raises(KeyError):
        render_source(SOURCES["png"])
