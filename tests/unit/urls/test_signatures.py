"""Signatures: valid in any order and encoding of the signed request, for no other request, and until they expire."""

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

KEY, OTHER_KEY = "k" * 64, "o" * 64
PATH = "/cats/rio.jpg"
PARAMETERS = {"width": "300", "format": "auto", "exp": "1764000000"}
BASE64URL = string.ascii_letters + string.digits + "-_"

texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.text(st.characters(codec="utf-8", exclude_characters="?&="), min_size=1, max_size=8)
values = st.text(st.characters(codec="utf-8", exclude_characters="?&"), max_size=8)
paths = texts.map("/".__add__)
queries = st.dictionaries(names, values, max_size=4).map(
    lambda query: {name: value for name, value in query.items() if name not in ("sig", "again")}
)


def signed(path=PATH, parameters=PARAMETERS, key=KEY):
    return {**parameters, "sig": sign(key, path, parameters)}


def test_the_signature_of_the_documented_request():
    """The output of `openssl dgst -sha256 -hmac KEY -binary | base64` for the documented text, with `+/=` replaced."""
    assert sign(KEY, PATH, PARAMETERS) == "RvzXWJCztVZBL0DgkibfiQkzm3nrwAeAJNlQMirmdkA"


def test_unicode_is_signed_as_utf_8():
    digest = hmac.digest("schlüssel".encode(), "/my photo ü?.jpg?watermark=a~b".encode(), hashlib.sha256)

    assert urlsafe_b64decode(sign("schlüssel", "/my photo ü?.jpg", {"watermark": "a~b"}) + "=") == digest


@given(paths, queries, st.randoms())
def test_a_signature_is_valid_in_any_parameter_order_and_percent_encoding(path, query, random):
    items = list(signed(path, query).items())
    random.shuffle(items)

    def encoded(text):
        return "".join(quote(letter, safe=random.choice(["", "/,~=:"])) for letter in text)

    written = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in items)

    assert is_signed([KEY], path, dict(parse_qsl(written, keep_blank_values=True, strict_parsing=bool(written))))


@given(paths, queries, paths, queries)
def test_a_signature_is_valid_only_for_its_own_request(path, query, other_path, other_query):
    assume((path, query) != (other_path, other_query))

    assert not is_signed([KEY], other_path, {**other_query, "sig": sign(KEY, path, query)})


@given(paths, queries, texts, texts)
def test_a_signature_is_invalid_for_a_request_with_another_parameter(path, query, name, value):
    """Including names and values that contain the separators `=`, `&` and `?`."""
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
def test_a_request_that_differs_from_the_signed_one_is_invalid(path, parameters):
    signature = sign(KEY, "/a", {"format": "webp", "width": "300"})

    assert is_signed([KEY], "/a", {"format": "webp", "width": "300", "sig": signature})
    assert not is_signed([KEY], path, {**parameters, "sig": signature})


@pytest.mark.parametrize(
    ("signed_request", "other_request"),
    [
        (("/a", {"format": "webp", "width": "300"}), ("/a", {"format": "webp&width=300"})),
        (("/a", {"format": "webp", "width": "300"}), ("/a", {"format=webp&width": "300"})),
        (("/a?x=1", {"width": "300"}), ("/a", {"x": "1?width=300"})),
        (("/a?x=1", {"width": "300"}), ("/a", {"x=1?width": "300"})),
        (("/a", {"x": "y=1"}), ("/a", {"x=y": "1"})),
    ],
)
def test_requests_that_differ_in_their_separators_have_different_signatures(signed_request, other_request):
    """If names and values could contain separators, the two requests would have the same signed text."""
    assert is_signed([KEY], signed_request[0], signed(*signed_request))
    assert not is_signed([KEY], other_request[0], {**other_request[1], "sig": sign(KEY, *signed_request)})


@given(st.integers(0, 42), st.sampled_from(BASE64URL))
def test_a_signature_with_one_changed_character_is_invalid(index, letter):
    signature = sign(KEY, PATH, PARAMETERS)
    assume(signature[index] != letter)

    assert not is_signed([KEY], PATH, {**PARAMETERS, "sig": signature[:index] + letter + signature[index + 1 :]})


