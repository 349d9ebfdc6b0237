"""The edge function and Python read one grammar: both get one table of cases, and random queries."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from image_processor.errors import InvalidTransformation
from image_processor.transformations.options import OPTIONS
from image_processor.transformations.transformation import Transformation
from image_processor.transformations.url_options import resolutions
from image_processor.urls.paths import rendition_path, split_path

from .engines import DEPLOYED, HERE, SOURCE, Answer, Node, as_decoded, as_written, event, run_njs
from .queries import keys, names, queries

CASES = [case for case in json.loads((HERE / "cases.json").read_text(encoding="utf-8")) if "query" in case]
ACCEPTS = (None, "image/webp", "image/avif,image/webp")
OWN = ("exp", "sig", "again", "v")
RESERVED = ("expires", "policy", "signature", "key-pair-id", "hash-algorithm")


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    node = Node()
    yield node
    node.close()


def asked(case: dict[str, Any], split: dict[str, Any]) -> dict[str, Any]:
    return event(split, case.get("uri", "/cats/rio.jpg"), case.get("accept"))


def is_expected(case: dict[str, Any], found: Answer) -> bool:
    if "error" in case:
        code = case.get("code", InvalidTransformation.code)
        return (found.error or "").startswith(case["error"]) and found.code == code
    return with_sorted_query(found) == with_sorted_query(Answer(case["path"], case["header"], case.get("version")))


def with_sorted_query(answer: Answer) -> Answer:
    """The same with the parameters of its header sorted; what is signed does not depend on their order."""
    path, mark, query = (answer.header or "").partition("?")
    return answer._replace(header=path + mark + "&".join(sorted(query.split("&"))))


def is_the_same_decoded(query: str) -> bool:
    """Whether a second decoding changes nothing, and every name occurs once."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    return "%" not in "".join(map("".join, pairs)) and len(dict(pairs)) == len(pairs) and "+" not in str(pairs)


def in_python(query: dict[str, str], ladder: Sequence[int]) -> frozenset[str] | str:
    try:
        return resolutions(query, ladder)
    except InvalidTransformation as error:
        return str(error)


def in_javascript(node: Node, split: dict[str, Any], ladder: Sequence[int]) -> frozenset[str] | str:
    answers = [node.run(event(split, "/a", accept), ladder) for accept in ACCEPTS]
    errors = {answer.error for answer in answers}
    if errors == {None}:
        return frozenset(answer.path.removeprefix("/a/") for answer in answers)
    [error] = errors
    return str(error)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["query"][:60])
def test_the_table_in_javascript(case, node):
    found = node.run(asked(case, as_written(case["query"])), case.get("ladder", ()))

    assert is_expected(case, found), found


@pytest.mark.parametrize("case", [case for case in CASES if "%" in case["query"] and not case.get("edge_only")])
def test_the_table_in_javascript_when_the_query_comes_decoded(case, node):
    found = node.run(asked(case, as_decoded(case["query"])), case.get("ladder", ()))

    assert is_expected(case, found) or not is_the_same_decoded(case["query"]), found


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.get("edge_only")], ids=lambda case: case["query"][:60]
)
def test_the_table_in_python(case, node):
    query = dict(parse_qsl(case["query"], keep_blank_values=True))
    options = {name: value for name, value in query.items() if name not in OWN and name.lower() not in RESERVED}

    found = in_python(options, case.get("ladder", ()))

    if "error" in case:
        assert isinstance(found, str)
        assert found == node.run(asked(case, as_written(case["query"])), case.get("ladder", ())).error
        assert found.startswith(case["error"])
    else:
        key, name = unquote(case.get("uri", "/cats/rio.jpg"))[1:], case["path"].rpartition("/")[2]
        assert name in found if options else not found
        assert len(found) <= 1 or "format=auto" in case["query"].lower()
        assert not options or not key or case["path"] == f"/{rendition_path(key, name)}"
        assert not options or str(Transformation.parse(name)) == name


def test_the_table_has_every_option_and_no_duplicate():
    written = {name.lower() for case in CASES for name, _ in parse_qsl(case["query"], keep_blank_values=True)}
    counted = Counter(json.dumps({**case, "path": "", "header": "", "error": ""}) for case in CASES)

    assert {option.name for option in OPTIONS} <= written
    assert counted.most_common(1)[0][1] == 1, counted.most_common(1)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_both_give_the_same_message_for_a_value_that_is_not_allowed(option, node):
    assert in_javascript(node, {option.name: {"value": "!"}}, ()) == in_python({option.name: "!"}, ())


