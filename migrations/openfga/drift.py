"""Compares OpenFGA's tuples with the rows. The comparison is made in Postgres, so memory holds one batch."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP, insert

from loaders.openfga.outbox import changed_since
from loaders.openfga.roles import FLAGS
from loaders.openfga.tuples import RelationTuple
from loaders.postgres.client import WriteSession

Kind = Literal["missing", "orphaned", "unrecorded"]
KINDS: Final[tuple[Kind, ...]] = ("missing", "orphaned", "unrecorded")
"""missing: implied by rows, but OpenFGA lacks it. orphaned: about an object that no longer exists. unrecorded: its
objects exist, but no row implies it."""

_AT_ONCE: Final = 1_000
_MANAGED: Final = {
    *((type_, "assigned_role") for type_ in ("system", "datasource", "dataset", "table")),
    *((type_, "parent") for type_ in ("datasource", "dataset", "table", "role")),
    *(("role", relation) for relation in ("assignee", *FLAGS)),
    ("organization", "member"),
}
"""Relations of which every tuple is implied by a row. Others (an organization's admins) are stored in OpenFGA only."""

_metadata = sa.MetaData()


def _table(name: str, *more: sa.Column[Any]) -> sa.Table:
    texts = (sa.Column(column, sa.Text, primary_key=True) for column in ("user", "relation", "object"))
    return sa.Table(
        name, _metadata, *texts, sa.Column("expires_at", TIMESTAMP(timezone=True)), *more, prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )  # fmt: skip


_wanted = _table("reconcile_wanted")
_stored = _table(
    "reconcile_stored",
    sa.Column("about", sa.Text, nullable=False),  # the object that must exist; for a table, its dataset
    sa.Column("by", sa.Text),  # the user that must exist, unless it is a person
    sa.Column("managed", sa.Boolean, nullable=False),
)
_objects = sa.Table(
    "reconcile_objects",
    _metadata,
    sa.Column("object", sa.Text, primary_key=True),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


_drift = sa.Table(
    "reconcile_drift",
    _metadata,
    *(sa.Column(column, sa.Text, nullable=False) for column in ("kind", "user", "relation", "object")),
    sa.Column("expires_at", TIMESTAMP(timezone=True)),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


@dataclass(frozen=True, slots=True)
class Drift:
    kind: Kind
    tuple: RelationTuple


class Comparison:
    """In temporary tables of the session's transaction, whose role may make them (`_migrate`).

    What is stored is to be added before what is wanted, so that an object made in between is no orphan. Objects that
    changed since the comparison began are left out: their notes are in the outbox, or were (`loaders.openfga.outbox`).
    `types` are those whose objects are added; about others nothing is said.
    """

    def __init__(self, session: WriteSession, types: Sequence[str]) -> None:
        self._session = session
        self._types = frozenset(types)
        self._began: sa.ColumnElement[Any] = sa.func.now()  # the start of the transaction and so of the comparison

    async def begin(self) -> None:
        connection = await self._session.connection()
        await connection.run_sync(partial(_metadata.create_all, checkfirst=False))

    async def add_stored(self, tuples: AsyncIterator[RelationTuple]) -> None:
        async for batch in _batches(tuples):
            rows = [self._stored_row(tuple_) for tuple_ in batch]
            rows = [row for row in rows if row["about"].partition(":")[0] in self._types]
            await self._insert(_stored, rows)

    async def add_wanted(self, tuples: AsyncIterator[RelationTuple]) -> None:
        async for batch in _batches(tuples):
            await self._insert(_wanted, [_row(tuple_) for tuple_ in batch])

    async def add_objects(self, objects: AsyncIterator[str]) -> None:
        async for batch in _batches(objects):
            await self._insert(_objects, [{"object": name} for name in batch])

    async def compare(self) -> None:
        """Call it when all is added, and before `drift`."""
        gone = sa.or_(_absent(_stored.c.about), sa.and_(_stored.c.by.is_not(None), _absent(_stored.c.by)))
        extra = sa.and_(~gone, _stored.c.managed, ~_same(_stored, _wanted))
        for kind, table, differs in (
            ("missing", _wanted, ~_same(_wanted, _stored)),
            ("orphaned", _stored, gone),
            ("unrecorded", _stored, extra),
        ):
            changed = sa.select(changed_since(self._began).subquery().c.object)
            columns = (table.c.user, table.c.relation, table.c.object, table.c.expires_at)
            chosen = sa.select(sa.literal(kind), *columns).where(differs, table.c.object.not_in(changed))
            await self._session.execute(
                sa.insert(_drift).from_select([column.name for column in _drift.columns], chosen)
            )

    async def drift(self) -> AsyncIterator[Drift]:
        """The differences, ordered by object."""
        ordered = sa.select(_drift).order_by(_drift.c.object, _drift.c.kind, _drift.c.relation, _drift.c.user)
        async for row in await self._session.stream(ordered, execution_options={"yield_per": _AT_ONCE}):
            yield Drift(row.kind, RelationTuple(row.user, row.relation, row.object, row.expires_at))

    def _stored_row(self, tuple_: RelationTuple) -> dict[str, Any]:
        type_, _, id_ = tuple_.object.partition(":")
        about = f"dataset:{id_.partition('/')[0]}" if type_ == "table" else tuple_.object
        by = tuple_.user.partition("#")[0]
        implied = type_ == "table" and tuple_.relation == "parent" and by == about  # as a listing writes it
        return {
            **_row(tuple_),
            "about": about,
            "by": by if by.partition(":")[0] in self._types else None,
            "managed": (type_, tuple_.relation) in _MANAGED and not implied,
        }

    async def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            await self._session.execute(insert(table).on_conflict_do_nothing(), rows)


def _row(tuple_: RelationTuple) -> dict[str, Any]:
    key = {"user": tuple_.user, "relation": tuple_.relation, "object": tuple_.object}
    return {**key, "expires_at": tuple_.expires_at}


def _same(table: sa.Table, other: sa.Table) -> sa.ColumnElement[bool]:
    keys = (table.c[name] == other.c[name] for name in ("user", "relation", "object"))
    return sa.exists().where(*keys, table.c.expires_at.is_not_distinct_from(other.c.expires_at))


def _absent(name: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(_objects.c.object == name)


async def _batches(items: AsyncIterator[Any]) -> AsyncIterator[list[Any]]:
    batch: list[Any] = []
    async for item in items:
        batch.append(item)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    yield batch
