"""Strategies for URLs: keys of sources, and queries with values that the table of options allows, and others."""

from hypothesis import strategies as st

from image_processor.transformations.kinds import COLOURS, Option
from image_processor.transformations.options import OPTIONS

# Characters of numbers, words and quotes, and letters whose lower case is another letter, several letters, or none.
junk = st.text(st.sampled_from("0123456789.aeflnoprtx_-+%#&=,/;'\"\\ \t\n\u212a\u0130\u017fßΣüñ٣ö写"), max_size=12)
wild = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)), max_size=90)
case = st.sampled_from([str, str, str, str.upper, str.title, str.swapcase])


def _decimals(low: float, high: float) -> st.SearchStrategy[str]:
    exact = st.integers(round(low * 100), round(high * 100)).map(lambda number: f"{number / 100:.2f}")
    return st.one_of(exact, exact.map(lambda text: text.rstrip("0").rstrip(".")))


def _allowed(option: Option) -> st.SearchStrategy[str]:
    low, high = option.minimum, option.maximum
    match option.kind:
        case "whole number":
            return st.one_of(st.integers(int(low), int(high)), st.integers(int(low), int(low) + 99)).map(str)
        case "decimal":
            return _decimals(low, high)
        case "switch":
            return st.sampled_from(["true", "false"])
        case "colour":
            digits = st.text(st.sampled_from("0f8aF"), min_size=3, max_size=8)
            return st.one_of(st.sampled_from(list(COLOURS)), digits, digits.map(lambda text: f"#{text}"))
        case "rectangle":
            number = st.sampled_from(["0", "1", "007", "500", "65535", "65536"])
            return st.lists(number, min_size=4, max_size=4).map("_".join)
        case "key":
            return st.text(st.sampled_from("abcXYZ0189._~-"), min_size=1, max_size=20)
        case _:
            aliases = [alias for alias, _ in option.aliases]
            often = ["auto", "auto"] if "auto" in option.choices else []
            return st.sampled_from([*option.choices, *aliases, *often])


@st.composite
def _pair(draw: st.DrawFn) -> tuple[str, str]:
    option = draw(st.sampled_from(OPTIONS))
    name, value = draw(case)(option.name), draw(_allowed(option))
    return name, value if option.keeps_case else draw(case)(value)


@st.composite
def _fault(draw: st.DrawFn) -> tuple[str, str]:
    name, value = draw(_pair())
    match draw(st.integers(0, 3)):
        case 0:
            return draw(st.one_of(junk, wild)), value
        case 1:
            return name, draw(st.one_of(junk, wild))
        case 2:
            index = draw(st.integers(0, len(value)))
            return name, value[:index] + draw(junk) + value[index:]
        case _:
            return name, draw(_pair())[1]


keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.text(
    "/.=2Fa ~%+\n\x00", min_size=1, max_size=9
)
names = st.sampled_from([option.name for option in OPTIONS])
OWN_NAMES = ("exp", "sig", "again", "variant", "v", "Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
queries = (
    st.tuples(
        st.lists(_pair(), min_size=1, max_size=9), st.one_of(st.just([]), st.just([]), st.lists(_fault(), max_size=2))
    )
    .map(lambda pairs: dict(pairs[0] + pairs[1]))
    .filter(lambda query: not set(query) & set(OWN_NAMES))
)
