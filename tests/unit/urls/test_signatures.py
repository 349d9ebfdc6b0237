"""Signatures: what is signed is good in any order and encoding, and no change of it is; expiry; every key looked at."""

import hashlib
import hmac
import string
import subprocess
import sys
from base64 import urlsafe_b64decode
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from image_processor.errors import BadSignature, InvalidRequest
from image_processor.urls import signatures
from image_processor.urls.signatures import check, is_signed, sign

KEY, OTHER = "k" * 64, "o" * 64
PATH = "/cats/rio.jpg"
ASKED = {"width": "300", "format": "auto", "exp": "1764000000"}
BASE64URL = string.ascii_letters + string.digits + "-_"

texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.text(st.characters(codec="utf-8", exclude_characters="?&="), min_size=1, max_size=8)
values = st.text(st.characters(codec="utf-8", exclude_characters="?&"), max_size=8)
paths = texts.map("/".__add__)
queries = st.dictionaries(names, values, max_size=4).map(
    lambda query: {name: value for name, value in query.items() if name not in ("sig", "again")}
)


def signed(path=PATH, parameters=ASKED, key=KEY):
    return {**parameters, "sig": sign(key, path, parameters)}


def test_the_signature_is_the_documented_one():
    """As `openssl dgst -sha256 -hmac KEY -binary | base64` has it of the documented text, its `+/=` replaced."""
    assert sign(KEY, PATH, ASKED) == "RvzXWJCztVZBL0DgkibfiQkzm3nrwAeAJNlQMirmdkA"


def test_unicode_is_signed_as_utf_8():
    digest = hmac.digest("schlüssel".encode(), "/my photo ü?.jpg?watermark=a~b".encode(), hashlib.sha256)

    assert urlsafe_b64decode(sign("schlüssel", "/my photo ü?.jpg", {"watermark": "a~b"}) + "=") == digest


@given(paths, queries, st.randoms())
def test_the_same_parameters_are_good_in_any_order_and_encoding(path, query, random):
    items = list(signed(path, query).items())
    random.shuffle(items)

    def encoded(text):
        return "".join(quote(letter, safe=random.choice(["", "/,~=:"])) for letter in text)

    written = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in items)

    assert is_signed([KEY], path, dict(parse_qsl(written, keep_blank_values=True, strict_parsing=bool(written))))


@given(paths, queries, paths, queries)
def test_a_signature_is_good_for_its_own_request_alone(path, query, other_path, other_query):
    assume((path, query) != (other_path, other_query))

    assert not is_signed([KEY], other_path, {**other_query, "sig": sign(KEY, path, query)})


@given(paths, queries, texts, texts)
def test_a_request_can_not_be_written_as_another(path, query, name, value):
    """Also with the marks in it that part names from values, parameters from each other, and the path from them."""
    assume(name not in {*query, "sig", "again"})

    assert not is_signed([KEY], path, {**signed(path, query), name: value})


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/a", {"width": "300&format=webp"}),
        ("/a", {"width": "300", "format=webp&x": "y"}),
        ("/a?width=300&format=webp", {}),
        ("/a", {"format": "webp", "width": "300?"}),
        ("/a?format=webp", {"width": "300"}),
        ("/A", {"format": "webp", "width": "300"}),
        ("/a/", {"format": "webp", "width": "300"}),
        ("//a", {"format": "webp", "width": "300"}),
        ("a", {"format": "webp", "width": "300"}),
        ("/a", {"format": "webp", "width": "0300"}),
        ("/a", {"format": "webp", "Width": "300"}),
        ("/a", {"format": "webp", "width": "300", "exp": "9999999999"}),
        ("/a", {"format": "webp", "width": "300", "": ""}),
        ("/a\ud800", {"format": "webp", "width": "300"}),
    ],
)
def test_no_spelling_of_it_passes_for_the_signed_request(path, parameters):
    signature = sign(KEY, "/a", {"format": "webp", "width": "300"})

    assert is_signed([KEY], "/a", {"format": "webp", "width": "300", "sig": signature})
    assert not is_signed([KEY], path, {**parameters, "sig": signature})


@pytest.mark.parametrize(
    ("signed_one", "other"),
    [
        (("/a", {"format": "webp", "width": "300"}), ("/a", {"format": "webp&width=300"})),
        (("/a", {"format": "webp", "width": "300"}), ("/a", {"format=webp&width": "300"})),
        (("/a?x=1", {"width": "300"}), ("/a", {"x": "1?width=300"})),
        (("/a?x=1", {"width": "300"}), ("/a", {"x=1?width": "300"})),
        (("/a", {"x": "y=1"}), ("/a", {"x=y": "1"})),
    ],
)
def test_no_two_requests_share_a_signature(signed_one, other):
    """These would have the same text to sign, were the marks in it allowed in names and values."""
    assert is_signed([KEY], signed_one[0], signed(*signed_one))
    assert not is_signed([KEY], other[0], {**other[1], "sig": sign(KEY, *signed_one)})


