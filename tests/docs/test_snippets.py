"""The functions in docs/urls.md that sign a URL, run as they stand, make the URL that the stack itself makes."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from image_processor.urls.links import signed_url
from image_processor.urls.signatures import sign

from .pages import manual

BASE, KEY = "https://d111111abcdef8.cloudfront.net", "The stack's own is of 64 letters and digits; any will do: ü"
ASKED: list[tuple[str, Mapping[str, str]]] = [
    ("/cats/rio.jpg", {"width": "300", "format": "auto"}),
    ("/cats/rio.jpg", {"width": "300", "exp": "1764000000", "format": "auto", "dpr": "1.5"}),
    ("/cats/rio.jpg", {"variant": "thumbnail"}),
    ("/cats/rio.jpg/thumbnail", {}),
    ("/my photo ü.jpg", {"width": "5", "height": "5", "position": "right top"}),
    ("/🐈/漢字.png", {"watermark_position": "top", "watermark": "brand~logo.png", "width": "3"}),
    ("/what?now&then#100%+1.jpg", {"max_bytes": "1000", "max_b": "x"}),
    ("/a, b (1)!*'=;:@$[x].jpg", {"width": "300"}),
    ("/-n", {"width": "300"}),
    ("/'\"\\`$HOME\t.jpg", {"width": "300"}),
]


def snippets() -> dict[str, str]:
    """Return the code of the section, by its language; there is one block for each."""
    found = {language: manual("urls").blocks(language, "Sign URLs in your own program") for language in CALLS}
    assert [len(blocks) for blocks in found.values()] == [1, 1, 1]
    return {language: block for language, [block] in found.items()}


CALLS = {
    "python": (".py", "\nimport json, sys\nprint(signed_url(*sys.argv[1:4], json.loads(sys.argv[4])))\n"),
    "js": (".mjs", "\nconst [base, key, path, options] = process.argv.slice(2);\n"
                   "console.log(signedUrl(base, key, path, JSON.parse(options)));\n"),
    "bash": (".sh", '\nIFS= read -r key\nsigned_url "$1" "${@:3}"\n'),
}  # fmt: skip
PROGRAMS = {"python": sys.executable, "js": "node", "bash": "bash"}


@pytest.mark.parametrize("language", CALLS)
@pytest.mark.parametrize(("path", "options"), ASKED)
def test_a_snippet_makes_the_url_that_the_stack_makes(
    tmp_path: Path, language: str, path: str, options: Mapping[str, str]
) -> None:
    program = shutil.which(PROGRAMS[language])
    assert program, f"{PROGRAMS[language]} is missing; make setup brings node"
    ending, call = CALLS[language]
    script = tmp_path / f"snippet{ending}"
    script.write_text(snippets()[language] + call)
    given = [f"{name}={value}" for name, value in options.items()] if language == "bash" else [json.dumps(options)]

    done = subprocess.run(
        [program, str(script), BASE, KEY, path, *given],
        input=f"{KEY}\n",
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip("\n").endswith(f"sig={sign(KEY, path, options)}")
    assert done.stdout == signed_url(BASE, path[1:], options, KEY) + "\n"


def test_no_program_that_the_shell_starts_gets_the_key_as_an_argument(tmp_path: Path) -> None:
    """Any user of a machine can list the arguments of its processes."""
    bash, arguments = shutil.which("bash"), tmp_path / "arguments"
    assert bash
    noting = tmp_path / "bin" / "python3"  # the only program on the PATH
    noting.parent.mkdir()
    noting.write_text(f"""#!{bash}\nprintf '%s\\n' "$0" "$@" >>"{arguments}"\nexec "{sys.executable}" "$@"\n""")
    noting.chmod(0o755)
    script = f"{snippets()['bash']}\nIFS= read -r key\nsigned_url {BASE} /a.jpg width=300\n"

    done = subprocess.run(
        [bash, "-euc", script],
        env={"PATH": str(noting.parent)},
        input=f"{KEY}\n",
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert (done.stderr, done.stdout) == ("", signed_url(BASE, "a.jpg", {"width": "300"}, KEY) + "\n")
    assert "/a.jpg\nwidth=300\n" in arguments.read_text()
    assert KEY not in arguments.read_text()


def test_each_is_short_enough_to_read() -> None:
    assert all(len(text.splitlines()) <= 12 for text in snippets().values())


def test_the_example_shows_the_signature_of_its_text() -> None:
    shown = re.search(
        r"With the key `test`, the text `(/cats/rio\.jpg)\?([^`]*)` has the signature `([^`]*)`",
        " ".join(manual("urls").text.split()),
    )
    assert shown
    path, query, signature = shown.groups()

    assert signature == sign("test", path, dict(pair.split("=") for pair in query.split("&")))
