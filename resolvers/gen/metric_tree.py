"""A metric with all it is made of: leaves that aggregate tables, and what is reckoned of their values. Pure.

A value above the leaves is reckoned for each group from the leaves' values of that group, so a ratio or an average of
more rows is never made of ratios or averages of fewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from loaders.description import Kind
from loaders.errors import BadInput, NotFound
from loaders.gen.semantic_metrics import MetricRow
from loaders.read import AggregateFunction
from resolvers.gen.arithmetic import Number, program, reckoned
from resolvers.gen.metric_definition import Cumulative, Derived, Ratio, Simple

Values: TypeAlias = Mapping[str, Number | None]
"""The leaves' values of one group, by `Leaf.key` of each of its parts."""

MAX_PARTS = 50


@dataclass(frozen=True, slots=True)
class Leaf:
    """A simple metric: the measure of a table. An average is a sum and a count, so that it is reckoned anew."""

    row: MetricRow
    definition: Simple

    @property
    def parts(self) -> tuple[tuple[str, AggregateFunction], ...]:
        """What the store is asked, by name."""
        function = self.definition.measure.aggregate
        if function is AggregateFunction.AVG:
            return ((f"{self.row.name}.sum", AggregateFunction.SUM), (f"{self.row.name}.n", AggregateFunction.COUNT))
        return ((self.row.name, function),)


@dataclass(frozen=True, slots=True)
class Tree:
    """`below` are the trees of a ratio's, a derived or a cumulative metric's parts, by name."""

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
        """Its own and those of all it is made of, by name."""
        below = {name: version for tree in self.below.values() for name, version in tree.versions.items()}
        return {self.row.name: self.row.version, **below}

    def kind(self, kinds: Mapping[str, Kind]) -> Kind:
        """Of its values, by those of the leaves' parts."""
        match self.definition:
            case Simple(measure=measure) if measure.aggregate is not AggregateFunction.AVG:
                return kinds[self.row.name]
            case Cumulative(metric=metric):
                return self.below[metric].kind(kinds)
            case _:
                return Kind.FLOAT

    @property
    def steps(self) -> int:
        """How many it takes to reckon one value."""
        own = len(program(self.definition.expression)) if isinstance(self.definition, Derived) else 1
        return own + sum(tree.steps for tree in self.below.values())

    def value(self, values: Values) -> Number | None:
        """Null where a part of it is null, and for a division by zero."""
        match self.definition:
            case Simple(measure=measure):
                if measure.aggregate is AggregateFunction.AVG:
                    return _divided(values[f"{self.row.name}.sum"], values[f"{self.row.name}.n"])
                return values[self.row.name]
            case Ratio(numerator=above, denominator=below):
                return _divided(self.below[above].value(values), self.below[below].value(values))
            case Derived(expression=expression):
                named = {name: tree.value(values) for name, tree in self.below.items()}
                return reckoned(program(expression), named)
            case Cumulative(metric=metric):
                return self.below[metric].value(values)


def tree_of(name: str, version: int | None, rows: Sequence[MetricRow]) -> Tree:
    """`NotFound` for a metric, or a part of one, that is not there. `BadInput` for a ring.

    Parts of the metric as it stands are as they stand. A version that has a successor is made of the parts as they were
    when that was written, so it means for ever what it meant last; of a withdrawn part, its last version.
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
    """When the version after it was written; None of the last one."""
    later = [each for each in rows if each.name == row.name and each.version > row.version]
    return min(later, key=lambda each: each.version).created_at if later else None


def _row_before(name: str, moment: datetime, rows: Sequence[MetricRow]) -> MetricRow | None:
    """The last version that was written before."""
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
