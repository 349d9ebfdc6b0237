"""Renews the manual's tables of options and of parameters: `make tables`.

A table is between two comments, `<!-- options -->` or `<!-- parameters -->`, in README.md or a page of docs/.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "src"))

from image_processor.transformations.tables import manual_table  # noqa: E402 - by the path above


class _Loader(yaml.SafeLoader):
    """YAML that reads CloudFormation's short forms, which the tables don't need, as None."""


_Loader.add_multi_constructor("!", lambda *_: None)  # type: ignore[no-untyped-call]


def parameter_table() -> list[str]:
    """The lines of the manual's table of the template's parameters, in Markdown, by their groups."""
    template = yaml.load((PROJECT / "templates" / "main.yaml").read_text("utf-8"), _Loader)  # noqa: S506 - a safe one
    rows = []
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        rows.append(f"| **{group['Label']['default']}** | | |")
        rows += [_parameter_row(name, template["Parameters"][name]) for name in group["Parameters"]]
    return ["| parameter | default | |", "| --- | --- | --- |", *rows]


def _parameter_row(name: str, parameter: dict[str, Any]) -> str:
    default = parameter.get("Default", "")
    return f"| `{name}` | {_cell(f'`{default}`' if default != '' else '')} | {_cell(parameter['Description'])} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


TABLES: Final[dict[str, Callable[[], list[str]]]] = {"options": manual_table, "parameters": parameter_table}


def renewed(page: str) -> str:
    """The page with the current table between each pair of markers."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = page.partition(start)
        _, closed, after = rest.partition(end)
        if found and closed:
            page = before + start + "".join(f"{line}\n" for line in table()) + end + after
    return page


def main() -> None:
    """Renew the tables of every page."""
    for path in (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))):
        page = path.read_text("utf-8")
        if renewed(page) != page:
            path.write_text(renewed(page), "utf-8")
            print(path.relative_to(PROJECT))


if __name__ == "__main__":
    main()
