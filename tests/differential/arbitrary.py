"""Guards as random predicates and masks, in place of what the declared guards come to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest
from graphql import GraphQLInputType, GraphQLSchema, coerce_input_value
from hypothesis import strategies as st

from loaders.bounded_cache import BoundedCache
from loaders.description import Table
from loaders.ledger import Ledger
from loaders.openfga.client import Checked, Listed
from loaders.openfga.tuples import Check
from loaders.read import Never
from resolvers import planned
from resolvers.permissions import station
from resolvers.permissions.apply import Mask, Restriction
from resolvers.subject import Subject
from schema.mapping.filters import predicate
from schema.mapping.object import ObjectMapping
from tests.differential.inputs import Inputs, Json
from tests.differential.oracle.filters import admits
from tests.differential.oracle.world import Hidden, World
from tests.differential.rows import TEAMS, Data, Row
from tests.differential.tables import ITEMS, LABELS, MARKS, NOTES, SORTS, TRACES

_ITEM_COLUMNS = (
    *("n", "big", "price", "ratio", "name", "flag", "day", "seen", "doc", "tags", "bigs", "raw", "place", "mood"),
    "tone",
)
MASKABLE: Mapping[str, tuple[str, Sequence[Any], Sequence[str]]] = {
    ITEMS.name: (
        "team",
        TEAMS,
        _ITEM_COLUMNS,
    ),
    SORTS.name: ("owner_id", (7, 8), ("title", "rank")),
    NOTES.name: ("stars", (1, 2, 3), ("body", "written_on")),
    MARKS.name: ("id", (1, 2, 3), ("colour",)),
    LABELS.name: ("title", ("", "a", "b"), ("weight",)),
    TRACES.name: ("team", TEAMS, ("speed", "total", "name", "day", "tone")),
}
"""By table: the column that decides, values of it, and the columns that may be masked by it."""


@dataclass(frozen=True, slots=True)
class Arbitrary:
    """`wheres` by type: the condition on its rows, as the value of a `where`; `None` is no row. `masks` by table."""

    schema: GraphQLSchema
    judge: GraphQLSchema
    wheres: Mapping[str, Json]
    masks: Mapping[str, tuple[Mask, ...]]

    def __repr__(self) -> str:
        return f"Arbitrary({self.wheres!r}, {self.masks!r})"

    @property
    def subject(self) -> Subject:
        return Subject("someone", user_id=7)

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        return Checked(frozenset(checks))

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed:
        return Listed(frozenset(), complete=True)

    @contextmanager
    def installed(self, mappings: Mapping[str, ObjectMapping]) -> Iterator[None]:
        """The station finds these restrictions, and puts them into reads as it does with those of declared guards."""
        found = {mapping.table: self._restriction(mapping) for mapping in mappings.values()}

        async def restrictions(guards: Mapping[Table, object], **_: object) -> list[Restriction]:
            return [found[table] for table in guards]

        with pytest.MonkeyPatch.context() as patch:
            for module in (station, planned):
                patch.setattr(module, "restrictions", restrictions)
            patch.setattr(
                planned, "_cached", BoundedCache(0)
            )  # good while verdicts are the same, and these are of none
            yield

    def _restriction(self, mapping: ObjectMapping) -> Restriction:
        where = self.wheres[mapping.name]
        rows = Never() if where is None else predicate(_coerced(where, mapping.name, self.schema), mapping)
        return Restriction(rows, self.masks[mapping.table.name])

    def world(self, mappings: Mapping[str, ObjectMapping], data: Data) -> World:
        """The guards see all rows as they are; what they show has nulls where it is masked."""
        whole = World(mappings, {name: data[mapping.table.name] for name, mapping in mappings.items()})
        hidden: Hidden = {}
        shown = {}
        for name in mappings:
            where = self.wheres[name]
            condition = None if where is None else _coerced(where, name, self.judge)
            rows = [row for row in whole.rows[name] if condition is not None and _admits(condition, row, name, whole)]
            shown[name] = [self._masked(row, name, whole, hidden) for row in rows]
        return World(mappings, shown, hidden)

    def _masked(self, row: Row, type_: str, world: World, hidden: Hidden) -> Row:
        masks = self.masks[world.mappings[type_].table.name]
        denied = [mask.column for mask in masks if row[mask.holder] not in cast("tuple[Any, ...]", mask.values)]
        hidden[type_, world.place(type_, row)] = frozenset(denied)
        return {**row, **dict.fromkeys(denied)}


def _admits(condition: Mapping[str, Any], row: Row, type_: str, world: World) -> bool:
    return admits(condition, row, type_, world) is True


def _coerced(where: Json, type_: str, schema: GraphQLSchema) -> Mapping[str, Any]:
    return cast(
        "Mapping[str, Any]", coerce_input_value(where, cast(GraphQLInputType, schema.type_map[f"{type_}Filter"]))
    )


@st.composite
def arbitrary(draw: st.DrawFn, schema: GraphQLSchema, judge: GraphQLSchema, mappings: Any, data: Data) -> Arbitrary:
    inputs = Inputs(draw, schema, mappings, data)
    everything = st.sampled_from([True, False])
    wheres = {
        name: None if draw(st.integers(1, 10)) == 10 else {} if draw(everything) else inputs.where(name)
        for name in mappings
    }
    return Arbitrary(schema, judge, wheres, {name: draw(_masks(*each)) for name, each in MASKABLE.items()})


def _masks(holder: str, values: Sequence[Any], columns: Sequence[str]) -> st.SearchStrategy[tuple[Mask, ...]]:
    seen = st.lists(st.sampled_from(values), unique=True).map(tuple)
    mask = st.builds(Mask, st.sampled_from(columns), st.just(holder), seen)
    return st.lists(mask, max_size=2, unique_by=lambda each: each.column).map(tuple)
