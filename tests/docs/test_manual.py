"""What holds for every page: the index lists it, a long one lists its sections, its commands can be run in order."""

import re

import pytest

from ..template.cloudformation import document
from .pages import Page, commands, manual, pages, slug

PAGES = [path for path in pages() if re.fullmatch(r"docs/[^/]+\.md", path)]
LONG = 120  # lines, from which on a page has a table of contents
SET_THESE_ONCE = """\
region=eu-central-1 stack=aws-serverless-image-processing    # those of your stack
export AWS_REGION=$region AWS_DEFAULT_REGION=$region
eval "$(aws cloudformation describe-stacks --stack-name $stack --output text \\
  --query "Stacks[0].Outputs[].join('=', [OutputKey, OutputValue])" | tr '\\t' '\\n')"
"""
LOCAL_OUTPUTS = ".local/outputs.json"
OF_LOCAL = {"Endpoint", "ApiUrl", "ApiKey", "CdnUrl", "CdnHost"}  # that local.sh adds to the outputs
_USED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_SET = re.compile(r"(?:^|[\s;(])([A-Za-z_][A-Za-z0-9_]*)=|\bfor ([a-z_]+) in|\bread (?:-r )?([a-z_]+)")


def unset(page: Page) -> list[str]:
    """The variables that a page's commands use before they are set, in order."""
    outputs = set(document()["Outputs"])
    known: set[str] = set()
    found = []
    for block in page.blocks("sh"):
        for command in commands(block):
            names = {name for match in _SET.finditer(command) for name in match.groups() if name}
            found += [name for name in _USED.findall(command) if name not in known | names]
            known |= names
            if "describe-stacks" in command:
                known |= outputs
            if LOCAL_OUTPUTS in command and command.startswith("eval"):
                known |= outputs | OF_LOCAL
    return found


@pytest.mark.parametrize("path", PAGES)
def test_the_index_lists_the_page(path: str) -> None:
    name = path.removeprefix("docs/")

    assert name in [*manual("index").links(), "index.md"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_title_and_a_long_one_lists_its_sections(path: str) -> None:
    page = pages()[path]
    headings = page.headings()
    listed = re.findall(r"^- \[[^\]]+\]\(#([^)]+)\)$", page.text.partition("\n## ")[0], re.MULTILINE)
    sections = [slug(heading) for level, heading in headings if level == 2]

    assert [level for level, _ in headings].count(1) == 1
    assert headings[0][0] == 1
    if listed or len(page.text.splitlines()) > LONG:
        assert listed == [section for section in sections if section != "next"]


@pytest.mark.parametrize("path", [*PAGES, "README.md"])
def test_no_command_uses_a_variable_before_it_is_set(path: str) -> None:
    assert unset(pages()[path]) == []


@pytest.mark.parametrize("path", [path for path in PAGES if "describe-stacks" in pages()[path].text])
def test_the_outputs_are_read_by_the_same_lines_everywhere(path: str) -> None:
    assert SET_THESE_ONCE in "".join(pages()[path].blocks("sh"))


def test_a_variable_without_a_value_is_found() -> None:
    text = (
        '```sh\nkey=a.jpg\naws s3 ls "s3://$UploadBucketName/$key"\n```\n```sh\n'
        + SET_THESE_ONCE
        + "echo $QueueUrl\n```"
    )

    assert unset(Page("README.md", text)) == ["UploadBucketName"]
