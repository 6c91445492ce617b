"""Figures over groups of rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from loaders.read.expression import Expression
from loaders.read.output import Literal
from loaders.read.predicate import Predicate


class AggregateFunction(StrEnum):
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"  # of a sample (n - 1): null of a single value
    PERCENTILE = "percentile"  # interpolated between the two nearest values (SQL's percentile_cont)


@dataclass(frozen=True, slots=True)
class Measure:
    """`expression=None` only for COUNT of rows; `fraction` in [0, 1] only for PERCENTILE."""

    function: AggregateFunction
    expression: Expression | None = None
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """An object of figures within a group's object."""

    entries: tuple[tuple[str, "Expression | Measure | Literal"], ...]


@dataclass(frozen=True, slots=True)
class Having:
    """Keeps the groups for which `where` holds. Its columns are the measures: `Col(figure(i))` is `measures[i]`."""

    measures: tuple[Measure, ...]
    where: Predicate


def figure(position: int) -> str:
    """The name of the column of a measure in `Having`."""
    return f"h{position}"


@dataclass(frozen=True, slots=True)
class GroupOrder:
    """Orders groups by a measure, or by an expression of `group_by`. Nulls as in `OrderBy`."""

    by: "Expression | Measure"
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Groups over all matching rows (not only the page) in `order`, ties by their keys, the first `limit` of them.

    Each object has its entries in order: the expression of a group key, a measure, or an object of such. Without
    `group_by` there is exactly one group, to which `having` does not apply. More than `bound` groups are
    `PageTooLarge`, never cut.
    """

    group_by: tuple[Expression, ...]
    entries: tuple[tuple[str, "Expression | Measure | Literal | Figures"], ...]
    limit: int | None = None
    having: Having | None = None
    bound: int | None = None
    order: tuple[GroupOrder, ...] = ()

    def __post_init__(self) -> None:
        if not self.group_by and (self.having is not None or self.order):
            raise ValueError("`having` and `order` are about groups, and there are none without `group_by`")
        if any(not isinstance(term.by, Measure) and term.by not in self.group_by for term in self.order):
            raise ValueError("`order` names an expression that `group_by` does not")

    @property
    def figures(self) -> "tuple[Expression | Measure | Literal, ...]":
        """What the entries show, including those of nested objects, in order."""
        found: list[Expression | Measure | Literal] = []
        for _, entry in self.entries:
            found += [each for _, each in entry.entries] if isinstance(entry, Figures) else [entry]
        return tuple(found)

    def mapped(self, change: Callable[[Expression], Expression]) -> "Aggregate":
        """The same figures of other expressions over the row. The condition of `having` is about measures and stays."""

        def measure(each: Measure) -> Measure:
            return each if each.expression is None else replace(each, expression=change(each.expression))

        def entry(each: "Expression | Measure | Literal | Figures") -> "Expression | Measure | Literal | Figures":
            if isinstance(each, Figures):
                return Figures(tuple((key, shown(below)) for key, below in each.entries))
            return shown(each)

        def shown(each: "Expression | Measure | Literal") -> "Expression | Measure | Literal":
            match each:
                case Literal():
                    return each
                case Measure():
                    return measure(each)
                case _:
                    return change(each)

        having = self.having
        return replace(
            self,
            group_by=tuple(map(change, self.group_by)),
            entries=tuple((key, entry(each)) for key, each in self.entries),
            having=None if having is None else replace(having, measures=tuple(map(measure, having.measures))),
            order=tuple(
                replace(term, by=measure(term.by) if isinstance(term.by, Measure) else change(term.by))
                for term in self.order
            ),
        )

    @property
    def hidden(self) -> tuple[Measure, ...]:
        """The measures that `having` and `order` need and no entry shows."""
        ordered = tuple(term.by for term in self.order if isinstance(term.by, Measure))
        return (*(self.having.measures if self.having is not None else ()), *ordered)

    @property
    def fetched(self) -> int | None:
        """How many groups to read: one more than `bound`, to see whether there are more."""
        if self.bound is None:
            return self.limit
        return self.bound + 1 if self.limit is None else min(self.limit, self.bound + 1)
