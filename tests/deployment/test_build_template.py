"""build_template.py: the template that is deployed is the one that is read, with the edge function's code in it."""

import re
import subprocess
import sys

import pytest
import yaml

from .project import PROJECT, Project

sys.path.insert(0, str(PROJECT / "deployment" / "build"))

from build_template import PLACE, build
from edge_code import LADDER_BYTES, edge_code

TEMPLATE = (PROJECT / "templates/main.yaml").read_text()


class Template(yaml.SafeLoader):
    """YAML in which CloudFormation's short forms are lists."""


Template.add_constructor("!Join", lambda loader, node: loader.construct_sequence(node, deep=True))  # type: ignore[no-untyped-call]
Template.add_multi_constructor("!", lambda *_: "a reference")  # type: ignore[no-untyped-call]


def code_in(template: str) -> list[str]:
    """Return the parts that the template joins to the edge function's code."""
    function = yaml.load(template, Template)["Resources"]["ViewerRequest"]["Properties"]  # noqa: S506
    separator, parts = function["FunctionCode"]
    assert separator == ""
    return parts


@pytest.mark.parametrize(
    "code",
    [edge_code(), "a();\n", "a();\n\nif (b) {\n  c('#: - |');\n}\n", "`${d} \\ \" ' % & *` // e: f\n"],
    ids=["the project's", "one line", "several", "signs"],
)
def test_the_code_arrives_as_it_is_behind_the_ladder(code: str) -> None:
    assert code_in(build(TEMPLATE, code)) == ["const LADDER = [", "a reference", "];\n", code]


def test_all_else_stays_as_it_is() -> None:
    built, code = build(TEMPLATE, "a();\nb();\n"), "          - |\n            a();\n            b();\n"
    before, found, after = built.partition(code)

    assert found
    assert TEMPLATE.startswith(before)
    assert TEMPLATE.endswith(after)
    assert TEMPLATE[len(before) : len(TEMPLATE) - len(after)].strip().startswith(f"- {PLACE}")


def test_the_template_that_is_read_has_a_place_for_the_code_and_the_built_one_has_none_left() -> None:
    assert code_in(TEMPLATE)[-1] == PLACE
    assert PLACE not in build(TEMPLATE, edge_code())


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (TEMPLATE.replace(PLACE, "ELSEWHERE"), "a();\n"),
        (TEMPLATE + f"          - {PLACE}\n", "a();\n"),
        (TEMPLATE, ""),
        (TEMPLATE, "\n"),
        (TEMPLATE, " a();\n"),
        (TEMPLATE, "a();"),
        (TEMPLATE, "a();\n\n"),
        (TEMPLATE, "a('ä');\n"),
        (TEMPLATE, "a('\x07');\n"),
        (TEMPLATE, "a();\r\nb();\n"),
    ],
    ids=[
        "no place",
        "two",
        "nothing",
        "empty",
        "indented",
        "no end",
        "two ends",
        "umlaut",
        "bell",
        "CRLF",
    ],
)
def test_what_would_not_arrive_is_refused(template: str, code: str) -> None:
    with pytest.raises(ValueError, match="edge function"):
        build(template, code)


def test_the_longest_ladder_has_the_room_that_is_kept_for_it() -> None:
    before, _, after, _ = code_in(TEMPLATE)
    longest = yaml.load(TEMPLATE, Template)["Parameters"]["SizeLadder"]["MaxLength"]  # noqa: S506

    assert len(before) + longest + len(after) <= LADDER_BYTES


def test_code_that_is_too_large_is_one_line(project: Project) -> None:
    with (project.root / "src/edge/viewer_request.js").open("a") as source:
        source.write(f"// {'c' * 10_240}\n{'a' * 10_240};\n")

    result = subprocess.run(
        [sys.executable, "-B", str(project.root / "deployment/build/build_template.py")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stdout == ""
    assert re.fullmatch(r"build_template.py: viewer_request.js has \d+ bytes .*\n", result.stderr)


def test_the_same_sources_give_the_same_bytes_and_nothing_else_is_left(project: Project) -> None:
    script = [sys.executable, "-B", str(project.root / "deployment/build/build_template.py")]
    runs = [subprocess.run(script, capture_output=True, text=True, check=True, cwd="/") for _ in range(2)]
    built = project.root / "build/template.yaml"

    assert {run.stdout for run in runs} == {f"{built}\n"}
    assert built.read_text() == build(TEMPLATE, edge_code())
    assert [file.name for file in built.parent.iterdir()] == ["template.yaml"]
