"""Measures of a remote table, given by name, as an `Aggregate`."""

import pytest

from loaders.description import Column, ColumnType, Kind, Table
from loaders.errors import BadInput, UnknownColumn
from loaders.expression import measure_type
from loaders.read import Aggregate, AggregateFunction, Col, Connection, Measure
from resolvers.gen.group_read import MeasureOf, aggregate_read

COLUMNS = (Column("carrier", ColumnType(Kind.TEXT)), Column("delay", ColumnType(Kind.FLOAT)))
TABLE = Table("datasource:any", None, "flights", COLUMNS)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (MeasureOf(AggregateFunction.COUNT, None, "n"), Measure(AggregateFunction.COUNT)),
        (MeasureOf(AggregateFunction.STDDEV, "delay", "s"), Measure(AggregateFunction.STDDEV, Col("delay"))),
        (
            MeasureOf(AggregateFunction.PERCENTILE, "delay", "p", 0.9),
            Measure(AggregateFunction.PERCENTILE, Col("delay"), 0.9),
        ),
    ],
)
def test_measures(measure: MeasureOf, expected: Measure) -> None:
    read = aggregate_read(TABLE, group_by=["carrier"], measures=[measure], where=None, limit=5)
    part = Aggregate((Col("carrier"),), (("carrier", Col("carrier")), (measure.key, expected)), 5)
    assert read.connection == Connection((("rows", part),))


@pytest.mark.parametrize("fraction", [None, -0.1, 1.1, float("nan")])
def test_a_percentile_needs_a_fraction(fraction: float | None) -> None:
    with pytest.raises(BadInput, match="fraction"):
        measure_type(Measure(AggregateFunction.PERCENTILE, Col("delay"), fraction), TABLE)


def test_what_is_refused() -> None:
    spread = MeasureOf(AggregateFunction.STDDEV, None, "s")
    with pytest.raises(BadInput, match="needs a column"):
        aggregate_read(TABLE, group_by=[], measures=[spread], where=None, limit=None)
    with pytest.raises(UnknownColumn):
        aggregate_read(TABLE, group_by=["tail"], measures=[], where=None, limit=None)
