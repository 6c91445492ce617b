"""The arguments of a remote table's `rows`, `estimate` and `aggregate`: their signatures, and what values stand for."""

from collections.abc import Mapping
from typing import Any, Optional

from loaders.description import Table
from loaders.read import Unit, WeekStart
from resolvers.gen.group_read import MeasureOf
from resolvers.gen.over import Comparison, Fill, Over, over
from resolvers.gen.rows import Term
from schema.gen.forecast import GenScanEstimate
from schema.gen.row import GenMeasure, GenRowConnection, GenRowFilter, GenRowOrder, GenTimeBucket
from schema.gen.zones import checked_zone
from schema.mapping.arguments import argument, signature
from schema.mapping.orders import direction_of
from schema.scalars import JSON

ROWS = signature(
    {},
    {
        "select": argument(list[str] | None, "The columns to return, in this order; all by default."),
        "where": argument(Optional[GenRowFilter], "Only rows that satisfy this filter."),
        "order_by": argument(list[GenRowOrder] | None, "Sort terms, the most significant first."),
        "first": argument(int | None, "Maximum number of rows: 50 by default, 1,000 at most."),
        "after": argument(str | None, "Only rows after this cursor of the same table, `orderBy` and `select`."),
    },
    GenRowConnection | None,
)
ESTIMATE = signature(
    {},
    {
        "select": argument(list[str] | None, "The columns to read; all by default."),
        "where": argument(Optional[GenRowFilter], "Only rows that satisfy this filter."),
        "first": argument(int | None, "Maximum number of rows; all by default."),
    },
    GenScanEstimate | None,
)
AGGREGATE = signature(
    {},
    {
        "group_by": argument(list[str] | None, "The columns to group by; without any, all rows are one group."),
        "measures": argument(list[GenMeasure] | None, "The values of each group."),
        "over": argument(
            Optional[GenTimeBucket], "Buckets of time as a key of the groups, optionally with gaps filled and compared."
        ),
        "where": argument(Optional[GenRowFilter], "Only rows that satisfy this filter."),
        "first": argument(
            int | None,
            "The maximum number of groups, ordered by their columns; at most 10,000. "
            "Without it, more than 10,000 groups are `PAGE_TOO_LARGE`.",
        ),
    },
    list[JSON] | None,
)


def term(given: Mapping[str, Any]) -> Term:
    """Of a `GenRowOrder`."""
    return Term(given["column"], *direction_of(given["direction"]))


def time_buckets(given: Mapping[str, Any], table: Table) -> Over:
    """Of a `GenTimeBucket`. Raises `BadInput` and `UnknownColumn` for what the table does not have."""
    fill, compare = given.get("fill"), given.get("compare")
    return over(
        table,
        given["column"],
        Unit[_name(given["unit"])],
        time_zone=checked_zone(given["timeZone"]),
        week_start=WeekStart[_name(given["weekStart"])],
        key=given.get("as"),
        first=given.get("from"),
        end=given.get("to"),
        fill=None if fill is None else Fill[_name(fill)],
        compare=None if compare is None else Comparison[_name(compare)],
    )


def _name(given: Any) -> str:
    return str(getattr(given, "name", given))


def measure(given: Mapping[str, Any]) -> MeasureOf:
    """Of a `GenMeasure`. Without `as` it is named after its function and column."""
    function, column = given["function"], given.get("column")
    key = given.get("as") or (f"{function}_{column}" if column else str(function))
    return MeasureOf(function, column, key, given.get("fraction"))
