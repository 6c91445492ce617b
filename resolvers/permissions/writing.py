"""May the subject write a row: its `WriteRule` asked about what the row holds."""

from typing import assert_never

from loaders.openfga import names
from loaders.postgres.row_reads import found_row
from loaders.postgres.write import Transaction
from loaders.read import Col, Compare, Op, Read, Value
from resolvers.permissions.guards import AdminWrite, OwnWrite, WriteGuard, WriteRule, WriteVia
from resolvers.permissions.verdicts import Verdicts


async def require_write(rule: WriteRule, value: Value, *, verdicts: Verdicts, within: Transaction) -> None:
    """`Forbidden` unless the subject may write a row whose guarding column holds `value`.

    Null is for system admins: nobody else can be named by it. The row a `WriteVia` leads to is read as it stands,
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
