"""The README's tables say what the template and the grammar say."""

import re
from pathlib import Path

from image_processor.transformations.tables import manual_table

from .cloudformation import document

README = (Path(__file__).parents[2] / "README.md").read_text()


def table(name: str) -> list[str]:
    """The rows of the table between two markers."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert found, f"the README has no table of {name}"
    return found.group(1).splitlines()


def cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def test_the_readme_lists_every_option_of_a_transformation() -> None:
    assert table("options") == manual_table()


def test_the_readme_lists_every_parameter_with_its_default() -> None:
    template = document()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    rows = []
    for group in groups:
        rows.append(f"| **{group['Label']['default']}** | | |")
        for name in group["Parameters"]:
            parameter = template["Parameters"][name]
            default = f"`{parameter['Default']}`" if parameter.get("Default") not in (None, "") else ""
            rows.append(f"| `{name}` | {cell(default)} | {cell(parameter['Description'])} |")

    assert table("parameters") == ["| parameter | default | |", "| --- | --- | --- |", *rows]
    assert sum(len(group["Parameters"]) for group in groups) == len(template["Parameters"])
