"""What a column of a model takes less than all values of its kind."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

_SMALL = range(-(2**15), 2**15)


@dataclass(frozen=True, slots=True)
class Limit:
    """None where the column is not bounded. Of an array it is the limit of each item.

    `characters` of a text, `integers` that fit, `whole_digits` of a number before the decimal point, which is rounded
    to `scale` digits after it.
    """

    characters: int | None = None
    integers: range | None = None
    whole_digits: int | None = None
    scale: int = 0


def limit_of(column: sa.Column[object]) -> Limit:
    type_: TypeEngine[object] = getattr(column.type, "item_type", column.type)
    match type_:
        case sa.String(length=int(length)):
            return Limit(characters=length)
        case sa.SmallInteger():
            return Limit(integers=_SMALL)
        case sa.Numeric(precision=int(precision), scale=scale):
            return Limit(whole_digits=precision - (scale or 0), scale=scale or 0)
        case _:
            return Limit()
