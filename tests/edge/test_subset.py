"""CloudFront's runtime can run the edge function, as its source has it and as the template deploys it.

The runtime's list of features: Amazon CloudFront Developer Guide, "JavaScript runtime 2.0 features for CloudFront
Functions". It has all of ECMAScript 5.1, and of later editions only the listed features.
"""

import re
import shutil
import subprocess

import pytest

from .engines import DEPLOYED, SOURCE, edge_function

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
    "a default parameter": r"(?<!for )(?<!for)(?<!if)(?<!if )\([^()]*[^=!<>]=[^=>][^()]*\)\s*(=>|\{)",
    "a shorthand property": r"(?<!=> )\{\s*[a-z]\w*\s*[,}]|\{[^{};=]*,\s*[a-z]\w*\s*\}",
    "a computed name": r"\{\s*\[",
    "catch without a name": r"\bcatch\s*\{",
    "a comma after the last argument": r",\s*\)",
    "a regular expression's lookbehind or name": r"\(\?<",
}
LISTED_METHODS = {
    *("create", "keys", "stringify", "apply", "floor", "max", "min"),  # of Object, JSON, Function and Math
    *(
        "lastIndexOf",
        "replace",
        "slice",
        "split",
        "toLowerCase",
        "test",
        "includes",
        "search",
    ),  # of strings and regular expressions
    *("concat", "filter", "indexOf", "forEach", "join", "map", "push", "reduce", "some", "sort", "find"),  # of arrays
}
KEYWORDS = {"if", "for", "while", "switch", "catch", "return", "function"}
LISTED_GLOBALS = {"Number", "String", "decodeURIComponent", "encodeURI", "encodeURIComponent"}


def without_texts(code: str) -> str:
    """The code without comments, texts and regular expressions, but with the expressions in template literals."""
    code = re.sub(r"^\s*//.*$", "", code, flags=re.MULTILINE)
    code = re.sub(r"'(\\.|[^'\\\n])*'|\"(\\.|[^\"\\\n])*\"", "''", code)

    code = re.sub(r"(?<=[(=,:?|&])( ?)/(?![/*])(\\.|\[(\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[gimsuy]*", r"\1''", code)

    def expressions(template: re.Match[str]) -> str:
        return " " + ("; ".join(re.findall(r"\$\{([^}]*)\}", template[0])) or "''")

    return re.sub(r"`[^`]*`", expressions, code)


def unlisted(code: str) -> list[str]:
    """The syntax, the methods and the functions in the code that the runtime does not list."""
    bare = without_texts(code)
    methods = set(re.findall(r"\.(\w+)\(", bare)) - LISTED_METHODS
    own = set(re.findall(r"\b(?:const|let|var|function) ([\w$]+)", bare))
    own |= set(re.findall(r",([\w$]{1,2})=", bare))  # in a minified list of declarations
    called = set(re.findall(r"(?<![.\w$])([A-Za-z_$][\w$]*)\(", bare)) - own - KEYWORDS
    syntax = [name for name, pattern in UNLISTED.items() if re.search(pattern, bare)]
    return [*syntax, *sorted(methods | (called - LISTED_GLOBALS))]


@pytest.mark.parametrize("code", [SOURCE, DEPLOYED], ids=["source", "deployed"])
def test_the_code_uses_nothing_that_the_runtime_does_not_list(code):
    assert unlisted(code) == []


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
def test_a_feature_that_the_runtime_does_not_list_is_found(code):
    assert unlisted(code)


def test_the_longest_ladder_leaves_the_deployed_code_within_the_limit():
    ladder = f"const LADDER = [{','.join(['8192'] * 32)}];\n"

    assert len(ladder) <= edge_function.LADDER_BYTES
    assert len(DEPLOYED.encode("ascii")) + edge_function.LADDER_BYTES <= edge_function.MAX_BYTES == 10_240


def test_the_source_is_strict_javascript():
    node = shutil.which("node")
    assert node, "these tests need node, which `make setup` installs into .venv"
    subprocess.run([node, "--check", "-"], input=f"'use strict';\n{SOURCE}", check=True, text=True)
