"""`orderBy`: generates the input types of a table-backed type, and turns their values into the order of a `Read`."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import strawberry

from loaders.encode.value import SORTABLE
from loaders.errors import BadInput
from loaders.read import Col, CountOf, OrderBy, SortKey, Through
from resolvers.sort_order import sort_order
from schema.mapping import types
from schema.mapping.object import OBJECTS, ColumnField, EdgeField, ObjectMapping, join, joinable
from schema.mapping.variables import decide

_MAX_JOINS = 8
"""Relations on the way of one term: each is a subquery within the last."""
MAX_TERMS = 64
"""Of one order."""


@strawberry.enum(description="A direction, and where nulls go. Nulls count as largest unless said otherwise.")
class SortOrder(Enum):
    ASC = strawberry.enum_value("ASC", description="Smallest first, nulls last.")
    DESC = strawberry.enum_value("DESC", description="Largest first, nulls first.")
    ASC_NULLS_FIRST = strawberry.enum_value("ASC_NULLS_FIRST", description="Smallest first, nulls before all.")
    DESC_NULLS_LAST = strawberry.enum_value("DESC_NULLS_LAST", description="Largest first, nulls after all.")


types.register("SortOrder", SortOrder)


def make_order(mapping: ObjectMapping) -> None:
    """Registers `{type}OrderBy` and `{type}ManyOrderBy`, both `@oneOf` inputs.

    They have no relations into other stores, whose rows would have to be fetched before the page is known.
    """
    fields: dict[str, tuple[Any, str]] = {}
    for name, field in mapping.fields.items():
        match field:
            case ColumnField(column) if mapping.table.column(column).type.kind in SORTABLE:
                fields[name] = (SortOrder, f"Sort by `{name}`.")
            case EdgeField(target, _, _, many, _) if joinable(mapping, target) and many:
                fields[name] = (types.lazy(f"{target}ManyOrderBy"), f"Sort by the related `{name}`.")
            case EdgeField(target, _, _, _, _) if joinable(mapping, target):
                fields[name] = (types.lazy(f"{target}OrderBy"), f"Sort by the related `{name}`; null if there is none.")
    types.make_input(f"{mapping.name}OrderBy", fields, f"A sort term for `{mapping.name}` rows.", one_of=True)
    counted: dict[str, tuple[Any, str]] = {"count": (SortOrder, "Sort by the number of related rows that you may see.")}
    types.make_input(
        f"{mapping.name}ManyOrderBy", counted, f"A sort term over related `{mapping.name}` rows.", one_of=True
    )


def order(terms: list[Mapping[str, Any]] | None, mapping: ObjectMapping) -> tuple[OrderBy, ...]:
    """The order terms of a coerced `orderBy` value without repetitions. Raises `BadInput` for too many terms."""
    check_terms(terms or ())
    found: dict[SortKey, OrderBy] = {}
    for term in terms or ():
        made = _term(term, mapping)
        found.setdefault(made.expression, made)
    return tuple(found.values())


def check_terms(terms: Sequence[object]) -> None:
    if len(terms) > MAX_TERMS:
        raise BadInput(f"`orderBy` has {len(terms)} terms, and at most {MAX_TERMS} are sorted by. Leave out the last.")


def _term(term: Mapping[str, Any], mapping: ObjectMapping) -> OrderBy:
    key, direction = _key(term, mapping, _MAX_JOINS)
    descending, nulls_first = decide(direction, direction_of)
    return OrderBy(key, descending=descending, nulls_first=nulls_first)


def _key(term: Mapping[str, Any], mapping: ObjectMapping, joins: int) -> tuple[SortKey, Any]:
    """The expression of a term, and its direction."""
    ((name, below),) = term.items()
    match mapping.fields[name]:
        case ColumnField(column):
            return Col(column), below
        case EdgeField() if not joins:
            raise BadInput(f"A term of `orderBy` goes through at most {_MAX_JOINS} relations.")
        case EdgeField(many=True) as edge:
            return CountOf(join(edge)), below["count"]
        case EdgeField() as edge:
            key, direction = _key(below, OBJECTS[edge.target], joins - 1)
            return Through(join(edge), key), direction
    raise AssertionError(f"{mapping.name} cannot be ordered by {name}")


def direction_of(direction: Any) -> tuple[bool, bool | None]:
    """Whether a coerced `SortOrder` is descending, and where it places nulls."""
    return sort_order(direction.name if isinstance(direction, Enum) else str(direction))
