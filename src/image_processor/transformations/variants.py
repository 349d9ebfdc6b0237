"""A stack's variants: named transformations, rendered for every source."""

import re
from dataclasses import dataclass
from typing import Final

from image_processor.errors import InvalidTransformation, shown
from image_processor.transformations.transformation import Transformation, check_area

VARIANT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Variant:
    """A named transformation, rendered for every source."""

    name: str
    transformation: Transformation


def parse_variants(text: str) -> tuple[Variant, ...]:
    """Read `name:transformation` joined by semicolons; raises `InvalidTransformation`, naming the variant."""
    variants: dict[str, Variant] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, colon, options = (piece.strip() for piece in part.partition(":"))
        if not colon or not VARIANT_NAME.fullmatch(name):
            raise InvalidTransformation(
                f"variant {shown(part)} is not name:transformation, with a name of 1 to 64 letters, digits, '-' and '_'"
            )
        if name in variants:
            raise InvalidTransformation(f"variant {name} is given twice")
        if re.search("[,&] *[A-Za-z0-9_-]+ *:[^,&]*=", options):  # the next variant
            raise InvalidTransformation(
                f"variant {name}: got {shown(options)}; semicolons join the variants: small:width=300;large:width=900"
            )
        try:
            variants[name] = Variant(name, Transformation.parse(options))
            check_area(variants[name].transformation)
        except InvalidTransformation as error:
            raise InvalidTransformation(f"variant {name}: {error}") from error
    if not variants:
        raise InvalidTransformation("there must be at least one variant, such as thumbnail:width=128,height=128")
    return tuple(variants.values())
