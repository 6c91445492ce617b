"""Marks of users: made and taken away as often as one likes, with one outcome."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from loaders.description import Table
from loaders.postgres.write import transaction
from loaders.read import Value
from resolvers.context import Context
from resolvers.idempotency import Key
from resolvers.permissions.guards import OwnWrite, Policies
from resolvers.target import Target, checked_values, register, require_references

OWNER = OwnWrite("owner_subject")


async def add_favorite(context: Context, target: Target, of: Mapping[str, Value], policies: Policies) -> Key:
    """The key of the subject's mark on what the columns `of` name; an earlier mark stays as it is.

    `BadInput` for what the subject may not see.
    """
    context.verdicts.require_subject()
    values = checked_values(of, target)
    values[OWNER.column] = context.subject.id
    model = target.model
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:
        await require_references(context, target, values, within, policies)
        await register(context, target, within)
        unchanged = {OWNER.column: context.subject.id}  # so that a mark that is there is locked and returned
        marked = insert(model).values(values).on_conflict_do_update(index_elements=list(values), set_=unchanged)
        (row,) = await within.rows(marked.returning(*(model.c[name] for name in target.table.key)))
    return tuple(row)


async def remove_favorite(context: Context, target: Target, of: Mapping[str, Value]) -> bool:
    """Whether there was a mark. What the subject may no longer see can be let go as well."""
    context.verdicts.require_subject()
    values = {**checked_values(of, target), OWNER.column: context.subject.id}
    model = target.model
    async with transaction(context.stores.postgres[target.table.store], context.ledger) as within:
        marked = sa.and_(*(model.c[name] == value for name, value in values.items()))
        gone = await within.rows(sa.delete(model).where(marked).returning(*_key(model, target.table)))
    return bool(gone)


def _key(model: sa.Table, table: Table) -> list[sa.Column[object]]:
    return [model.c[name] for name in table.key]
