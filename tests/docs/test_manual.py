"""What holds for every page: the index lists it, a long one lists its sections, its commands can be run in order."""

import re

import pytest

from ..template.cloudformation import document
from .pages import Page, commands, manual, pages, slug

PAGES = [path for path in pages() if re.fullmatch(r"docs/[^/]+\.md", path)]
LONG = 120  # lines, from which on a page has a table of contents
SET_THESE_ONCE = """\
region=eu-central-1 stack=aws-serverless-image-processing
export AWS_REGION=$region AWS_DEFAULT_REGION=$region
eval "$(aws cloudformation describe-stacks --stack-name "$stack" --output text \\
  --query "Stacks[0].Outputs[].join('=', [OutputKey, OutputValue])" | tr '\\t' '\\n')"
"""
LOCAL_OUTPUTS = "deployment/local.sh --shell"
OF_LOCAL = {"Endpoint", "ApiUrl", "ApiKey", "CdnUrl", "CdnHost"}  # that local.sh adds to the outputs
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")  # which the AWS CLI reads as well
_USED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_SET = re.compile(r"(?:^|[\s;(])([A-Za-z_]\w*)=|\bfor (\w+) in|\bread (?:-r )?((?:\w+ ?)+)")


def unset(page: Page) -> list[str]:
    """The variables that a page's commands use before they are set, in order."""
    outputs = set(document()["Outputs"])
    known = set(CREDENTIALS)
    found = []
    for block in page.blocks("sh"):
        for command in commands(block):
            names = {name for match in _SET.findall(command) for text in match for name in text.split()}
            found += [name for name in _USED.findall(command) if name not in known | names]
            known |= names
            if "describe-stacks" in command:
                known |= outputs
            if LOCAL_OUTPUTS in command and command.startswith("eval"):
                known |= outputs | OF_LOCAL | {"stack", "region", "log"}
    return found


@pytest.mark.parametrize("path", PAGES)
def test_the_index_lists_the_page(path: str) -> None:
    name = path.removeprefix("docs/")

    assert name in [*manual("index").links(), "index.md"]


def contents(page: Page) -> list[str]:
    """The anchors in the list before a page's first section: its table of contents."""
    items = re.findall(r"^- .*(?:\n  .*)*", page.sections()[""], re.MULTILINE)
    return re.findall(r"\]\(#([^)]+)\)", "\n".join(items))


def unlisted(page: Page) -> list[str]:
    """The sections that the table of contents lists neither itself nor by their subsections."""
    listed = set(contents(page))
    found: dict[str, bool] = {}
    section = ""
    for level, heading in page.headings():
        section = slug(heading) if level == 2 else section
        found[section] = found.get(section, False) or slug(heading) in listed
    return [name for name, is_listed in found.items() if name not in ("", "next") and not is_listed]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_title_before_all_else(path: str) -> None:
    levels = [level for level, _ in pages()[path].headings()]

    assert (levels[0], levels.count(1)) == (1, 1)
    assert pages()[path].text.startswith("# ")


@pytest.mark.parametrize("path", PAGES)
def test_a_long_page_begins_with_a_table_of_contents_in_order(path: str) -> None:
    page = pages()[path]
    listed = contents(page)

    assert listed == [slug(heading) for _, heading in page.headings() if slug(heading) in listed]
    if listed or len(page.text.splitlines()) > LONG:
        assert unlisted(page) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("# A\n\n- [B](#b)\n\n## B\n\n## C\n", ["c"]),
        ("# A\n\n- [B](#b)\n- Two: [D](#d),\n  [E](#e)\n\n## B\n\n## C\n\n### D\n\n### E\n", []),
        ("# A\n\nSee [B](#b).\n\n## B\n", ["b"]),
    ],
)
def test_a_section_that_is_not_listed_is_found(text: str, missing: list[str]) -> None:
    assert unlisted(Page("docs/a.md", text)) == missing


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


@pytest.mark.parametrize("path", pages())
def test_commands_have_no_comments(path: str) -> None:
    """zsh, the shell of macOS, takes a comment that is pasted into it for more words of the command."""
    lines = [line for block in pages()[path].blocks("sh") for line in block.splitlines()]

    assert [line for line in lines if re.search(r"(^|\s)#(\s|$)", line)] == []
