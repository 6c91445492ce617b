"""The errors of an answer beside the oracle's: one for each field and each reason that it is null for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from graphql import GraphQLError

Path: TypeAlias = Sequence[str | int]
Found: TypeAlias = Mapping[tuple[tuple[str, ...], str], tuple[Path, int]]
"""By path without places in lists, and code: the first path, and how many there are."""


def compare_errors(ours: Sequence[Mapping[str, Any]], expected: Sequence[GraphQLError]) -> None:
    answered, right = _answered(ours), _right(expected)
    assert answered == right, f"errors answered {answered}\n  expected {right}"


def _answered(errors: Sequence[Mapping[str, Any]]) -> Found:
    found = {
        (_field(error["path"]), error["extensions"]["code"]): (error["path"], error["extensions"].get("nulls", 1))
        for error in errors
    }
    assert len(found) == len(errors), f"two errors of one field for one reason: {errors}"
    return found


def _right(errors: Sequence[GraphQLError]) -> Found:
    paths: dict[tuple[tuple[str, ...], str], list[Path]] = {}
    for error in errors:
        assert error.path is not None
        assert error.extensions is not None
        paths.setdefault((_field(error.path), error.extensions["code"]), []).append(error.path)
    return {each: (min(here, key=list), len(here)) for each, here in paths.items()}


def _field(path: Iterable[str | int]) -> tuple[str, ...]:
    return tuple(step for step in path if isinstance(step, str))
