"""The two formats of incremental delivery (`Parts`), as JSON-ready objects: what is pending, arrived and completed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.http.media_type import Parts

Errors: TypeAlias = list[dict[str, Any]]
Path: TypeAlias = list[str | int]


@dataclass(slots=True)
class Expected:
    """A deferred fragment of the object at `path`, or the rest of the list at `path` from index `item` on."""

    path: Path
    label: str | None
    item: int | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """Fields of the object at the absolute `path`, or items of the list at `path` from index `item` on."""

    id: str
    label: str | None
    path: Path
    sub_path: Path | None
    item: int | None
    value: Any
    errors: Errors

    def holds(self, path: Sequence[str | int]) -> bool:
        """Whether the value at that absolute path is part of this one."""
        depth = len(self.path)
        if len(path) <= depth or list(path[:depth]) != self.path:
            return False
        step = path[depth]
        if self.item is None:
            return step in self.value
        return isinstance(step, int) and 0 <= step - self.item < len(self.value)

    def at(self, path: Path) -> Any:
        """The value at that absolute path, for which `holds` must be true."""
        value = self.value
        steps = path[len(self.path) :]
        if self.item is not None:
            value, steps = value[int(steps[0]) - self.item], steps[1:]
        for step in steps:
            value = value[step]
        return value


def announced(id_: str, path: Path, label: str | None) -> dict[str, Any]:
    """A part that is pending, by its id."""
    return {"id": id_, "path": path, **_labelled(label)}


def entries(
    form: Parts,
    *,
    pending: Sequence[dict[str, Any]],
    arrived: Sequence[Arrived],
    completed: Sequence[tuple[str, Errors]],
    expected: Mapping[str, Expected],
) -> dict[str, Any]:
    """The entries of a subsequent part, without `hasNext` and `extensions`. `completed` are ids with their errors."""
    if form is Parts.BY_PATH:
        lost = [(expected[id_], errors) for id_, errors in completed if errors]
        shown = [*map(_by_path, arrived), *(_lost(each, errors) for each, errors in lost)]
        return {"incremental": shown} if shown else {}
    ended = [{"id": id_, **_with_errors(errors)} for id_, errors in completed]
    parts = {"pending": pending, "incremental": [_by_id(each) for each in arrived], "completed": ended}
    return {name: part for name, part in parts.items() if part}


def _by_id(arrived: Arrived) -> dict[str, Any]:
    sub_path = {} if arrived.sub_path is None else {"subPath": arrived.sub_path}
    if arrived.item is None:
        return {"id": arrived.id, **sub_path, "data": arrived.value, **_with_errors(arrived.errors)}
    place = {"path": [*arrived.path, arrived.item]}  # for urql (6.0), which puts items by id beside their list
    return {"id": arrived.id, **sub_path, **place, "items": arrived.value, **_with_errors(arrived.errors)}


def _by_path(arrived: Arrived) -> dict[str, Any]:
    if arrived.item is None:
        place = {"path": arrived.path, "data": arrived.value}
    else:
        place = {"path": [*arrived.path, arrived.item], "items": arrived.value}
    return {**place, **_labelled(arrived.label), **_with_errors(arrived.errors)}


def _lost(expected: Expected, errors: Errors) -> dict[str, Any]:
    if expected.item is None:
        place = {"path": expected.path, "data": None}
    else:
        place = {"path": [*expected.path, expected.item], "items": None}
    return {**place, **_labelled(expected.label), "errors": errors}


def _labelled(label: str | None) -> dict[str, str]:
    return {} if label is None else {"label": label}


def _with_errors(errors: Errors) -> dict[str, Errors]:
    return {"errors": errors} if errors else {}
