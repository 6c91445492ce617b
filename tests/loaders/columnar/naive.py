"""A naive interpreter of reads over rows in memory: SQL's three-valued logic spelled out in Python. The oracle."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any
from uuid import UUID

from loaders.order import nulls_first, total_order
from loaders.read import Among, And, Col, Compare, JsonPath, Never, Not, Op, Or, OrderBy, Predicate, Read, Slot
from loaders.read import SortKey as Key

Row = dict[str, object]
SortKey = Callable[[object], Any]
ValueOf = Callable[[Key, Row], object]


def holds(predicate: Predicate | None, row: Row, sort_key: SortKey) -> bool | None:
    match predicate:
        case None:
            return True
        case And(terms):
            verdicts = [holds(term, row, sort_key) for term in terms]
            return False if False in verdicts else None if None in verdicts else True
        case Or(terms):
            verdicts = [holds(term, row, sort_key) for term in terms]
            return True if True in verdicts else None if None in verdicts else False
        case Not(term):
            verdict = holds(term, row, sort_key)
            return None if verdict is None else not verdict
        case Never():
            return False
        case Among(columns, rows):
            assert not isinstance(rows, Slot)
            return tuple(row[name] for name in columns) in rows
        case Compare(Col(name), op, value):
            return _compare(op, row[name], value, sort_key)
        case Compare(JsonPath() as at, op, value):
            return _compare(op, json_at(row[at.column], at), value, sort_key)
        case _:
            raise TypeError(predicate)


def json_at(found: Any, at: JsonPath) -> object:
    """What stands at the path, as Postgres spells it."""
    for step in at.path:
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and re.fullmatch("-?[0-9]+", step) and -len(found) <= int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    if at.number:
        return Decimal(str(found)) if type(found) in (int, float) else None
    return found if found is None or isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _compare(op: Op, left: object, right: object, sort_key: SortKey) -> bool | None:
    if op is Op.IS_NULL:
        return (left is None) is right
    if op in (Op.IN, Op.NOT_IN):
        assert isinstance(right, tuple)
        verdicts = [_compare(Op.EQ, left, value, sort_key) for value in right]
        found = True if True in verdicts else None if None in verdicts else False
        return found if op is Op.IN or found is None else not found
    if left is None or right is None:
        return None
    if op in (Op.LIKE, Op.ILIKE):
        return re.fullmatch(_regex(str(right)), str(left), re.DOTALL | (re.I if op is Op.ILIKE else 0)) is not None
    if op is Op.STARTS_WITH:
        return str(left).startswith(str(right))
    if op in (Op.CONTAINS, Op.CONTAINED_BY):
        assert isinstance(left, list)
        assert isinstance(right, tuple)
        return set(left) >= set(right) if op is Op.CONTAINS else set(right) >= set(left)
    a, b = sort_key(left), sort_key(right)
    verdict = {Op.EQ: a == b, Op.NE: a != b, Op.LT: a < b, Op.LTE: a <= b, Op.GT: a > b, Op.GTE: a >= b}[op]
    return bool(verdict)


def _regex(pattern: str) -> str:
    pieces, characters = [], iter(pattern)
    for character in characters:
        if character == "\\":
            pieces.append(re.escape(next(characters)))
        else:
            pieces.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return "".join(pieces)


def own_value(key: Key, row: Row) -> object:
    assert isinstance(key, Col)
    return row[key.name]


def ordered(rows: list[Row], read: Read, sort_key: SortKey, value_of: ValueOf = own_value) -> list[Row]:
    terms = total_order(read.order, read.table)

    def values(row: Row) -> list[Any]:
        found = (_sortable(value_of(term.expression, row)) for term in terms)
        return [None if value is None else sort_key(value) for value in found]

    def compare(a: tuple[list[Any], Row], b: tuple[list[Any], Row]) -> int:
        verdicts = (_compare_term(term, x, y) for term, x, y in zip(terms, a[0], b[0], strict=True))
        return next(filter(None, verdicts), 0)

    found = [(values(row), row) for row in rows if holds(read.where, row, sort_key)]
    return [row for _, row in sorted(found, key=cmp_to_key(compare))]


def _compare_term(term: OrderBy, x: Any, y: Any) -> int:
    if x is None or y is None:
        if x is y:
            return 0
        return (-1 if x is None else 1) * (1 if nulls_first(term) else -1)
    return int((x > y) - (x < y)) * (-1 if term.descending else 1)


def _sortable(value: object) -> object:
    return None if isinstance(value, float) and value != value else value


def bytewise(value: object) -> object:
    """DuckDB's order of a value; UUIDs by their bytes."""
    return value.encode() if isinstance(value, str) else value


def second_half_first(value: object) -> object:
    """ClickHouse's order: UUIDs by their second half."""
    if isinstance(value, UUID):
        return (value.int & (2**64 - 1), value.int >> 64)
    return bytewise(value)
