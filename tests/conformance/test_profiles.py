"""Profiles of every engine, compared with figures computed by hand from the loaded rows."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from loaders.columnar.profile import Portion
from loaders.columnar.watched import Watched
from loaders.description import Column, Kind, Table
from loaders.errors import CostExceeded
from loaders.ledger import Ledger
from loaders.read import Col, Compare, Op
from loaders.warehouses.base import Estimates, ScanEstimates, Warehouse
from resolvers.profiles.budget import Budget, afforded
from resolvers.profiles.edges import BINNED
from resolvers.profiles.profile import Contents, contents, reads
from resolvers.profiles.result import Bin, ColumnFigures
from tests.conformance.rows import LARGE_ROWS, MIXED_ROWS
from tests.conformance.subject import Subject, background_source, bounds_of

Rows = Sequence[dict[str, Any]]


async def profiled(
    warehouse: Warehouse, portion: Portion, columns: Sequence[Column], *, rows: int | None
) -> tuple[Contents, list[str]]:
    """And the statements that were sent."""
    source = Watched(background_source(warehouse))
    found = await contents(portion, columns, source, rows=rows, ledger=Ledger(), report=lambda _, __: None)
    return found, source.sent


def without(table: Table, *excluded: str) -> list[Column]:
    return [column for column in table.columns if column.name not in excluded]


def comparable(value: Any) -> Any:
    """A value of a row, or of an answer's JSON, as what it means."""
    match value:
        case bool():
            return value
        case int() | Decimal():
            return Decimal(value)
        case float():
            return value + 0.0
        case datetime():
            return value.astimezone(UTC)
        case date():
            return value.isoformat()
    return value


def shown(value: Any, kind: Kind) -> Any:
    """A value of a profile as what it means."""
    match kind:
        case Kind.BIGINT | Kind.INTEGER | Kind.NUMERIC:
            return Decimal(value)
        case Kind.FLOAT:
            return float(value) + 0.0
        case Kind.TIMESTAMP:
            return datetime.fromisoformat(value).astimezone(UTC)
    return value


def assert_right(column: Column, found: ColumnFigures, rows: Rows) -> None:
    kind = column.type.kind
    values = [comparable(row[column.name]) for row in rows if row[column.name] is not None]
    finite = [value for value in values if not isinstance(value, float) or math.isfinite(value)]
    assert found.null_count == len(rows) - len(values), column.name
    different = {value for value in values if value == value}  # NaN is shown as null: no value to be different
    assert found.distinct_count == len(different), column.name
    assert not found.is_approximate
    assert found.non_finite_count == (len(values) - len(finite) if kind is Kind.FLOAT else None)
    assert shown(found.min, kind) == min(finite), column.name
    assert shown(found.max, kind) == max(finite), column.name
    if kind in BINNED:
        assert_bins(column, found.histogram, finite)
    else:
        assert found.histogram == ()
    if kind is Kind.TEXT:
        most = Counter(values).most_common()
        assert len(found.frequent) == min(10, len(most))
        assert [each.count for each in found.frequent] == [count for _, count in most[:10]]
        assert all(Counter(values)[str(each.value)] == each.count for each in found.frequent)
    else:
        assert found.frequent == ()


def assert_bins(column: Column, bins: Sequence[Bin], values: Sequence[Any]) -> None:
    kind = column.type.kind
    assert (shown(bins[0].low, kind), shown(bins[-1].high, kind)) == (min(values), max(values))
    for number, each in enumerate(bins):
        low, high = shown(each.low, kind), shown(each.high, kind)
        last = number == len(bins) - 1
        assert each.count == sum(low <= value < high or (last and value == high) for value in values), column.name
    assert sum(each.count for each in bins) == len(values)


async def test_a_profile_is_what_the_rows_say(warehouse: Warehouse) -> None:
    table = await warehouse.describe("mixed", ledger=Ledger())
    found, _ = await profiled(warehouse, Portion(table), table.columns, rows=len(MIXED_ROWS))
    assert found.row_count == len(MIXED_ROWS)
    figures = dict(found.figures)
    assert list(figures) == [column.name for column in table.columns]
    for column in table.columns:
        assert_right(column, figures[column.name], MIXED_ROWS)
    samples = dict(found.samples)
    for column in without(table, "ratio", "flag"):
        values = {comparable(row[column.name]) for row in MIXED_ROWS}
        assert 0 < len(samples[column.name]) <= 5
        assert {shown(value, column.type.kind) for value in samples[column.name]} <= values


