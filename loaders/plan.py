"""The plan station: cuts a `Read` where the store changes. Pure.

Each nested read of another store, or within a columnar one (whose joins cost more than they save for a page), is cut
off; the parent's part selects the key of the join instead. Its graft tells where the keys are in the answer. One keyed
read per graft then fetches the children of all parents.
"""

from dataclasses import dataclass, replace

from loaders.description import Kind
from loaders.read import (
    Col,
    Computed,
    Connection,
    ConnectionPart,
    EdgePart,
    Edges,
    Field,
    Join,
    Literal,
    Masked,
    Nodes,
    Output,
    Read,
    Related,
)


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
    fields = _cut_fields(read.fields, read.table.store, path, grafts)
    connection = read.connection
    if connection is not None:
        connection = Connection(
            tuple((key, _cut_part(part, read.table.store, (*path, key), grafts)) for key, part in connection.entries)
        )
    if fields == read.fields and connection == read.connection:
        return read
    return replace(read, fields=fields, connection=connection)


def _cut_part(part: ConnectionPart, store: str, path: tuple[str, ...], grafts: list[Graft]) -> ConnectionPart:
    match part:
        case Nodes(fields):
            return Nodes(_cut_fields(fields, store, path, grafts))
        case Edges(entries):
            return Edges(tuple((key, _cut_entry(entry, store, (*path, key), grafts)) for key, entry in entries))
        case _:
            return part


def _cut_entry(
    entry: EdgePart | Literal | Nodes, store: str, path: tuple[str, ...], grafts: list[Graft]
) -> EdgePart | Literal | Nodes:
    return Nodes(_cut_fields(entry.fields, store, path, grafts)) if isinstance(entry, Nodes) else entry


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


def shows_json(read: Read) -> bool:
    """Whether a column of kind JSON is anywhere in the read's answer."""
    parts = [part for _, part in read.connection.entries] if read.connection is not None else []
    shown = [Nodes(read.fields), *(part for part in parts if isinstance(part, Nodes))]
    for part in parts:
        if isinstance(part, Edges):
            shown += [entry for _, entry in part.entries if isinstance(entry, Nodes)]
    return any(_shows_json(field.output, read) for nodes in shown for field in nodes.fields)


def _shows_json(output: Output, read: Read) -> bool:
    match output:
        case Computed(Col(name) | Masked(Col(name))):
            return read.table.column(name).type.kind is Kind.JSON
        case Related(_, below):
            return shows_json(below)
        case _:
            return False
