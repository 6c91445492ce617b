"""User-written SQL over a dataset: parsed and checked, its tables described under the caller's guard."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from loaders.audit.entry import Action
from loaders.columnar.statement import Statement
from loaders.description import Table
from loaders.errors import FilterRequired, Forbidden, NotFound, SqlRefused, Unauthenticated, UnknownTable
from loaders.openfga import names
from loaders.raw_sql.names import TableRef
from loaders.raw_sql.query import RawQuery
from loaders.raw_sql.reason import with_reasons
from loaders.warehouses.base import Scanned
from loaders.warehouses.bounded import Bounded
from loaders.warehouses.places import Place
from resolvers.context import Context
from resolvers.gen.forecast import Forecast, forecast
from resolvers.gen.raw_use import record_use
from resolvers.gen.required import require_filters
from resolvers.gen.tables import describe_table

MAX_TABLES = 20
_NARROW = (
    "Compare it with a constant in the WHERE of each SELECT that reads the table, without NOT, and give nothing else "
    "there its name as an alias"
)


@dataclass(frozen=True, slots=True)
class RawSql:
    """A checked statement over tables that the caller sees. `sql` is the statement without a limit, which estimates
    use.
    """

    dataset_id: UUID
    query: RawQuery
    found: Mapping[TableRef, Table]
    narrowed: frozenset[TableRef]
    filtered: frozenset[TableRef]
    warehouse: Bounded
    engine: str | None
    sql: str

    def limited_sql(self, limit: int) -> str:
        """The SQL of the statement with a limit on its rows. Blocks."""
        return self.query.to_sql(self.found, limit=limit, narrowed=self.narrowed, filtered=self.filtered)

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(dict.fromkeys(self.found.values()))

    @property
    def statement(self) -> Statement:
        return Statement(self.sql, (), ())

    @property
    def scanned(self) -> tuple[Scanned, ...]:
        return tuple(Scanned(table, self.query.columns_of(table)) for table in self.tables)


async def read_sql(context: Context, dataset_id: UUID, text: str) -> RawSql:
    """Checks a statement. Only descriptions of its tables are requested from the engine.

    `Forbidden` without `can_query` on the dataset, `SqlRefused` for anything but one SELECT over tables of the dataset,
    `UnknownTable` for a table that does not exist or that the caller may not see, without distinguishing the two.
    Columns that curation hides do not exist for the statement. `FilterRequired` when a table is read without its
    required filters.
    """
    place = await _place(context, dataset_id)
    warehouse = await context.stores.warehouses.open(place.space.data_source_id, ledger=context.ledger)
    try:
        query = await asyncio.to_thread(RawQuery, text, warehouse.dialect.name)
        found = await _found(context, dataset_id, query.tables)
        filtered = await asyncio.to_thread(_filtered, query, found, place)
        narrowed = _narrowed(found, place)
        sql = await asyncio.to_thread(query.to_sql, found, narrowed=narrowed, filtered=filtered)
    except (SqlRefused, UnknownTable, FilterRequired) as refused:
        await record_use(context, Action.SQL_REFUSED, dataset_id, {"reason": str(refused)})
        raise
    engine = context.stores.warehouses.engine(warehouse.store)
    return RawSql(dataset_id, query, found, narrowed, filtered, warehouse, engine, sql)


async def estimate_sql(context: Context, raw: RawSql) -> Forecast:
    """What the statement would scan, as the engine estimates. Nothing is read."""
    with with_reasons():
        return await forecast(context, raw.warehouse, raw.statement, raw.scanned, engine=raw.engine)


async def _place(context: Context, dataset_id: UUID) -> Place:
    if context.subject.is_anonymous:
        raise Unauthenticated("This needs a signed-in user: send a bearer token.")
    if not await context.verdicts.check("can_query", names.dataset(dataset_id)):
        raise Forbidden(
            "You may not write SQL over this dataset. Ask an administrator for a role with the flag `hasQueryDataset`."
        )
    place = await asyncio.shield(context.gen.places.load(dataset_id))
    if place is None:
        raise NotFound("There is no such dataset.")
    return place


async def _found(context: Context, dataset_id: UUID, refs: Sequence[TableRef]) -> dict[TableRef, Table]:
    if len(refs) > MAX_TABLES:
        raise SqlRefused(f"The statement names {len(refs)} tables, and at most {MAX_TABLES} are read. Name fewer.")
    described = await asyncio.gather(*(describe_table(context, dataset_id, ref.name) for ref in refs))
    found = {}
    for ref, table in zip(refs, described, strict=True):
        if table is None:
            raise UnknownTable(f"There is no table {ref.name!r} in this dataset. List its `tables`.")
        found[ref] = table
    return found


def _filtered(query: RawQuery, found: Mapping[TableRef, Table], place: Place) -> frozenset[TableRef]:
    """The tables with required filters. `FilterRequired` when the statement reads one without them. Blocks."""
    filtered = set()
    for ref, table in found.items():
        filters = [filter_ for filter_ in place.filters_of(table.name) if filter_.is_required]
        if filters:
            filtered.add(ref)
            for condition in query.conditions(ref, table):
                require_filters(condition, filters, narrow=_NARROW)
    return frozenset(filtered)


def _narrowed(found: Mapping[TableRef, Table], place: Place) -> frozenset[TableRef]:
    """The tables of which curation hides columns. Curation's list alone decides, because a hidden column may be of a
    type that descriptions leave out.
    """
    return frozenset(ref for ref, table in found.items() if place.hides_columns_of(table.name))