async def test_of_a_partition_and_of_a_sample(warehouse: Warehouse) -> None:
    table = await warehouse.describe("mixed", ledger=Ledger())
    columns = without(table, "name", "price", "day", "at", "flag", "ratio", "big")
    some = [row for number, row in enumerate(MIXED_ROWS) if number < 20]  # `id` counts from 0
    portion = Portion(table, Compare(Col("id"), Op.LT, 20))
    found, _ = await profiled(warehouse, portion, columns, rows=len(MIXED_ROWS))
    assert found.row_count == len(some)
    for column in columns:
        assert_right(column, dict(found.figures)[column.name], some)
    sample, _ = await profiled(warehouse, Portion(table, limit=7), columns, rows=7)
    assert sample.row_count == 7
    assert dict(sample.figures)["id"].distinct_count == 7


async def test_excluded_columns_are_in_no_statement(warehouse: Warehouse) -> None:
    table = await warehouse.describe("mixed", ledger=Ledger())
    columns = without(table, "price", "name")
    found, sent = await profiled(warehouse, Portion(table), columns, rows=len(MIXED_ROWS))
    assert len(sent) == 3  # samples, figures, histograms
    assert not [sql for sql in sent if "price" in sql or "name" in sql]
    assert not {"price", "name"} & {*dict(found.figures), *dict(found.samples)}


async def test_different_values_of_many_rows_are_estimated(warehouse: Warehouse) -> None:
    """By the engine's own function, which is right to a few per cent."""
    table = await warehouse.describe("large", ledger=Ledger())
    found, _ = await profiled(warehouse, Portion(table), without(table, "text"), rows=2_000_000)
    (_, figures), *_ = found.figures
    assert figures.is_approximate
    assert figures.distinct_count == pytest.approx(LARGE_ROWS, rel=0.05)
    assert (figures.min, figures.max) == ("0", str(LARGE_ROWS - 1))


async def test_a_table_without_rows_has_no_figures(warehouse: Warehouse) -> None:
    table = await warehouse.describe("no_rows", ledger=Ledger())
    found, _ = await profiled(warehouse, Portion(table), table.columns, rows=0)
    assert found.row_count == 0
    for _, figures in found.figures:
        assert (figures.null_count, figures.distinct_count, figures.min, figures.max) == (0, 0, None, None)
        assert (figures.histogram, figures.frequent) == ((), ())


async def test_metadata_count_before_anything_is_read(subject: Subject, warehouse: Warehouse) -> None:
    assert isinstance(warehouse, Estimates) is subject.estimates
    if isinstance(warehouse, Estimates):
        estimate = await warehouse.estimate("large", ledger=Ledger())
        assert estimate.rows == LARGE_ROWS
        assert estimate.bytes is not None
        assert estimate.bytes > 0


async def test_a_budget_is_refused_before_it_is_passed(subject: Subject, warehouse: Warehouse) -> None:
    table = await warehouse.describe("large", ledger=Ledger())
    bounds = bounds_of(warehouse)
    asked = reads(Portion(table), table.columns)
    with pytest.raises(CostExceeded) as refused:
        await afforded(bounds, asked, Budget(1, strict=True), ledger=Ledger())
    if not isinstance(warehouse, ScanEstimates):
        assert "cannot tell" in str(refused.value)
        assert await afforded(bounds, asked, Budget(1, strict=False), ledger=Ledger()) is None
        return
    assert "Nothing was read" in str(refused.value)
    estimated = await afforded(bounds, asked, Budget(2**40, strict=True), ledger=Ledger())
    assert estimated is not None
    assert estimated > 0
    one = await afforded(
        bounds, reads(Portion(table), without(table, "text")), Budget(2**40, strict=True), ledger=Ledger()
    )
    assert one is not None
    assert one < estimated
