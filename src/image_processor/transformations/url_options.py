"""The transformations that the options in a URL's query stand for."""

from collections.abc import Mapping, Sequence

from image_processor.transformations.options import AUTO_FORMATS
from image_processor.transformations.transformation import Transformation


def resolutions(query: Mapping[str, str], ladder: Sequence[int]) -> frozenset[str]:
    """The canonical texts that the edge may make of a URL's options: the names and values of its query, decoded.

    One, or with `format=auto` up to three, since the viewer's browser decides; none of no options. Raises
    `InvalidTransformation` for what the edge refuses, with the same words.
    """
    if not query:
        return frozenset()
    options = sorted(query.items())  # so that of two faults both languages name the same
    texts = {str(Transformation.of(options).on_ladder(ladder))}
    if any(name.lower() == "format" and value.lower() == "auto" for name, value in options):
        others = [option for option in options if option[0].lower() != "format"]
        texts |= {str(Transformation.of([*others, ("format", name)]).on_ladder(ladder)) for name in AUTO_FORMATS}
    return frozenset(texts)
