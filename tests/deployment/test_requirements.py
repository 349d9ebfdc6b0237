"""The function's requirements: requirements.txt has the hashes of the very versions that development installs."""

import re

from .project import PROJECT

FUNCTION = PROJECT / "src/image_processor"


def pins(text: str) -> list[str]:
    """Return each name and version, as pip compares them."""
    return sorted(re.sub("[-_.]+", "-", pin.lower()) for pin in re.findall(r"^([\w.-]+==[^\s;]+)", text, re.MULTILINE))


def test_the_hashed_requirements_are_the_pins() -> None:
    pinned, hashed = ((FUNCTION / name).read_text() for name in ("requirements.in", "requirements.txt"))
    assert len(pins(pinned)) > 10
    assert pins(hashed) == pins(pinned), "make hashes renews requirements.txt"


def test_every_package_has_hashes_of_its_files() -> None:
    text = (FUNCTION / "requirements.txt").read_text()
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    assert re.fullmatch(r"(\S+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n)+", lines)
    assert "://" not in text, "an address of an index belongs into pip's own configuration"


def test_development_installs_the_same_pins() -> None:
    text = (PROJECT / "requirements.txt").read_text()
    assert "-r src/image_processor/requirements.in\n" in text
    assert not set(pins(text)) & set(pins((FUNCTION / "requirements.in").read_text()))
