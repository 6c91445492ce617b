"""`nearest`: generates the input types of similarity search, and turns their values into the similarity that orders a
list.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import strawberry
from strawberry.utils.str_converters import to_camel_case

from loaders.errors import BadInput
from loaders.read import CosineSimilarity, Words
from schema.mapping import types
from schema.mapping.object import ObjectMapping
from schema.mapping.variables import take

MAX_TEXT = 8_000


@strawberry.input(description="The vector to search near, or a text whose embedding is that vector.", one_of=True)
class VectorInput:
    vector: list[float] | None = strawberry.field(
        default=strawberry.UNSET,
        description="As many numbers as the column's vectors have, not all of them 0. Its length does not matter.",
    )
    text: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"1 to {MAX_TEXT:,} characters that are not all spaces."
    )


types.register("VectorInput", VectorInput)


def make_nearest(mapping: ObjectMapping) -> None:
    """Registers `{type}Nearest`, a `@oneOf` input, if the type has a column of vectors."""
    fields: dict[str, tuple[Any, str]] = {
        to_camel_case(column): (VectorInput, mapping.table.column(column).description) for column in mapping.searchable
    }
    if fields:
        types.make_input(f"{mapping.name}Nearest", fields, f"By what `{mapping.name}` rows are found.", one_of=True)


def similarity(nearest: Mapping[str, Any] | None, mapping: ObjectMapping) -> CosineSimilarity | None:
    """The similarity of a coerced `nearest` value. Raises `BadInput` for a vector of wrong dimensions or zero length,
    and for an empty text.
    """
    if nearest is None:
        return None
    ((name, given),) = nearest.items()
    column = next(each for each in mapping.searchable if to_camel_case(each) == name)
    ((form, value),) = given.items()
    dimensions = mapping.table.column(column).type.dimensions
    assert dimensions is not None, "vectors without dimensions are not described"
    made = take(value, words if form == "text" else partial(_direction, name=name, dimensions=dimensions))
    return CosineSimilarity(column, cast("tuple[float, ...] | Words", made))


def words(text: str) -> Words:
    if not text.strip() or len(text) > MAX_TEXT:
        raise BadInput(f"`text` must hold 1 to {MAX_TEXT:,} characters that are not all spaces.")
    return Words(text)


def _direction(vector: Sequence[float], name: str, dimensions: int) -> tuple[float, ...]:
    """The vector scaled to length 1, so that every number in it fits the store's 32-bit floats."""
    if len(vector) != dimensions:
        raise BadInput(f"`vector` of `{name}` has {len(vector)} numbers, and the column's vectors have {dimensions}.")
    largest = max(map(abs, vector))
    if largest == 0:
        raise BadInput("A vector of zeros has no direction. Search by another one.")
    scaled = [number / largest for number in vector]
    length = math.hypot(*scaled)
    return tuple(number / length for number in scaled)
