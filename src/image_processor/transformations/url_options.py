"""The transformations to which the edge function may resolve the options in a URL's query."""

from collections.abc import Mapping, Sequence

from image_processor.transformations.options import AUTO_FORMATS
from image_processor.transformations.transformation import Transformation


def resolutions(query: Mapping[str, str], ladder: Sequence[int]) -> frozenset[str]:
    """The canonical texts to which the edge function may resolve a query, whose names and values are decoded.

    Usually one; with `format=auto` up to three, because the viewer's browser decides; none for an empty query. Raises
    `InvalidTransformation` for what the edge function refuses, with the same message.
    """
    if not query:
        return frozenset()
    options = sorted(query.items())  # so that both languages report the same one of two faults
    texts = {str(Transformation.of(options).on_ladder(ladder))}
    if any(name.lower() == "format" and value.lower() == "auto" for name, value in options):
        others = [option for option in options if option[0].lower() != "format"]
        texts |= {str(Transformation.of([*others, ("format", name)]).on_ladder(ladder)) for name in AUTO_FORMATS}
    return frozenset(texts)
