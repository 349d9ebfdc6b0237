"""The errors: the documented tree, values in messages, and exceptions as values."""

import inspect
import re
from collections.abc import Callable

import pytest

from image_processor import errors
from image_processor.errors import SHOWN, ImageProcessorError, InternalError, Throttled, attempt, shown

ROW = re.compile(
    r"^\s*(?P<branch>[│├└─ ]*)(?P<name>\w+)\s{2,}(?P<code>[a-z-]+)\s+(?P<status>\d{3})\s+(?P<retried>yes|no)$",
    re.MULTILINE,
)
CLASSES = {
    name: kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ImageProcessorError) and kind is not ImageProcessorError
}


def documented_tree() -> dict[str, tuple[str, str, int, bool]]:
    """The tree as the docstring shows it: name → parent's name, code, status, retried."""
    path, rows = ["ImageProcessorError"], {}
    for row in ROW.finditer(errors.__doc__):
        depth = len(row["branch"]) // 4
        path[depth:] = [row["name"]]
        rows[row["name"]] = (path[depth - 1], row["code"], int(row["status"]), row["retried"] == "yes")
    return rows


def action_that_raises(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def test_the_documented_tree_matches_the_classes():
    assert documented_tree() == {
        name: (kind.__bases__[0].__name__, kind.code, kind.status, kind.retryable) for name, kind in CLASSES.items()
    }


def test_every_error_has_a_unique_code():
    codes = [kind.code for kind in CLASSES.values()]

    assert len(set(codes)) == len(codes) == 15
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("name", CLASSES)
def test_an_error_is_retryable_exactly_if_its_status_is_5xx(name):
    kind = CLASSES[name]

    assert kind.retryable == (kind.status >= 500)
    assert inspect.getdoc(kind)
    assert str(kind("a message")) == "a message"


def test_a_value_in_a_message_is_truncated_after_80_characters():
    assert shown("5\n") == r"'5\n'"
    assert shown(None) == "null"
    assert shown(["\ud800"]) == '["\\ud800"]', "an unpaired surrogate has no UTF-8 encoding, so it is escaped"
    assert shown("x" * 78) == f"'{'x' * 78}'"
    assert shown("x" * 79) == f"'{'x' * 79}…"
    assert len(shown("x" * 10**6)) == SHOWN + 1


def test_an_attempt_returns_the_value_of_its_action():
    assert attempt(lambda: "value") == "value"


def test_an_attempt_returns_a_known_error_unchanged():
    error = Throttled("S3 is busy")

    assert attempt(action_that_raises(error)) is error


def test_an_attempt_returns_an_unknown_exception_as_an_internal_error_with_its_cause():
    fault = KeyError("arn:aws:iam::123456789012:role/inner")

    error = attempt(action_that_raises(fault))

    assert isinstance(error, InternalError)
    assert error.__cause__ is fault
    assert "arn:" not in str(error)


@pytest.mark.parametrize("end", [SystemExit(), KeyboardInterrupt()])
def test_an_attempt_does_not_catch_the_end_of_the_process(end):
    with pytest.raises(type(end)):
        attempt(action_that_raises(end))
