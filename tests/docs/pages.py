"""Reads the project's Markdown: its pages, headings, links, tables and code blocks, as GitHub shows them."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[2]
MANUAL = PROJECT / "docs"
_FENCE = re.compile(r"^( *)(`{3,}|~{3,})(\S*)[^\n]*\n(.*?)^ *\2 *$\n?", re.DOTALL | re.MULTILINE)
_INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)


class Block(NamedTuple):
    """A fenced code block: its language, and its text without the indentation of the fence."""

    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """A Markdown text and its path in the project."""

    path: str
    text: str

    def blocks(self, language: str, section: str | None = None) -> list[str]:
        """The code blocks of a language, in the whole page or in one of its `sections`."""
        text = self.text if section is None else self.sections()[section]
        return [block.text for block in _blocks(text) if block.language == language]

    def sections(self) -> dict[str, str]:
        """The texts of the sections of the second level, by their headings; what stands before them is by ''."""
        masked = _FENCE.sub(_masked, self.text)
        starts = [
            ("", 0, 0),
            *((found[1], *found.span()) for found in re.finditer(r"^## (.+)\n", masked, re.MULTILINE)),
        ]
        ends = [start for _, start, _ in starts[1:]] + [len(masked)]
        return {name: self.text[begin:end] for (name, _, begin), end in zip(starts, ends, strict=True)}

    def table(self, marker: str) -> list[str]:
        """The lines between `<!-- marker -->` and `<!-- /marker -->`."""
        found = re.search(rf"<!-- {marker} -->\n(.*?)<!-- /{marker} -->", self.text, re.DOTALL)
        assert found, f"{self.path} has nothing between <!-- {marker} --> and <!-- /{marker} -->"
        return found[1].splitlines()

    def headings(self) -> list[tuple[int, str]]:
        """Level and text of each heading."""
        prose = _FENCE.sub("", self.text)
        return [(len(marks), text) for marks, text in re.findall(r"^(#{1,6}) +(.+?) *#*$", prose, re.MULTILINE)]

    def anchors(self) -> set[str]:
        """The fragments that a link into this page may name."""
        found: dict[str, int] = {}
        anchors = set()
        for _, heading in self.headings():
            name = slug(heading)
            count = found.get(name, 0)
            found[name] = count + 1
            anchors.add(f"{name}-{count}" if count else name)
        return anchors | set(re.findall(r"""<[a-z]+\b[^>]*\s(?:id|name)=["']([^"']+)["']""", self._prose()))

    def links(self) -> list[str]:
        """The targets of all links and images: in brackets, by reference, in HTML, and automatic ones."""
        prose = self._prose()
        targets = re.findall(r"\]\(\s*<?((?:[^\s()<>]|\([^\s()]*\))*)>?(?:\s+[\"'][^)]*[\"'])?\s*\)", prose)
        targets += re.findall(r"^ {0,3}\[[^\]^]+\]: *<?([^\s>]+)>?", prose, re.MULTILINE)
        targets += re.findall(r"""<(?:a|img|source)\b[^>]*\s(?:href|src|srcset)=["']([^"']*)["']""", prose)
        targets += re.findall(r"<([a-z][a-z0-9+.-]*:[^\s<>]+)>", prose)
        return targets

    def undefined_references(self) -> set[str]:
        """The names in `[text][name]` that no line `[name]: target` defines."""
        prose = self._prose()
        defined = {name.lower() for name in re.findall(r"^ {0,3}\[([^\]^]+)\]:", prose, re.MULTILINE)}
        return {name for name in re.findall(r"\]\[([^\]]+)\]", prose) if name.lower() not in defined}

    def _prose(self) -> str:
        return _INLINE_CODE.sub("`code`", _FENCE.sub("", self.text))


@cache
def pages() -> Mapping[str, Page]:
    """All Markdown files of the project, by their paths, those included that are not committed yet."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, encoding="utf-8").stdout
    paths = sorted({path for path in listed.split("\0") if path and (PROJECT / path).exists()})
    return {path: Page(path, (PROJECT / path).read_text(encoding="utf-8")) for path in paths}


def manual(name: str) -> Page:
    """A page of the manual, by its name without `.md`."""
    return pages()[f"docs/{name}.md"]


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading, without the number of a repeated one."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # a link or an image counts by its text
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def commands(text: str) -> list[str]:
    """The commands of code blocks, a line each: continued lines are joined, comments and blank lines left out."""
    lines = re.sub(r"\\\n *", "", text).splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _blocks(text: str) -> Iterator[Block]:
    for indent, _, language, body in _FENCE.findall(text):
        yield Block(language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE))


def _masked(fence: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", fence[0])
