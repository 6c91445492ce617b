"""`where` over rows in memory: three-valued, as SQL has it. None is unknown."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias

from tests.differential.oracle.inside import as_number, as_text, at_path, in_box, in_rectangle, is_near
from tests.differential.oracle.world import World
from tests.differential.oracle.wrong import wrong
from tests.differential.rows import Row

Verdict: TypeAlias = bool | None


def admits(where: Mapping[str, Any] | None, row: Row, type_: str, world: World) -> Verdict:
    return every(_term(name, value, row, type_, world) for name, value in (where or {}).items())


def every(verdicts: Iterable[Verdict]) -> Verdict:
    found = list(verdicts)
    return False if False in found else None if None in found else True


def some(verdicts: Iterable[Verdict]) -> Verdict:
    found = list(verdicts)
    return True if True in found else None if None in found else False


def negated(verdict: Verdict) -> Verdict:
    return None if verdict is None else not verdict


def _term(name: str, value: Any, row: Row, type_: str, world: World) -> Verdict:
    if value is None:
        raise wrong(f"{name} is null")
    match name:
        case "and":
            return every(admits(each, row, type_, world) for each in value)
        case "or":
            return some(admits(each, row, type_, world) for each in value)
        case "not":
            return negated(admits(value, row, type_, world))
        case "id":
            return every(_has_id(op, ids, row, type_, world) for op, ids in value.items())
    if (column := world.column(type_, name)) is not None:
        key = partial(world.sort_key, type_)
        return every(_compared(op, row[column[0]], operand, key) for op, operand in value.items())
    edge = world.edge(type_, name)
    assert edge is not None
    related = world.related(row, edge)
    if not edge.many:
        return any(admits(value, each, edge.target, world) is True for each in related)
    return every(
        _quantified(quantifier, [admits(below, each, edge.target, world) is True for each in related])
        for quantifier, below in value.items()
    )


def _compared(op: str, left: Any, right: Any, key: Callable[[Any], Any]) -> Verdict:
    if op == "path" and right is not None:
        return every(_at_path(left, asked) for asked in right)
    return compared(op, left, right, key)


def _at_path(document: Any, asked: Mapping[str, Any]) -> Verdict:
    found = at_path(document, asked["at"])
    verdicts = []
    for op, operand in asked.items():
        if op == "number":
            if operand is None:
                raise wrong("number is null")
            verdicts += [compared(each, as_number(found), right, _same_value) for each, right in operand.items()]
        elif op != "at":
            verdicts.append(compared(op, as_text(found), operand, str.encode))
    return every(verdicts)


def _same_value(value: Any) -> Any:
    return value


def _quantified(quantifier: str, matches: list[bool]) -> bool:
    return {"some": any(matches), "none": not any(matches), "every": all(matches)}[quantifier]


def _has_id(op: str, ids: Any, row: Row, type_: str, world: World) -> bool:
    if ids is None:
        raise wrong("a null id")
    own = "|".join(map(str, world.key(type_, row)))
    return own in [key_of(each, type_) for each in (ids if op == "in" else [ids])]


def key_of(node_id: str, type_: str) -> str:
    name, key = read_id(node_id)
    if name != type_:
        raise wrong(f"the id of a {name}, not of a {type_}", "INVALID_ID")
    return key


def read_id(node_id: str) -> tuple[str, str]:
    """Type and key."""
    try:
        name, separator, key = urlsafe_b64decode(node_id + "=" * (-len(node_id) % 4)).decode().partition(":")
    except ValueError:
        raise wrong("the id of nothing", "INVALID_ID") from None
    if not separator:
        raise wrong("the id of nothing", "INVALID_ID")
    return name, key


def compared(op: str, left: Any, right: Any, key: Callable[[Any], Any]) -> Verdict:
    """One operator of a filter on a value; `key` makes of a value what it is ordered by."""
    if right is None or (op in ("in", "notIn") and None in right):
        raise wrong(f"{op} of null")
    if op == "isNull":
        return (left is None) is right
    if op in ("in", "notIn"):
        found = some(compared("eq", left, each, key) for each in right)
        return found if op == "in" else negated(found)
    if left is None:
        return None
    match op:
        case "eq":
            return bool(left == right)
        case "ne":
            return bool(left != right)
        case "lt":
            return bool(key(left) < key(right))
        case "lte":
            return bool(key(left) <= key(right))
        case "gt":
            return bool(key(left) > key(right))
        case "gte":
            return bool(key(left) >= key(right))
        case "like":
            return _like(left, right, re.DOTALL)
        case "ilike":
            return _like(left, right, re.DOTALL | re.IGNORECASE)
        case "startsWith":
            return bool(left.startswith(right))
        case "contains":
            return contains(left, right)
        case "containedBy":
            return contains(right, left)
        case "hasKey":
            return right in left if isinstance(left, dict) else _top_level(left, right)
        case "bbox":
            return in_box(left["coordinates"], right)
        case "intersects" | "within":
            return in_rectangle(left["coordinates"], right)
        case "dWithin":
            return is_near(left["coordinates"], right["geometry"]["coordinates"], right["metres"])
    raise AssertionError(op)


def _like(text: str, pattern: str, flags: int) -> bool:
    """A backslash takes the next character as it is; at the end it stands for itself."""
    pieces, characters = [], iter(pattern)
    for character in characters:
        if character == "\\":
            pieces.append(re.escape(next(characters, "\\")))
        else:
            pieces.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.fullmatch("".join(pieces), text, flags) is not None


def contains(whole: Any, part: Any, *, top: bool = True) -> bool:
    """Postgres' `@>`: objects by some of their keys, lists by some of their items, a list a scalar at the top."""
    match whole, part:
        case dict(), dict():
            return all(name in whole and contains(whole[name], below, top=False) for name, below in part.items())
        case list(), list():
            return all(any(contains(have, want, top=False) for have in whole) for want in part)
        case list(), _ if top and not isinstance(part, dict):
            return any(_same(have, part) for have in whole)
        case _:
            return _same(whole, part)


def _same(left: Any, right: Any) -> bool:
    """Scalars: true is not 1."""
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return False
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _top_level(document: Any, key: str) -> bool:
    """`?` also finds a string among the items of a list, or the string itself."""
    return key in document if isinstance(document, list) else document == key