@given(st.integers(0, 42), st.sampled_from(BASE64URL))
def test_any_change_of_the_signature_is_refused(place, letter):
    signature = sign(KEY, PATH, ASKED)
    assume(signature[place] != letter)

    assert not is_signed([KEY], PATH, {**ASKED, "sig": signature[:place] + letter + signature[place + 1 :]})


@pytest.mark.parametrize("change", [str.lower, lambda sig: sig + "=", lambda sig: sig[:-1], lambda sig: f" {sig}"])
def test_a_signature_has_one_spelling(change):
    assert not is_signed([KEY], PATH, {**ASKED, "sig": change(sign(KEY, PATH, ASKED))})


@pytest.mark.parametrize("sig", ["", "ü" * 43, "\ud800", "0" * 43, "x" * 100_000])
def test_any_text_may_come_as_signature(sig):
    assert not is_signed([KEY], PATH, {**ASKED, "sig": sig})


def test_what_the_function_s_redirect_adds_is_not_signed():
    assert is_signed([KEY], PATH, {**signed(), "again": "1"})


@pytest.mark.parametrize("keys", [(KEY, OTHER), (OTHER, KEY), (KEY,)])
def test_each_key_is_good(keys):
    assert is_signed(iter(keys), PATH, signed())


@pytest.mark.parametrize("keys", [(), (OTHER,)])
def test_without_the_key_it_was_signed_with_nothing_is_good(keys):
    assert not is_signed(keys, PATH, signed())


@pytest.mark.parametrize("sig", [sign(KEY, PATH, ASKED), sign(OTHER, PATH, ASKED), "wrong", None])
def test_the_time_it_takes_tells_nothing(monkeypatch, sig):
    """Every key is compared in constant time, whichever is right."""
    compared = []
    constant = hmac.compare_digest

    def noting(ours, given):
        compared.append((type(ours), type(given)))
        return constant(ours, given)

    monkeypatch.setattr(signatures.hmac, "compare_digest", noting)
    is_signed([KEY, OTHER], PATH, {**ASKED, "sig": sig} if sig else ASKED)

    assert compared == [(bytes, bytes)] * 2


@pytest.mark.parametrize(("now", "good"), [(1763999999.9, True), (1764000000, False), (1764000001, False)])
def test_a_signature_is_good_until_it_expires(now, good):
    if good:
        check(PATH, signed(), [KEY], now)
        return
    with pytest.raises(BadSignature, match="the signature has expired since 2025-11-24T16:00:00Z"):
        check(PATH, signed(), [KEY], now)


def test_without_expiry_a_signature_is_good_for_ever():
    check(PATH, signed(parameters={"width": "300"}), [KEY], 10**12)


@pytest.mark.parametrize("parameters", [ASKED, {**ASKED, "sig": ""}, {}])
def test_a_missing_signature_is_told(parameters):
    with pytest.raises(BadSignature, match="the signature is missing: parameter sig"):
        check(PATH, parameters, [KEY], 0)


def test_a_wrong_signature_is_told_apart_from_an_expired_one():
    with pytest.raises(BadSignature, match="the signature is wrong"):
        check(PATH, signed(key=OTHER), [KEY], 10**12)


@pytest.mark.parametrize("exp", ["", "soon", "-1", "1.5", "+1", " 1", "1_0", "٣", "1e9", "9" * 13, "9" * 5000])
def test_an_expiry_that_is_no_time_is_refused_by_name(exp):
    with pytest.raises(InvalidRequest, match=r"parameter exp: got .*, allowed: whole seconds since 1970") as caught:
        check(PATH, signed(parameters={"exp": exp}), [KEY], 0)

    assert type(caught.value) is InvalidRequest
    assert len(str(caught.value)) < 200


def test_the_last_expiry_can_be_told():
    with pytest.raises(BadSignature, match="since 9999-12-31T23:59:59Z"):
        check(PATH, signed(parameters={"exp": "253402300799"}), [KEY], 1e12)


def test_signing_needs_nothing_but_the_standard_library():
    """`deployment/sign.py` runs where nothing is installed."""
    src = Path(signatures.__file__).parents[2]
    command = "import sys; sys.path.insert(0, sys.argv[1]); from image_processor.urls.signatures import sign"
    subprocess.run([sys.executable, "-IS", "-c", command, str(src)], check=True)
