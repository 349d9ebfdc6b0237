"""The edge function as it is deployed is what CloudFront's runtime takes.

Its list: Amazon CloudFront Developer Guide, "JavaScript runtime 2.0 features for CloudFront Functions". All of
ECMAScript 5.1 is in it, and of what came later only what it names.
"""

import re
import subprocess
import sys

import pytest

from .engines import CODE, PROJECT

# Syntax newer than 5.1 that the list doesn't name, or names among what is restricted.
UNLISTED = {
    "for-of": r"\bfor\s*\([^;)]*\bof\b",
    "spread or rest": r"\.\.\.",
    "optional chaining": r"\?\.",
    "nullish coalescing": r"\?\?",
    "logical assignment": r"(\|\||&&)=",
    "a class": r"\bclass\b",
    "a generator": r"\bfunction\s*\*|\byield\b",
    "async": r"\basync\b|\bawait\b",
    "a module": r"\b(import|export|require|module)\b",
    "code from text": r"\beval\b|\bFunction\b",
    "new": r"\bnew\b",
    "destructuring": r"\b(const|let|var)\s*[\[{]|[(,]\s*[\[{][\w\s,:]*[\]}]\s*(,[^()]*)?\)\s*=>",
    "a default parameter": r"\([^()]*[^=!<>]=[^=>][^()]*\)\s*(=>|\{)",
    "a shorthand property": r"(?<!=> )\{\s*[a-z]\w*\s*[,}]|\{[^{}]*,\s*[a-z]\w*\s*\}",
    "a computed name": r"\{\s*\[",
    "catch without a name": r"\bcatch\s*\{",
    "a comma after the last argument": r",\s*\)",
    "a regular expression's lookbehind or name": r"\(\?<",
}
LISTED_METHODS = {
    *("keys", "stringify", "apply", "floor", "max", "min"),  # of Object, JSON, Function and Math
    *("replace", "slice", "split", "toLowerCase", "test", "includes"),  # of strings and regular expressions
    *("concat", "filter", "forEach", "join", "map", "push", "some", "sort", "find"),  # of arrays
}
LISTED_GLOBALS = {"Number", "String", "decodeURIComponent", "encodeURI", "encodeURIComponent"}


def without_texts(code: str) -> str:
    """The code with every text, and what a template holds between its expressions, made empty."""
    code = re.sub(r"'(\\.|[^'\\\n])*'|\"(\\.|[^\"\\\n])*\"", "''", code)
    return re.sub(r"`[^`]*`", lambda found: "; ".join(re.findall(r"\$\{([^}]*)\}", found[0])) or "''", code)


def unlisted(code: str) -> list[str]:
    bare = without_texts(code)
    called = set(re.findall(r"\.(\w+)\(", bare)) - LISTED_METHODS - {"read"}  # an option's own
    own = set(re.findall(r"\b(?:const|function) (\w+)", bare)) | {"if", "catch", "return"}
    unknown = set(re.findall(r"(?<![.\w])([A-Za-z]\w*)\(", bare)) - LISTED_GLOBALS - own
    return [*(name for name, pattern in UNLISTED.items() if re.search(pattern, bare)), *sorted(called | unknown)]


def test_nothing_is_used_that_the_runtime_does_not_list():
    assert unlisted(CODE) == []


@pytest.mark.parametrize(
    "code",
    [
        "for (const each of list) {}",
        "f(...list)",
        "a?.b",
        "a ?? b",
        "a ||= b",
        "class A {}",
        "async function f() {}",
        "module.exports = handler",
        "const {a} = b",
        "const f = ({a, b}) => a",
        "const f = ([a, b]) => a",
        "const f = (a, b = 5) => a",
        "function f(a = 5) {}",
        "const a = {b, c: 1}",
        "const a = {c: 1, b}",
        "const a = {[b]: 1}",
        "try {} catch {}",
        "f(a, )",
        "/(?<=a)b/.test(a)",
        "list.flatMap(f)",
        "list.at(5)",
        "text.matchAll(pattern)",
        "Object.fromEntries(list)",
        "structuredClone(a)",
        "setTimeout(f)",
    ],
)
def test_what_the_runtime_does_not_list_is_found(code):
    assert unlisted(code)


def test_it_is_small_enough_with_a_ladder_before_it_and_ascii():
    ladder = f"const LADDER = [{', '.join(['8192'] * 32)}];\n"

    assert len(CODE.encode("ascii")) + len(ladder) <= 10_240


def test_comments_and_indentation_are_not_deployed():
    lines = CODE.splitlines()

    assert all(line == line.strip() and line and not line.startswith("//") for line in lines)
    assert "function handler(event) {" in lines


def test_code_that_leaves_no_room_for_the_ladder_is_refused(tmp_path):
    program = PROJECT / "deployment" / "build" / "edge_code.py"
    (tmp_path / "deployment" / "build").mkdir(parents=True)
    (tmp_path / "src" / "edge").mkdir(parents=True)
    (tmp_path / "deployment" / "build" / "edge_code.py").write_text(program.read_text())
    (tmp_path / "src" / "edge" / "viewer_request.js").write_text("//\n" + "f();\n" * 2009)

    copy = tmp_path / "deployment" / "build" / "edge_code.py"
    refused = subprocess.run([sys.executable, copy], check=False, capture_output=True, text=True)

    assert refused.returncode == 1
    assert "viewer_request.js has 10045 bytes without comments and indentation, allowed: 10040" in refused.stderr