@settings(max_examples=300)
@given(
    queries,
    st.sampled_from([(), (320, 640, 1280), (900, 70, 8192), (3, 2)]),
    st.sampled_from([quote, quote_plus, str]),
)
@example({"watermarK": "a"}, (), quote)  # the sign of Kelvin, whose lower case is a k
@example({"width": "5", "Width": "0"}, (), quote)
def test_both_make_the_same_of_any_query(node, query, ladder, encode):
    if encode is str and set(str(query)) & {"%", "+"}:  # a second decoding would change it
        encode = quote
    split = {encode(name): {"value": encode(value)} for name, value in query.items()}

    python, javascript = in_python(query, ladder), in_javascript(node, split, ladder)

    if "".join((*query, *query.values())).isprintable() or not isinstance(python, str):
        assert javascript == python
    else:  # Python shows what can't be printed as an escape; JavaScript as it is
        assert isinstance(javascript, str)


@settings(max_examples=100)
@given(queries)
def test_a_canonical_text_is_its_own_canonical_text(node, query):
    found = in_python(query, ())
    for text in found if isinstance(found, frozenset) else ():
        options = {
            name: {"value": quote(value)} for name, _, value in (part.partition("=") for part in text.split(","))
        }

        answer = node.run(event(options, "/a"))

        assert answer.path == f"/a/{text}"
        assert re.fullmatch("[A-Za-z0-9._~=,-]+", text)


@st.composite
def spellings(draw: st.DrawFn, path: str) -> str:
    """A URL's path that decodes to this one: encoded is what has to be, and any other character as it comes."""
    raw = draw(st.sampled_from(["", "/", "/!$&'()*+,;=:@~"]))
    some = draw(st.integers(0, 3))  # one in four is encoded, of those that need not be
    return "".join(
        "".join(f"%{byte:02x}" for byte in sign.encode()) if index % 4 == some else quote(sign, safe=raw)
        for index, sign in enumerate(path)
    )


@settings(max_examples=300)
@given(st.data(), keys, st.sampled_from(["thumbnail", "-1_x", "width=5,watermark=a~b.png"]))
def test_each_key_has_the_path_that_python_gives_it_however_a_url_is_spelt(node, data, key, name):
    path = f"/{rendition_path(key, name)}"
    by_path = node.run(event({}, "/" + data.draw(spellings(f"{key}/{name}"))))
    by_option = node.run(event({"width": {"value": "5"}}, "/" + data.draw(spellings(key))))

    assert by_path == Answer(path)
    assert by_option.path == f"/{rendition_path(key, 'width=5')}"
    assert split_path(path[1:]) == (key, name)


@given(st.data(), st.text(st.characters(codec="utf-8"), max_size=20) | st.text("/. ~=%+", max_size=9))
def test_no_path_needs_percent_encoding_or_can_be_folded(node, data, path):
    for query in ({}, {"width": {"value": "5"}}):
        found = node.run(event(query, "/" + data.draw(spellings(path)))).path

        assert re.fullmatch("/[A-Za-z0-9._~=,/-]*", found)
        assert "//" not in found
        assert not {".", ".."} & set(found.split("/"))


@given(st.lists(names, min_size=1, max_size=3), st.sampled_from([None, *ACCEPTS]))
def test_the_origin_gets_what_the_author_wrote_and_never_the_viewer_s_header(node, written, accept):
    query = {name: {"value": "true"} for name in written}

    answer = node.run(event({**query, "sig": {"value": "s"}}, "/a", accept))

    assert answer.error or (answer.header or "").startswith("/a?")
    assert "forged" not in str(answer)
    assert node.run(event({}, "/a", accept)) == Answer("/a", None)


@pytest.mark.parametrize("code", [SOURCE, DEPLOYED], ids=["source", "deployed"])
def test_the_table_under_njs(code, tmp_path):
    njs = shutil.which("njs")
    if not njs:
        pytest.skip("njs is not installed (on Debian: apt install njs): only node ran the edge function")
    for ladder in {tuple(case.get("ladder", ())) for case in CASES}:
        cases = [case for case in CASES if tuple(case.get("ladder", ())) == ladder]
        found = run_njs(njs, code, [asked(case, as_written(case["query"])) for case in cases], ladder, tmp_path)

        wrong = [(case, answer) for case, answer in zip(cases, found, strict=True) if not is_expected(case, answer)]
        assert not wrong
