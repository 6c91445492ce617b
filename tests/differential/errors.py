"""The errors of an answer beside the oracle's: one for each field that is null for a reason, and the same reason."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from graphql import GraphQLError

Path: TypeAlias = Sequence[str | int]
Found: TypeAlias = Mapping[tuple[str, ...], tuple[str, Path, int]]
"""By path without places in lists: the code, the first path, and how many there are."""


def compare_errors(ours: Sequence[Mapping[str, Any]], expected: Sequence[GraphQLError]) -> None:
    answered, right = _answered(ours), _right(expected)
    assert answered == right, f"errors answered {answered}\n  expected {right}"


def _answered(errors: Sequence[Mapping[str, Any]]) -> Found:
    found = {
        _field(error["path"]): (error["extensions"]["code"], error["path"], error["extensions"].get("nulls", 1))
        for error in errors
    }
    assert len(found) == len(errors), f"two errors of one field: {errors}"
    return found


def _right(errors: Sequence[GraphQLError]) -> Found:
    paths: dict[tuple[str, ...], list[Path]] = {}
    codes: dict[tuple[str, ...], set[str]] = {}
    for error in errors:
        assert error.path is not None
        assert error.extensions is not None
        paths.setdefault(_field(error.path), []).append(error.path)
        codes.setdefault(_field(error.path), set()).add(error.extensions["code"])
    found = {}
    for each, here in paths.items():
        (code,) = codes[each]
        found[each] = code, min(here, key=list), len(here)
    return found


def _field(path: Iterable[str | int]) -> tuple[str, ...]:
    return tuple(step for step in path if isinstance(step, str))
