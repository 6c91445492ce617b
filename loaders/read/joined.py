"""Columns of other tables beside the rows of a read, without multiplying a row."""

from dataclasses import dataclass

from loaders.description import Table
from loaders.read.aggregate import Measure
from loaders.read.expression import Expression
from loaders.read.predicate import Predicate


@dataclass(frozen=True, slots=True)
class Joined:
    """Of the rows of `table` that match `where` and equal the read's row in `on`: null where there are none.

    `on` are pairs of the read's column (or an earlier join's, by its name) and one of `table`. `columns` have the names
    the read's table knows them by. Before anything is joined, the rows of `table` become

    - one for each key, where `columns` are measures;
    - one for each key, where they are not: of several that differ any one, and the column `variants` counts them. An
      answer of a key with more than one is not to be shown;
    - the different ones of each key without `variants`: rows of the read are multiplied, which only what is the same
      for equal values may be asked of (`MIN`, `MAX`, `COUNT_DISTINCT`).

    For columnar stores; all tables are of one store.
    """

    table: Table
    on: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, Expression | Measure], ...]
    where: Predicate | None = None
    variants: str | None = None
