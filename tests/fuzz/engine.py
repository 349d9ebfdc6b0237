"""Run one target under atheris: `python -m tests.fuzz.engine TARGET [libFuzzer's options and folders]`."""

import sys
from collections import defaultdict
from importlib import import_module
from pkgutil import walk_packages
from random import Random

import atheris

with atheris.instrument_imports(include=["image_processor", "PIL", "pillow_heif"]):
    for plugin in ("Jpeg", "Png", "WebP", "Gif", "Avif", "Tiff", "Bmp", "Ico", "Jpeg2K", "Mpo"):
        import_module(f"PIL.{plugin}ImagePlugin")
    import_module("pillow_heif")
    import_module("image_processor.transformations")
    from image_processor import engine

    for module in walk_packages(engine.__path__, f"{engine.__name__}."):
        import_module(module.name)

from .containers import kind_of
from .mutate import mutate
from .seeds import sources
from .targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv[1]]

    def run(data: bytes) -> None:
        target(data)

    if target is not TARGETS["source"]:
        atheris.Setup([sys.argv[0], *sys.argv[2:]], run)
        atheris.Fuzz()
    donors: defaultdict[str, list[bytes]] = defaultdict(list)
    for source in sources().values():
        donors[kind_of(source) or ""].append(source)

    def changed(data: bytes, most: int, seed: int) -> bytes:
        return mutate(data, most, Random(seed), atheris.Mutate, donors)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], run, custom_mutator=changed)
    atheris.Fuzz()


main()
