"""Decides whether the subject may write a row, by asking its `WriteRule` about the values of the row."""

from typing import assert_never

from loaders.openfga import names
from loaders.postgres.row_reads import found_row
from loaders.postgres.write import Transaction
from loaders.read import Col, Compare, Op, Read, Value
from resolvers.permissions.guards import AdminWrite, OwnWrite, WriteGuard, WriteRule, WriteVia
from resolvers.permissions.verdicts import Verdicts


async def require_write(rule: WriteRule, value: Value, *, verdicts: Verdicts, within: Transaction) -> None:
    """Raises `Forbidden` unless the subject may write a row whose guarding column has `value`.

    Null is for system admins, since no object or user has it as its id. The row that a `WriteVia` leads to is read
    whether the subject sees it or not.
    """
    if value is None:
        await verdicts.require_admin()
        return
    match rule:
        case AdminWrite():
            await verdicts.require_admin()
        case WriteGuard(type_, relation):
            await verdicts.require(relation, names.object_name(type_, value))
        case OwnWrite():
            verdicts.require_subject()
            if value != verdicts.subject.id:
                await verdicts.require_admin()
        case WriteVia(_, target, guard):
            (key,) = target.key
            held = await found_row(within, Read(target, where=Compare(Col(key), Op.EQ, value)), [guard.column])
            holds = None if held is None else held[guard.column]
            await require_write(guard, holds, verdicts=verdicts, within=within)
        case _:
            assert_never(rule)


def guarding_column(rule: WriteRule) -> str | None:
    """The column of the row that the rule asks about."""
    return None if isinstance(rule, AdminWrite) else rule.column
