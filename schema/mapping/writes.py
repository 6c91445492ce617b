"""Mutations of a table-backed type, on request: the input types, and the fields that make, change and delete rows.

    MEMBERS = WriteGuard("organization", "can_view", "organization_id")
    COLUMNS = ("organization_id", "location", "message")

    sense_hold_create = creates("SenseHold", guard=MEMBERS, columns=COLUMNS, description="Marks a place.")
    sense_hold_update = updates("SenseHold", guard=MEMBERS, columns=COLUMNS, description="Changes a marked place.")
    sense_hold_delete = deletes("SenseHold", guard=MEMBERS, description="Removes a marked place.")

Only the columns named here can be written, and only those the type exposes can be named: as a field, or as an edge to
one row, which is given by its global id. `guard` says who may: `WriteGuard` asks OpenFGA, `OwnWrite` compares the
owner, `WriteVia` goes to the row it belongs to, `AdminWrite` is for system admins.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from loaders.errors import InvalidId
from loaders.read import Value
from loaders.tables.databases import idempotency_keys, model_of
from resolvers.context import Context
from resolvers.idempotency import Asked
from resolvers.permissions.fields import Written
from resolvers.permissions.guards import WriteRule
from resolvers.permissions.writing import guarding_column
from resolvers.revisions import Series, revise, withdraw
from resolvers.target import UPDATED_AT, Along, Check, Target, Whole
from resolvers.writes import Create, Delete, Update, create, delete, update
from resolvers.written import Shape
from schema.mapping import types
from schema.mapping.filters import row_key
from schema.mapping.kinds import output_type
from schema.mapping.mutation import idempotent_mutation
from schema.mapping.object import OBJECTS, ColumnField, EdgeField, ObjectMapping, policies
from schema.mapping.payload import make_payload
from schema.scalars import DateTime

_ANY: Mapping[str, Shape] = MappingProxyType({})
_ID = "Global id of the row."
_NEWEST = "Global id of the newest version."
_EXPECTED = "The `updatedAt` you have read. Was the row changed since, the answer is a `Conflict`."


@dataclass(frozen=True, slots=True)
class _Field:
    annotation: Any
    description: str
    required: bool = True


def creates(
    name: str,
    *,
    guard: WriteRule,
    columns: tuple[str, ...],
    description: str,
    shapes: Mapping[str, Shape] = _ANY,
    author: str | None = None,
    whole: Whole | None = None,
    check: Check | None = None,
) -> Any:
    """`{name}Create`: columns that are nullable or have a default may be left out.

    `shapes`, `author`, `whole` and `check` as `Target` has them.
    """
    mapping = OBJECTS[name]
    target = _target(mapping, guard, columns, shapes, author, whole, check)
    required = [
        column.name
        for column in mapping.table.columns
        if _is_required(column.name, target) and column.name not in target.stamped
    ]
    if missing := [column for column in required if column not in columns]:
        raise ValueError(f"{name}: a new row needs {', '.join(missing)}, which have no default: name them in `columns`")
    fields = {target.names[column]: _field(column, mapping, target) for column in columns}
    takes = _input(f"{name}CreateInput", fields, f"One new `{name}`.")
    payload = make_payload(f"{name}CreatePayload", _noun(name), name, f"One `{name}` was made.")

    async def work(context: Context, given: Any, asked: Asked) -> Any:
        sent = _sent(given, fields)
        write = Create(asked, _values(sent, mapping, target))
        return payload(key=await create(context, target, write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def updates(
    name: str,
    *,
    guard: WriteRule,
    columns: tuple[str, ...],
    description: str,
    shapes: Mapping[str, Shape] = _ANY,
    along: Along | None = None,
) -> Any:
    """`{name}Update`: what the patch leaves out stays, what it gives as null becomes null.

    `shapes` and `along` as `Target` has them.
    """
    mapping = OBJECTS[name]
    if fixed := {*mapping.table.key, UPDATED_AT}.intersection(columns):
        raise ValueError(
            f"{name}: a key and `{UPDATED_AT}` are not the caller's to change ({', '.join(sorted(fixed))})"
        )
    target = replace(_target(mapping, guard, columns, shapes), along=along)
    patched = {target.names[column]: replace(_field(column, mapping, target), required=False) for column in columns}
    patch = _input(f"{name}Patch", patched, f"What to change in one `{name}`: what is left out stays.")
    fields = {"id": _Field(strawberry.ID, _ID)}
    if mapping.table.has_column(UPDATED_AT):
        fields["expectedUpdatedAt"] = _Field(DateTime, _EXPECTED, required=False)
    fields["patch"] = _Field(patch, "The new values.")
    takes = _input(f"{name}UpdateInput", fields, f"A change of one `{name}`.")
    payload = make_payload(f"{name}UpdatePayload", _noun(name), name, f"One `{name}` was changed.")

    async def work(context: Context, given: Any, asked: Asked) -> Any:
        sent = _sent(given, fields)
        sent["patch"] = _sent(sent["patch"], patched)
        write = Update(
            asked,
            row_key(sent["id"], mapping),
            _values(sent["patch"], mapping, target),
            sent.get("expectedUpdatedAt"),
        )
        return payload(key=await update(context, target, write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def deletes(name: str, *, guard: WriteRule, description: str, along: Along | None = None) -> Any:
    """`{name}Delete`. The payload is the id the row had. `along` as `Target` has it."""
    mapping = OBJECTS[name]
    target = replace(_target(mapping, guard, ()), along=along)
    fields = {"id": _Field(strawberry.ID, _ID)}
    takes = _input(f"{name}DeleteInput", fields, f"Which `{name}` to delete.")
    payload = _deleted(name)

    async def work(context: Context, given: Any, asked: Asked) -> Any:
        sent = _sent(given, fields)
        await delete(context, target, Delete(asked, row_key(sent["id"], mapping)), policies())
        return payload(deleted_id=sent["id"])

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def revises(
    name: str,
    *,
    guard: WriteRule,
    series: tuple[str, ...],
    columns: tuple[str, ...],
    description: str,
    shapes: Mapping[str, Shape] = _ANY,
    author: str | None = None,
    whole: Whole | None = None,
    check: Check | None = None,
) -> Any:
    """`{name}Revise`: a new version of the thing that rows with the same `series` are versions of."""
    mapping = OBJECTS[name]
    target = _target(mapping, guard, columns, shapes, author, whole, check)
    patched = {target.names[column]: replace(_field(column, mapping, target), required=False) for column in columns}
    patch = _input(f"{name}Patch", patched, f"What the new version of a `{name}` has else: what is left out stays.")
    fields = {"id": _Field(strawberry.ID, _NEWEST), "patch": _Field(patch, "The new values.")}
    takes = _input(f"{name}ReviseInput", fields, f"A new version of a `{name}`.")
    payload = make_payload(f"{name}RevisePayload", _noun(name), name, "A new version was made.")

    async def work(context: Context, given: Any, asked: Asked) -> Any:
        sent = _sent(given, fields)
        sent["patch"] = _sent(sent["patch"], patched)
        values = _values(sent["patch"], mapping, target)
        write = Update(asked, row_key(sent["id"], mapping), values)
        return payload(key=await revise(context, Series(target, series), write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def withdraws(name: str, *, guard: WriteRule, series: tuple[str, ...], description: str) -> Any:
    """`{name}Withdraw`: no version is current any more; all stay readable."""
    mapping = OBJECTS[name]
    target = _target(mapping, guard, ())
    fields = {"id": _Field(strawberry.ID, _NEWEST)}
    takes = _input(f"{name}WithdrawInput", fields, f"Which `{name}` to withdraw.")
    payload = make_payload(f"{name}WithdrawPayload", _noun(name), name, "It was withdrawn.")

    async def work(context: Context, given: Any, asked: Asked) -> Any:
        sent = _sent(given, fields)
        write = Delete(asked, row_key(sent["id"], mapping))
        return payload(key=await withdraw(context, Series(target, series), write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def _target(
    mapping: ObjectMapping,
    guard: WriteRule,
    columns: tuple[str, ...],
    shapes: Mapping[str, Shape] = _ANY,
    author: str | None = None,
    whole: Whole | None = None,
    check: Check | None = None,
) -> Target:
    """`ValueError` for what the type does not expose, `KeyError` for a database without `idempotency_keys`."""
    table = mapping.table
    guarding = guarding_column(guard)
    if guarding is not None and not table.has_column(guarding):
        raise ValueError(f"{table.name} has no column {guarding} to guard its rows by")
    if unknown := shapes.keys() - set(columns):
        raise ValueError(f"{mapping.name} cannot shape {', '.join(sorted(unknown))}, which are not written")
    edges = {column: edge for column in columns if (edge := _edge(column, mapping)) is not None}
    exposed = {field.column: name for name, field in mapping.fields.items() if isinstance(field, ColumnField)}
    if hidden := [column for column in columns if column not in edges and column not in exposed]:
        raise ValueError(f"{mapping.name} does not expose {', '.join(hidden)}: they cannot be written either")
    target = Target(
        table,
        model_of(table),
        guard,
        idempotency_keys(table.store),
        {column: to_camel_case(column) if column in edges else exposed[column] for column in columns},
        {column: OBJECTS[edge.target].table for column, edge in edges.items()},
        shapes,
        author,
        whole,
        check,
    )
    if given := set(target.stamped).intersection(columns):
        raise ValueError(f"{table.name}: who made a row is not the caller's to give ({', '.join(sorted(given))})")
    return target


def _edge(column: str, mapping: ObjectMapping) -> EdgeField | None:
    """The edge to the one row of the same database whose key the column holds."""
    for field in mapping.fields.values():
        if isinstance(field, EdgeField) and not field.many and field.local == (column,):
            far = OBJECTS[field.target].table
            if far.store == mapping.table.store and len(far.key) == 1 and field.remote in ((), far.key):
                return field
    return None


def _field(column: str, mapping: ObjectMapping, target: Target) -> _Field:
    described = mapping.table.column(column)
    if column in target.references:
        description, annotation = f"Global id. {described.description}", strawberry.ID
    else:
        exposed = mapping.fields[target.names[column]]
        assert isinstance(exposed, ColumnField)
        description, annotation = exposed.description, output_type(described.type)
    return _Field(annotation, description, required=_is_required(column, target))


def _is_required(column: str, target: Target) -> bool:
    sql = target.model.c[column]
    has_default = sql.default is not None or sql.server_default is not None or sql.identity is not None
    return not (sql.nullable or has_default)


def _input(name: str, fields: Mapping[str, _Field], description: str) -> type:
    given = {field_name: (field.annotation, field.description) for field_name, field in fields.items()}
    required = [field_name for field_name, field in fields.items() if field.required]
    return types.make_input(name, given, description, required=required)


def _deleted(name: str) -> type:
    cls = type(name, (), {"__module__": types.__name__, "__annotations__": {"deleted_id": strawberry.ID}})
    cls.deleted_id = strawberry.field(description="Global id the row had.")  # type: ignore[attr-defined]
    return strawberry.type(cls, name=f"{name}DeletePayload", description=f"One `{name}` was deleted.")


def _noun(name: str) -> str:
    """`SenseHold` is a `hold` in its payloads."""
    noun = re.sub("^[A-Z][a-z0-9]*", "", name)
    return re.sub("^[A-Z]+(?=[A-Z]|$)|^[A-Z]", lambda capital: capital.group().lower(), noun)


def _sent(given: Any, fields: Mapping[str, _Field]) -> dict[str, Any]:
    """What the client has given: null is not the same as left out."""
    values = {name: getattr(given, types.attribute(name)) for name in fields}
    return {name: value for name, value in values.items() if value is not strawberry.UNSET}


def _values(sent: Mapping[str, Any], mapping: ObjectMapping, target: Target) -> dict[str, Any]:
    """The given values by column: a global id becomes the key it holds."""
    values = {column: sent[name] for column, name in target.names.items() if name in sent}
    for column in values.keys() & target.references.keys():
        if values[column] is not None:
            edge = _edge(column, mapping)
            assert edge is not None
            values[column] = _referred(values[column], OBJECTS[edge.target], target.names[column])
    return values


def _referred(node_id: str, far: ObjectMapping, name: str) -> Value:
    try:
        (key,) = row_key(node_id, far)
    except InvalidId as error:
        raise InvalidId(f"`{name}`: {error}", field=name) from error
    return key
