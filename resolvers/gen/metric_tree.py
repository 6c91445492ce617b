"""A metric with all metrics it is composed of: leaves that aggregate tables, and values computed from theirs. Pure.

A value above the leaves is computed for each group from the leaves' values of that group. So a ratio or average over
more rows is never computed from ratios or averages over fewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from loaders.description import Kind
from loaders.errors import BadInput, NotFound
from loaders.gen.semantic_metrics import MetricRow
from loaders.read import AggregateFunction
from resolvers.gen.arithmetic import Number, evaluate, program
from resolvers.gen.metric_definition import Cumulative, Derived, Ratio, Simple

Values: TypeAlias = Mapping[str, Number | None]
"""The leaves' values of one group, by `Leaf.key` of each part."""

MAX_PARTS = 50


@dataclass(frozen=True, slots=True)
class Leaf:
    """A simple metric: one measure of a table. An average is stored as a sum and a count, so that it can be
    recomputed.
    """

    row: MetricRow
    definition: Simple

    @property
    def parts(self) -> tuple[tuple[str, AggregateFunction], ...]:
        """The parts requested of the store, by name."""
        function = self.definition.measure.aggregate
        if function is AggregateFunction.AVG:
            return ((f"{self.row.name}.sum", AggregateFunction.SUM), (f"{self.row.name}.n", AggregateFunction.COUNT))
        return ((self.row.name, function),)


@dataclass(frozen=True, slots=True)
class Tree:
    """`below` are the trees of the metrics that a ratio, derived or cumulative metric refers to, by name."""

    row: MetricRow
    definition: Simple | Ratio | Derived | Cumulative
    below: Mapping[str, "Tree"]

    @property
    def leaves(self) -> dict[str, Leaf]:
        if isinstance(self.definition, Simple):
            return {self.row.name: Leaf(self.row, self.definition)}
        return {name: leaf for tree in self.below.values() for name, leaf in tree.leaves.items()}

    @property
    def versions(self) -> dict[str, int]:
        """The version of this metric and of all metrics it is composed of, by name."""
        below = {name: version for tree in self.below.values() for name, version in tree.versions.items()}
        return {self.row.name: self.row.version, **below}

    def kind(self, kinds: Mapping[str, Kind]) -> Kind:
        """The kind of its values, by the kinds of the leaves' parts."""
        match self.definition:
            case Simple(measure=measure) if measure.aggregate is not AggregateFunction.AVG:
                return kinds[self.row.name]
            case Cumulative(metric=metric):
                return self.below[metric].kind(kinds)
            case _:
                return Kind.FLOAT

    @property
    def steps(self) -> int:
        """The number of operations to compute one value."""
        own = len(program(self.definition.expression)) if isinstance(self.definition, Derived) else 1
        return own + sum(tree.steps for tree in self.below.values())

    def value(self, values: Values) -> Number | None:
        """Null when a part is null, and for a division by zero."""
        match self.definition:
            case Simple(measure=measure):
                if measure.aggregate is AggregateFunction.AVG:
                    return _divided(values[f"{self.row.name}.sum"], values[f"{self.row.name}.n"])
                return values[self.row.name]
            case Ratio(numerator=above, denominator=below):
                return _divided(self.below[above].value(values), self.below[below].value(values))
            case Derived(expression=expression):
                named = {name: tree.value(values) for name, tree in self.below.items()}
                return evaluate(program(expression), named)
            case Cumulative(metric=metric):
                return self.below[metric].value(values)


def tree_of(name: str, version: int | None, rows: Sequence[MetricRow]) -> Tree:
    """Builds the tree. `NotFound` for a metric, or a part of one, that does not exist. `BadInput` for a cycle.

    The current version of a metric refers to the current versions of its parts. A superseded version refers to the
    parts as they were when its successor was written, so that its meaning never changes again. Of a withdrawn part it
    is the last version.
    """
    row = _row(name, version, rows)
    if row is None:
        raise NotFound(f"There is no metric {name!r} in this dataset.")
    tree, count = _tree(row, rows, (), _ended(row, rows))
    if count > MAX_PARTS:
        raise BadInput(f"Metric {name!r} is made of more than {MAX_PARTS} metrics.")
    return tree


def _tree(
    row: MetricRow, rows: Sequence[MetricRow], above: tuple[str, ...], ended: datetime | None
) -> tuple[Tree, int]:
    if row.name in above or len(above) > MAX_PARTS:
        raise BadInput(f"Metric {row.name!r} is made of itself: {' > '.join((*above, row.name))}.")
    definition, parts = _definition(row)
    below: dict[str, Tree] = {}
    count = 1
    for part in parts:
        found = _row(part, None, rows) if ended is None else _row_before(part, ended, rows)
        if found is None:
            raise NotFound(f"Metric {row.name!r} is made of {part!r}, which is not there any more.")
        if found.kind == "cumulative":
            raise BadInput(f"Metric {row.name!r} is made of {part!r}, which is cumulative: ask for that by itself.")
        below[part], more = _tree(found, rows, (*above, row.name), ended)
        count += more
        if count > MAX_PARTS:
            break
    return Tree(row, definition, below), count


def _row(name: str, version: int | None, rows: Sequence[MetricRow]) -> MetricRow | None:
    of_name = (row for row in rows if row.name == name)
    return next((row for row in of_name if (row.is_current if version is None else row.version == version)), None)


def _ended(row: MetricRow, rows: Sequence[MetricRow]) -> datetime | None:
    """When the next version was written; None for the current version."""
    later = [each for each in rows if each.name == row.name and each.version > row.version]
    return min(later, key=lambda each: each.version).created_at if later else None


def _row_before(name: str, moment: datetime, rows: Sequence[MetricRow]) -> MetricRow | None:
    """The last version written before that moment."""
    written = [row for row in rows if row.name == name and row.created_at is not None and row.created_at < moment]
    return max(written, key=lambda row: row.version, default=None)


def _definition(row: MetricRow) -> tuple[Simple | Ratio | Derived | Cumulative, tuple[str, ...]]:
    match row.kind:
        case "simple":
            return Simple.model_validate(row.definition), ()
        case "ratio":
            ratio = Ratio.model_validate(row.definition)
            return ratio, (ratio.numerator, ratio.denominator)
        case "derived":
            derived = Derived.model_validate(row.definition)
            return derived, tuple(derived.metrics)
        case _:
            cumulative = Cumulative.model_validate(row.definition)
            return cumulative, (cumulative.metric,)


def _divided(above: Number | None, below: Number | None) -> float | None:
    return None if above is None or not below else float(above) / float(below)
