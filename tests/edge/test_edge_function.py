"""`make edge`: the constants in the source and the code in the template are generated from the table of options."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from image_processor.transformations.options import OPTIONS

from .engines import DEPLOYED, PROJECT, SOURCE, edge_function

TEMPLATE = edge_function.TEMPLATE.read_text(encoding="utf-8")


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with copies of the source and of the template, which the program works on; without a minifier."""
    for name, text in (("SOURCE", SOURCE), ("TEMPLATE", TEMPLATE)):
        path = tmp_path / getattr(edge_function, name).name
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(edge_function, name, path)
    monkeypatch.setattr(edge_function, "PROJECT", tmp_path)
    monkeypatch.setattr(edge_function, "MINIFIER", tmp_path / "none")
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_is_committed_is_fresh():
    """Fails with the command that renews it; compares the minifier's output if `make edge` has installed it."""
    program = PROJECT / "deployment" / "build" / "edge_function.py"

    done = subprocess.run([sys.executable, "-B", program, "--check"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("copy")
def test_the_check_needs_no_minifier():
    edge_function.check()


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "viewer_request.js",
            "'quality': quality = readWhole(name, text, 1, 100)",
            "'quality': quality = readWhole(name, text, 1, 101)",
            "the generated parts of src/edge/viewer_request.js are",
        ),
        (
            "viewer_request.js",
            "statusCode: 400",
            "statusCode: 422",
            "the edge function in templates/main.yaml is stale",
        ),
        ("viewer_request.js", "// In integers", "// As integers", "the edge function in templates/main.yaml is stale"),
        ("main.yaml", "statusCode:400", "statusCode:422", "the edge function in templates/main.yaml is stale"),
        ("main.yaml", "LADDER.length", "LADDER.lenght", "the edge function in templates/main.yaml is stale"),
        ("main.yaml", "by: make edge", "by: hand", "the edge function in templates/main.yaml is stale"),
    ],
)
def test_a_stale_file_is_named_with_the_command_that_renews_it(copy, file, old, new, message):
    change(copy / file, old, new)

    with pytest.raises(edge_function.StaleError, match=f"^{message}.*; renew it by: make edge$"):
        edge_function.check()


def test_another_minifier_makes_the_code_stale(copy, monkeypatch):
    recipe = copy / "package.json"
    recipe.write_text(edge_function.RECIPE[0].read_text().replace('"terser": "', '"terser": "9'))
    monkeypatch.setattr(edge_function, "RECIPE", (recipe, edge_function.RECIPE[1]))

    with pytest.raises(edge_function.StaleError, match="renew it by: make edge"):
        edge_function.check()


def test_without_the_minifier_a_renewal_says_how_to_get_it_and_changes_nothing(copy):
    with pytest.raises(ValueError, match="the minifier is missing: run 'make edge'"):
        edge_function.renew()

    assert (copy / "main.yaml").read_text(encoding="utf-8") == TEMPLATE


def test_a_renewal_writes_the_same_bytes_again_and_leaves_nothing_else(copy, monkeypatch):
    monkeypatch.setattr(edge_function, "minified", lambda _: DEPLOYED)
    change(copy / "viewer_request.js", "readWhole(name, text, 1, 8192)", "readWhole(name, text, 1, 9)")
    change(copy / "main.yaml", "by: make edge", "by: hand")

    edge_function.renew()

    assert (copy / "viewer_request.js").read_text(encoding="utf-8") == SOURCE
    assert (copy / "main.yaml").read_text(encoding="utf-8") == TEMPLATE
    assert {path.name for path in copy.iterdir()} == {"viewer_request.js", "main.yaml"}


@pytest.mark.skipif(not edge_function.is_minifier_installed(), reason="the minifier is not installed: make edge")
def test_what_the_minifier_can_not_read_is_refused_with_its_line():
    with pytest.raises(ValueError, match=r"viewer_request\.js: Name expected \(line 2\)"):
        edge_function.minified("const a = 1;\nconst = 2;\n")


@pytest.mark.parametrize(
    "code", ["a();\n", "a();\nb('#: - |');\n", "`${d} \\ \" ' % & *` // e: f\n"], ids=["one line", "two", "signs"]
)
def test_any_code_comes_out_of_the_template_as_it_went_in(code):
    template = edge_function.with_code(TEMPLATE, code, "0" * 32)
    before, _, rest = template.partition("# <edge function>")

    assert edge_function.deployed_code(template) == code
    assert TEMPLATE.startswith(before)
    assert TEMPLATE.endswith(rest.partition("# </edge function>")[2])


@pytest.mark.parametrize(
    "code",
    ["", "\n", " a();\n", "a();", "a();\n\n", "a('ä');\n", "a('\x07');\n", "a();\r\nb();\n", f"{'a' * 10_040}\n"],
    ids=["nothing", "empty", "indented", "no end", "two ends", "umlaut", "bell", "CRLF", "too large"],
)
def test_code_that_can_not_be_deployed_is_refused(code):
    with pytest.raises(ValueError, match=r"edge function|10041 bytes when minified, allowed: 10040"):
        edge_function.with_code(TEMPLATE, code, "0" * 32)


@pytest.mark.parametrize("count", [0, 2])
def test_the_markers_have_to_be_there_once(count):
    section = re.search(r"^ +# <edge function> .*# </edge function>\n", TEMPLATE, re.DOTALL | re.MULTILINE)
    assert section
    with pytest.raises(ValueError, match=r"one pair of the markers <edge function>"):
        edge_function.deployed_code(TEMPLATE.replace(section[0], section[0] * count))
    with pytest.raises(ValueError, match="one pair of markers for each of: constants, options"):
        edge_function.with_parts(SOURCE.replace("// <constants>\n", "") * max(count, 1))


def test_the_generated_parts_are_ascii_and_have_every_option_in_order():
    parts = edge_function.edge_parts()
    names = [option.name for option in OPTIONS]

    assert all(part.isascii() for part in parts.values())
    assert max(len(line) for part in parts.values() for line in part.splitlines() if "NAMES" not in line) < 200
    assert re.findall(r"\b(\w+) = '", parts["options"]) == names
    assert re.findall(r"case '(\w+)'", parts["cases"]) == names
    assert re.findall(r"',(\w+)='", parts["canonical"]) == [name for name in names if name != "dpr"]
    assert f"const NAMES = '{', '.join(names)}';" in parts["constants"]
