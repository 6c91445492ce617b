"""What a column of a model takes less than all values of its kind."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

_MAX_INDEXED = 1_024
"""Bytes of a text in an index: a row of one holds at most 2,704, and no index here has more than two such columns."""
_SMALL = range(-(2**15), 2**15)


@dataclass(frozen=True, slots=True)
class Limit:
    """None where the column is not bounded. Of an array it is the limit of each item.

    `characters` of a text, its `bytes` in UTF-8, and whether it `may_be_blank`; `integers` that fit; `whole_digits` of
    a number before the decimal point, which is rounded to `scale` digits after it.
    """

    characters: int | None = None
    bytes: int | None = None
    may_be_blank: bool = True
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
        case sa.Text() if type_ is column.type:
            return _of_text(column)
        case _:
            return Limit()


def _of_text(column: sa.Column[object]) -> Limit:
    """What a row is found by is not blank, nor is what it must have, nor the name of anything: null says none."""
    table = column.table
    assert isinstance(table, sa.Table)
    unique = (rule for rule in table.constraints if isinstance(rule, sa.UniqueConstraint | sa.PrimaryKeyConstraint))
    indexed = any(column.name in each.columns for each in (*unique, *table.indexes))
    filled = indexed or not column.nullable or column.name.endswith("_name")
    return Limit(bytes=_MAX_INDEXED if indexed else None, may_be_blank=not filled)
