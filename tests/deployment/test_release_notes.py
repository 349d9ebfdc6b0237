"""release_notes.py: a tag is released only for the version of the code, with that version's section as its notes."""

import subprocess
import sys

import pytest

from image_processor import __version__

from .project import PROJECT, error_line

sys.path.insert(0, str(PROJECT / "deployment" / "build"))

from release_notes import notes

CHANGELOG = """# Changelog

What users notice.

## Unreleased

- Soon.

## 1.10.0 - 2026-12-24

### Added

- A feature.

## 1.1.0 - 2026-12-01

- Older.

## 1.0.0

- Without a date.
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(PROJECT / "deployment/build/release_notes.py"), *arguments]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def test_the_notes_are_the_section_of_the_version_alone() -> None:
    assert notes(CHANGELOG, "1.10.0") == "### Added\n\n- A feature."
    assert notes(CHANGELOG, "1.1.0") == "- Older."


@pytest.mark.parametrize("version", ["1.0.0", "1.1", "1.1.00", "1x1.0", "Unreleased", "2.0.0"])
def test_a_version_without_a_dated_section_has_no_notes(version: str) -> None:
    with pytest.raises(ValueError, match=f"needs one section '## {version} - YYYY-MM-DD'"):
        notes(CHANGELOG, version)


def test_a_section_without_text_has_no_notes() -> None:
    with pytest.raises(ValueError, match="needs one section"):
        notes("## 1.0.0 - 2026-11-27\n\n## 0.9.0 - 2026-11-26\n\n- Older.\n", "1.0.0")


def test_the_version_of_the_code_can_be_released() -> None:
    result = run(f"v{__version__}")

    assert result.returncode == 0, result
    assert len(result.stdout.splitlines()) > 1


@pytest.mark.parametrize("tag", [__version__, f"v{__version__}-rc1", "v0.0.0", "main", ""])
def test_a_tag_of_another_version_is_refused(tag: str) -> None:
    assert f"the tag is '{tag}', and __version__" in error_line(run(tag))
