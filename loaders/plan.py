"""The plan station: cuts a `Read` where the store changes. Pure.

Each nested read of another store, or within a columnar one (whose joins cost more than they save for a page), is cut
off; the parent's part selects the key of the join instead. Its graft tells where the keys are in the answer. One keyed
read per graft then fetches the children of all parents.
"""

from dataclasses import dataclass

from loaders.read import Col, Computed, Field, Join, Read, Related


@dataclass(frozen=True, slots=True)
class Graft:
    """`read` belongs at `path` of its parent's answer (through lists), keyed by the values that are there."""

    path: tuple[str, ...]
    join: Join
    read: Read


@dataclass(frozen=True, slots=True)
class Plan:
    """`read` stays within one store; `grafts` are reads of other stores, which are planned when they are fetched."""

    read: Read
    grafts: tuple[Graft, ...]


def joins(store: str) -> bool:
    """Whether related rows of this store are read by the same statement: true for the Postgres databases."""
    return store != "clickhouse" and not store.startswith("datasource:")


def plan(read: Read) -> Plan:
    grafts: list[Graft] = []
    return Plan(_cut(read, (), grafts), tuple(grafts))


def _cut(read: Read, path: tuple[str, ...], grafts: list[Graft]) -> Read:
    cut = read.with_shown(lambda fields, at: _cut_fields(fields, read.table.store, (*path, *at), grafts))
    return read if cut == read else cut


def _cut_fields(fields: tuple[Field, ...], store: str, path: tuple[str, ...], grafts: list[Graft]) -> tuple[Field, ...]:
    return tuple(_cut_field(field, store, (*path, field.key), grafts) for field in fields)


def _cut_field(field: Field, store: str, path: tuple[str, ...], grafts: list[Graft]) -> Field:
    if not isinstance(field.output, Related):
        return field
    join, read = field.output.join, field.output.read
    if read.table.store == store and joins(store):
        return Field(field.key, Related(join, _cut(read, path, grafts)))
    if len(join.local) != 1:
        raise ValueError(f"an edge to another store is keyed by one column, not by {join.local}")
    grafts.append(Graft(path, join, read))
    return Field(field.key, Computed(Col(join.local[0])))