@pytest.mark.parametrize("change", [str.lower, lambda sig: sig + "=", lambda sig: sig[:-1], lambda sig: f" {sig}"])
def test_a_signature_in_another_case_length_or_padding_is_invalid(change):
    assert not is_signed([KEY], PATH, {**PARAMETERS, "sig": change(sign(KEY, PATH, PARAMETERS))})


@pytest.mark.parametrize("sig", ["", "ü" * 43, "\ud800", "0" * 43, "x" * 100_000])
def test_an_arbitrary_text_is_an_invalid_signature(sig):
    assert not is_signed([KEY], PATH, {**PARAMETERS, "sig": sig})


def test_the_parameter_that_a_redirect_adds_is_not_signed():
    assert is_signed([KEY], PATH, {**signed(), "again": "1"})


@pytest.mark.parametrize("keys", [(KEY, OTHER_KEY), (OTHER_KEY, KEY), (KEY,)])
def test_a_signature_by_any_of_the_keys_is_valid(keys):
    assert is_signed(iter(keys), PATH, signed())


@pytest.mark.parametrize("keys", [(), (OTHER_KEY,)])
def test_a_signature_by_another_key_is_invalid(keys):
    assert not is_signed(keys, PATH, signed())


@pytest.mark.parametrize("sig", [sign(KEY, PATH, PARAMETERS), sign(OTHER_KEY, PATH, PARAMETERS), "wrong", None])
def test_the_time_of_a_check_reveals_nothing(monkeypatch, sig):
    """Every key is compared in constant time, whichever of them matches."""
    compared = []
    constant = hmac.compare_digest

    def record_types(expected, given):
        compared.append((type(expected), type(given)))
        return constant(expected, given)

    monkeypatch.setattr(signatures.hmac, "compare_digest", record_types)
    is_signed([KEY, OTHER_KEY], PATH, {**PARAMETERS, "sig": sig} if sig else PARAMETERS)

    assert compared == [(bytes, bytes)] * 2


@pytest.mark.parametrize(("now", "valid"), [(1763999999.9, True), (1764000000, False), (1764000001, False)])
def test_a_signature_is_valid_until_it_expires(now, valid):
    if valid:
        check(PATH, signed(), [KEY], now)
        return
    with pytest.raises(BadSignature, match="the signature expired at 2025-11-24T16:00:00Z"):
        check(PATH, signed(), [KEY], now)


def test_a_signature_without_expiry_never_expires():
    check(PATH, signed(parameters={"width": "300"}), [KEY], 10**12)


@pytest.mark.parametrize("parameters", [PARAMETERS, {**PARAMETERS, "sig": ""}, {}])
def test_a_missing_signature_is_reported_as_missing(parameters):
    with pytest.raises(BadSignature, match="the signature is missing: parameter sig"):
        check(PATH, parameters, [KEY], 0)


def test_a_wrong_signature_is_reported_as_wrong_even_if_expired():
    with pytest.raises(BadSignature, match="the signature is wrong"):
        check(PATH, signed(key=OTHER_KEY), [KEY], 10**12)


@pytest.mark.parametrize("exp", ["", "soon", "-1", "1.5", "+1", " 1", "1_0", "٣", "1e9", "9" * 13, "9" * 5000])
def test_an_expiry_that_is_not_a_time_is_an_invalid_request(exp):
    with pytest.raises(InvalidRequest, match=r"parameter exp: got .*, allowed: whole seconds since 1970") as caught:
        check(PATH, signed(parameters={"exp": exp}), [KEY], 0)

    assert type(caught.value) is InvalidRequest
    assert len(str(caught.value)) < 200


def test_the_latest_expiry_can_be_shown_in_the_error():
    with pytest.raises(BadSignature, match="expired at 9999-12-31T23:59:59Z"):
        check(PATH, signed(parameters={"exp": "253402300799"}), [KEY], 1e12)


def test_signing_needs_only_the_standard_library():
    """`deployment/sign.py` runs without installed packages."""
    src = Path(signatures.__file__).parents[2]
    command = "import sys; sys.path.insert(0, sys.argv[1]); from image_processor.urls.signatures import sign"
    subprocess.run([sys.executable, "-IS", "-c", command, str(src)], check=True)
