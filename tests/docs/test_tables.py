"""The tables of the manual follow from the template and from the options of a transformation."""

from image_processor.transformations.tables import manual_table

from ..template.cloudformation import document
from .pages import manual


def cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def test_the_manual_lists_every_option_of_a_transformation() -> None:
    expected = manual_table()

    assert manual("transformations").table("options") == expected, "it should be:\n" + "\n".join(expected)


def test_the_manual_lists_every_parameter_with_its_default() -> None:
    template = document()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    expected = ["| parameter | default | |", "| --- | --- | --- |"]
    for group in groups:
        expected.append(f"| **{group['Label']['default']}** | | |")
        for name in group["Parameters"]:
            parameter = template["Parameters"][name]
            default = f"`{parameter['Default']}`" if parameter.get("Default") not in (None, "") else ""
            expected.append(f"| `{name}` | {cell(default)} | {cell(parameter['Description'])} |")

    assert manual("parameters").table("parameters") == expected, "it should be:\n" + "\n".join(expected)
    assert sum(len(group["Parameters"]) for group in groups) == len(template["Parameters"])


def test_the_page_of_parameters_refers_to_parameters_that_exist() -> None:
    words = set(manual("parameters").sections()["Which page explains what"].split("`")[1::2])

    assert words
    assert words <= set(document()["Parameters"])
