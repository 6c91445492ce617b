"""Validates the values of an input against the columns they are written to, before a store is asked. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

from loaders.description import ColumnType, Kind
from loaders.errors import BadInput
from loaders.postgres.stored_table import StoredTable
from loaders.read import Value
from loaders.tables.limits import Limit
from resolvers.geojson import geometry_to_store
from resolvers.names import checked_name

_MAX_LEVELS = 100
_FLOAT4_MAX = 3.4028234e38  # what a component of a vector holds


Shape: TypeAlias = Callable[[Value], Value]
"""What a JSON value must be: it is returned as it is stored, or `ValueError` says what is wrong, after "`field` "."""


def checked(
    values: Mapping[str, Value],
    *,
    into: StoredTable,
    names: Mapping[str, str],
    shapes: Mapping[str, Shape] = MappingProxyType({}),
) -> dict[str, Value]:
    """The values by column, as they are bound. `BadInput` names the field, as in `names`, and what it accepts."""
    written: dict[str, Value] = {}
    for column, value in values.items():
        described = into.table.column(column)
        if value is None and not described.nullable:
            raise BadInput(f"`{names[column]}` must not be null.", field=names[column])
        try:
            bound = None if value is None else _checked(value, described.type, into.limit(column))
            if column == "name" and bound is not None:
                bound = checked_name(str(bound), field=names[column])
            written[column] = shapes[column](bound) if bound is not None and column in shapes else bound
        except ValueError as error:
            raise BadInput(f"`{names[column]}` {error}.", field=names[column]) from None
    return written


def _checked(value: Value, type_: ColumnType, limit: Limit) -> Value:
    match type_.kind:
        case Kind.TEXT:
            check_text(value)
            if limit.characters is not None and len(str(value)) > limit.characters:
                raise ValueError(f"may have at most {limit.characters} characters")
            if limit.bytes is not None and len(str(value).encode()) > limit.bytes:
                raise ValueError(f"may have at most {limit.bytes:,} bytes in UTF-8")
            if not (limit.may_be_blank or str(value).strip()):
                raise ValueError("must not be blank")
        case Kind.JSON:
            check_text(value)
        case Kind.ARRAY:
            assert isinstance(value, list)
            assert type_.element is not None
            return [_checked(item, type_.element, limit) for item in value]
        case Kind.INTEGER if limit.integers is not None and value not in limit.integers:
            raise ValueError(f"is not within {limit.integers[0]} and {limit.integers[-1]}")
        case Kind.VECTOR:
            assert isinstance(value, list)
            if len(value) != type_.dimensions:
                raise ValueError(f"must have {type_.dimensions} numbers")
            if any(abs(number) > _FLOAT4_MAX for number in value):
                raise ValueError("has a number beyond those of 32-bit floats")
        case Kind.NUMERIC if limit.whole_digits is not None:
            whole = limit.whole_digits
            if not -(10**whole) < round(Decimal(str(value)), limit.scale) < 10**whole:
                raise ValueError(f"may have at most {whole} digits before the decimal point")
        case Kind.GEOMETRY:
            return geometry_to_store(str(value), (type_.geometry or "GEOMETRY").upper())
    return value


def check_text(value: object) -> None:
    """Postgres' text is UTF-8 without U+0000, also inside of JSON, whose nesting is bounded by what can be read back.
    Raises `ValueError` for anything else.
    """
    level: list[object] = [value]
    for _ in range(_MAX_LEVELS):
        inner: list[object] = []
        for item in level:
            match item:
                case str():
                    if "\x00" in item or not _is_unicode(item):
                        raise ValueError("has a character that cannot be stored (U+0000 or half of a surrogate pair)")
                case dict():
                    inner += [*item.keys(), *item.values()]
                case list():
                    inner += item
        if not inner:
            return
        level = inner
    raise ValueError(f"is nested more than {_MAX_LEVELS} levels deep")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
