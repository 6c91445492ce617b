"""Generated mutations of a table-backed type: input types, and the fields that create, update and delete rows.

    MEMBERS = WriteGuard("organization", "can_view", "organization_id")
    COLUMNS = ("organization_id", "location", "message")

    sense_hold_create = creates("SenseHold", guard=MEMBERS, columns=COLUMNS, description="Marks a place.")
    sense_hold_update = updates("SenseHold", guard=MEMBERS, columns=COLUMNS, description="Changes a marked place.")
    sense_hold_delete = deletes("SenseHold", guard=MEMBERS, description="Removes a marked place.")

Only the columns named here can be written, and only columns that the type exposes can be named: as a field, or as an
edge to one row, given by its global id. `guard` decides who may write: `WriteGuard` asks OpenFGA, `OwnWrite` compares
the owner, `WriteVia` asks about the row it belongs to, `AdminWrite` is for system admins.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import strawberry

from loaders.postgres.stored_table import UPDATED_AT
from resolvers.context import Context
from resolvers.idempotency import MutationRequest
from resolvers.permissions.fields import Written
from resolvers.permissions.guards import WriteRule, WriteVia
from resolvers.revisions import Series, revise, withdraw
from resolvers.target import Along, Check, Whole
from resolvers.writes import Create, Delete, Update, create, delete, update
from resolvers.written import Shape
from schema.mapping.ids import row_key
from schema.mapping.mutation import idempotent_mutation
from schema.mapping.object import OBJECTS, policies
from schema.mapping.payload import deleted_payload, make_payload, noun
from schema.mapping.write_inputs import (
    EXPECTED_UPDATED_AT,
    InputField,
    input_field,
    input_type,
    patch_fields,
    sent_values,
)
from schema.mapping.write_target import ANY_SHAPE, column_values, write_target
from schema.scalars import DateTime

_ID = "Global id of the row."
_NEWEST = "Global id of the newest version."


def creates(
    name: str,
    *,
    guard: WriteRule,
    columns: tuple[str, ...],
    description: str,
    shapes: Mapping[str, Shape] = ANY_SHAPE,
    author: str | None = None,
    whole: Whole | None = None,
    check: Check | None = None,
    into: tuple[WriteVia, ...] = (),
) -> Any:
    """`{name}Create`: columns that are nullable or have a default may be left out.

    `shapes`, `author`, `whole`, `check` and `into` as `Target` has them.
    """
    mapping = OBJECTS[name]
    target = replace(write_target(mapping, guard, columns, shapes, author, whole, check), into=into)
    required = [
        column.name
        for column in mapping.table.columns
        if target.rows.is_required(column.name) and column.name not in target.stamped
    ]
    if missing := [column for column in required if column not in columns]:
        raise ValueError(f"{name}: a new row needs {', '.join(missing)}, which have no default: name them in `columns`")
    fields = {target.names[column]: input_field(column, mapping, target) for column in columns}
    takes = input_type(f"{name}CreateInput", fields, f"The values of a new `{name}`.")
    payload = make_payload(f"{name}CreatePayload", noun(name), name, f"The payload of a created `{name}`.")

    async def work(context: Context, given: Any, asked: MutationRequest) -> Any:
        sent = sent_values(given, fields)
        write = Create(asked, column_values(sent, mapping, target))
        return payload(key=await create(context, target, write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def updates(
    name: str,
    *,
    guard: WriteRule,
    columns: tuple[str, ...],
    description: str,
    shapes: Mapping[str, Shape] = ANY_SHAPE,
    check: Check | None = None,
    along: Along | None = None,
    into: tuple[WriteVia, ...] = (),
) -> Any:
    """`{name}Update`: columns that the patch leaves out keep their values, and null becomes null.

    `shapes`, `along` and `into` as in `Target`; `check` is about the row as it would be.
    """
    mapping = OBJECTS[name]
    if fixed := {*mapping.table.key, UPDATED_AT}.intersection(columns):
        raise ValueError(
            f"{name}: a key and `{UPDATED_AT}` are not the caller's to change ({', '.join(sorted(fixed))})"
        )
    target = replace(write_target(mapping, guard, columns, shapes), check=check, along=along, into=into)
    patched = patch_fields(columns, mapping, target)
    patch = input_type(
        f"{name}Patch", patched, f"The changes of a `{name}`. Fields that are left out stay as they are."
    )
    fields = {"id": InputField(strawberry.ID, _ID)}
    if mapping.table.has_column(UPDATED_AT):
        fields["expectedUpdatedAt"] = InputField(DateTime, EXPECTED_UPDATED_AT, required=False)
    fields["patch"] = InputField(patch, "The new values.")
    takes = input_type(f"{name}UpdateInput", fields, f"The `{name}` to change, and its changes.")
    payload = make_payload(f"{name}UpdatePayload", noun(name), name, f"The payload of a changed `{name}`.")

    async def work(context: Context, given: Any, asked: MutationRequest) -> Any:
        sent = sent_values(given, fields)
        sent["patch"] = sent_values(sent["patch"], patched)
        write = Update(
            asked,
            row_key(sent["id"], mapping),
            column_values(sent["patch"], mapping, target),
            sent.get("expectedUpdatedAt"),
        )
        return payload(key=await update(context, target, write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def deletes(name: str, *, guard: WriteRule, description: str, along: Along | None = None) -> Any:
    """`{name}Delete`. The payload is the id that the row had. `along` as in `Target`."""
    mapping = OBJECTS[name]
    target = replace(write_target(mapping, guard, ()), along=along)
    fields = {"id": InputField(strawberry.ID, _ID)}
    takes = input_type(f"{name}DeleteInput", fields, f"Which `{name}` to delete.")
    payload = deleted_payload(name)

    async def work(context: Context, given: Any, asked: MutationRequest) -> Any:
        sent = sent_values(given, fields)
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
    shapes: Mapping[str, Shape] = ANY_SHAPE,
    author: str | None = None,
    whole: Whole | None = None,
    check: Check | None = None,
) -> Any:
    """`{name}Revise`: a new version of the thing that the rows with the same `series` are versions of."""
    mapping = OBJECTS[name]
    target = write_target(mapping, guard, columns, shapes, author, whole, check)
    patched = patch_fields(columns, mapping, target)
    patch = input_type(
        f"{name}Patch",
        patched,
        f"The changes of a new version of a `{name}`. Fields that are left out stay as they are.",
    )
    fields = {"id": InputField(strawberry.ID, _NEWEST), "patch": InputField(patch, "The new values.")}
    takes = input_type(f"{name}ReviseInput", fields, f"A new version of a `{name}`.")
    payload = make_payload(f"{name}RevisePayload", noun(name), name, f"The payload of a new version of a `{name}`.")

    async def work(context: Context, given: Any, asked: MutationRequest) -> Any:
        sent = sent_values(given, fields)
        sent["patch"] = sent_values(sent["patch"], patched)
        values = column_values(sent["patch"], mapping, target)
        write = Update(asked, row_key(sent["id"], mapping), values)
        return payload(key=await revise(context, Series(target, series), write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)


def withdraws(name: str, *, guard: WriteRule, series: tuple[str, ...], description: str) -> Any:
    """`{name}Withdraw`: no version is current any more; all of them stay readable."""
    mapping = OBJECTS[name]
    target = write_target(mapping, guard, ())
    fields = {"id": InputField(strawberry.ID, _NEWEST)}
    takes = input_type(f"{name}WithdrawInput", fields, f"Which `{name}` to withdraw.")
    payload = make_payload(f"{name}WithdrawPayload", noun(name), name, "It was withdrawn.")

    async def work(context: Context, given: Any, asked: MutationRequest) -> Any:
        sent = sent_values(given, fields)
        write = Delete(asked, row_key(sent["id"], mapping))
        return payload(key=await withdraw(context, Series(target, series), write, policies()))

    return idempotent_mutation(work, takes=takes, answers=payload, guard=Written(guard), description=description)
