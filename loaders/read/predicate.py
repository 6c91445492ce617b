"""Predicates: conditions on a row, and on the rows related to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from loaders.description import Table
from loaders.read.expression import Expression, Slot, Value


@dataclass(frozen=True, slots=True)
class Join:
    """How a related table is reached: `target.remote[i] = own.local[i]` for each i."""

    target: Table
    local: tuple[str, ...]
    remote: tuple[str, ...]


class Op(StrEnum):
    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IS_NULL = "is_null"  # value True or False
    LIKE = "like"
    ILIKE = "ilike"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"  # JSON or array contains value
    CONTAINED_BY = "contained_by"
    HAS_KEY = "has_key"
    BBOX = "bbox"  # value (west, south, east, north) in degrees
    INTERSECTS = "intersects"  # value GeoJSON text
    WITHIN = "within"  # value GeoJSON text
    DWITHIN = "dwithin"  # value (GeoJSON text, metres)


@dataclass(frozen=True, slots=True)
class Compare:
    """`expression op value`. IN and NOT_IN take a tuple. Null never equals: SQL's three-valued logic applies."""

    expression: Expression
    op: Op
    value: Value


@dataclass(frozen=True, slots=True)
class Among:
    """The row's `columns` together equal one of `rows`. They belong to a key, so neither they nor `rows` hold nulls."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...] | Slot


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    term: "Predicate"


@dataclass(frozen=True, slots=True)
class Exists:
    """At least one row of the related table matches. `none` is Not(Exists); `every` that no row fails to match."""

    join: Join
    where: "Predicate | None" = None


@dataclass(frozen=True, slots=True)
class Never:
    """No row: what a guard adds if nothing is visible. A store need not be asked."""


Predicate: TypeAlias = Compare | Among | And | Or | Not | Exists | Never


def conjunction(terms: Iterable[Predicate | None]) -> Predicate | None:
    """All of the terms, of which `None` is always true. A single term stands by itself; without any, `None`."""
    given = tuple(term for term in terms if term is not None)
    return And(given) if len(given) > 1 else given[0] if given else None


def is_never(predicate: Predicate | None) -> bool:
    """True when no row can match, so that the store need not be asked."""
    match predicate:
        case Never():
            return True
        case And(terms):
            return any(is_never(term) for term in terms)
        case Or(terms):
            return all(is_never(term) for term in terms)
        case _:
            return False
