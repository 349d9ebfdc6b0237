"""Every link and anchor in the project's Markdown leads somewhere. Of links to other hosts, only the form is checked.

Relative links are resolved as GitHub does it, so that `../../actions` is a page of the repository on GitHub.
"""

from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from .pages import PROJECT, Page, pages, slug

REPOSITORY = "https://github.com/owner/project/"
FILES = f"{REPOSITORY}blob/main/"
GITHUB_PAGES = {"actions", "discussions", "issues", "releases", "security"}  # that a repository has besides its files


def fault(page: Page, target: str) -> str | None:
    """What is wrong with a link of this page; None if it leads somewhere."""
    scheme, host, *_ = urlsplit(target)
    if scheme or host:
        known = scheme == "mailto" or (scheme == "https" and "." in host)
        return None if known else "is neither https://HOST, mailto: nor relative"
    url = urlsplit(urljoin(f"{FILES}{page.path}", target))
    address = url._replace(fragment="", query="").geturl()
    if not address.startswith(FILES):
        return _github_fault(address)
    path = PROJECT / unquote(address.removeprefix(FILES))
    if not path.exists():
        return "leads to a file that does not exist"
    if not url.fragment:
        return None
    linked = {**pages(), page.path: page}.get(str(path.relative_to(PROJECT)))
    if linked is None:
        return "names a fragment of what is no Markdown"
    return None if unquote(url.fragment) in linked.anchors() else "names a fragment that the page does not have"


def _github_fault(address: str) -> str | None:
    first, *rest = address.removeprefix(REPOSITORY).split("/") if address.startswith(REPOSITORY) else [""]
    if first not in GITHUB_PAGES:
        return "leads out of the repository"
    if first == "actions" and rest[:1] == ["workflows"] and not (PROJECT / ".github/workflows" / rest[1]).exists():
        return "names a workflow that does not exist"
    return None


@pytest.mark.parametrize("path", pages())
def test_every_link_leads_somewhere(path: str) -> None:
    page = pages()[path]

    faults = [f"{target} {wrong}" for target in page.links() if (wrong := fault(page, target))]

    assert faults == []
    assert page.undefined_references() == set()


def test_the_pages_are_those_of_the_project() -> None:
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/index.md", "docs/urls.md"} <= set(pages())
    assert not [path for path in pages() if Path(path).parts[0] in {"build", ".venv", ".local"}]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[a](missing.md)", "leads to a file that does not exist"),
        ("![a](docs/missing.png)", "leads to a file that does not exist"),
        ("[![a](LICENSE)](missing.md)", "leads to a file that does not exist"),
        ('<img alt="" src="missing.png">', "leads to a file that does not exist"),
        ("[a][b]\n\n[b]: missing.md", "leads to a file that does not exist"),
        ("[a](missing_(1).md)", "leads to a file that does not exist"),
        ("# One\n\n[a](#two)", "names a fragment that the page does not have"),
        ("```\n# Code\n```\n\n[a](#code)", "names a fragment that the page does not have"),
        ("# One\n# One\n\n[a](#one-2)", "names a fragment that the page does not have"),
        ("[a](docs/urls.md#no-such-section)", "names a fragment that the page does not have"),
        ("[a](LICENSE#mit)", "names a fragment of what is no Markdown"),
        ("[a](../../../../elsewhere)", "leads out of the repository"),
        ("[a](../../blobs)", "leads out of the repository"),
        ("[a](../../actions/workflows/missing.yml)", "names a workflow that does not exist"),
        ("[a](http://example.com)", "is neither https://HOST, mailto: nor relative"),
        ("<ftp://example.com>", "is neither https://HOST, mailto: nor relative"),
    ],
)
def test_a_link_to_nowhere_is_found(text: str, wrong: str) -> None:
    page = Page("README.md", text)

    assert [found for target in page.links() if (found := fault(page, target))] == [wrong]


@pytest.mark.parametrize(
    "text",
    [
        "[a](LICENSE)",
        "[a](docs/urls.md)",
        "[a](docs)",
        "[a](docs/urls.md#sign-a-url)",
        "# The `key` of *one*, or two?\n\n[a](#the-key-of-one-or-two)",
        "# One\n# One\n\n[a](#one-1)",
        '<a id="here"></a> [a](#here)',
        "[a](../../releases/latest)",
        "[a](../../actions/workflows/test.yml)",
        "[a](https://example.com/page#anything)",
        "`[a](missing.md)`",
        "```\n[a](missing.md)\n```",
        "    ```sh\n    [a](missing.md)\n    ```",
    ],
)
def test_a_link_that_leads_somewhere_is_not_reported(text: str) -> None:
    page = Page("README.md", text)

    assert [found for target in page.links() if (found := fault(page, target))] == []


def test_a_reference_without_a_definition_is_found() -> None:
    assert Page("README.md", "[a][b] and [c][d]\n\n[b]: LICENSE").undefined_references() == {"d"}


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Set these once", "set-these-once"),
        ("`sign.py`, and what it wants", "signpy-and-what-it-wants"),
        ("[URLs](urls.md) & keys", "urls--keys"),
        ("Größe – 2×", "größe--2"),
        ("snake_case, kebab-case", "snake_case-kebab-case"),
    ],
)
def test_an_anchor_is_the_one_that_github_gives(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor
