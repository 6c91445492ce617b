"""Who sees what, at random: verdicts that the real station asks for, and the rows they admit."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from loaders.ledger import Ledger
from loaders.openfga.client import Checked, Listed
from loaders.openfga.tuples import Check
from resolvers.permissions.verdicts import ADMIN
from resolvers.subject import Subject
from schema.mapping.object import ObjectMapping
from tests.differential.oracle.world import World
from tests.differential.rows import TEAMS, Data, Row
from tests.differential.tables import ITEMS, LABELS, MARKS, NOTES, SORTS, TRACES


@dataclass(frozen=True, slots=True)
class Granted:
    """`listed`: OpenFGA lists all teams at once; else each candidate is checked."""

    admin: bool
    teams: frozenset[str]
    listed: bool
    user_id: int | None
    shelf: bool

    @property
    def subject(self) -> Subject:
        return Subject("someone", user_id=self.user_id)

    async def batch_check(self, subject_id: str, checks: Iterable[Check], *, ledger: Ledger) -> Checked:
        return Checked(frozenset(check for check in checks if self._grants(check)))

    async def list_objects(self, subject_id: str, relation: str, type_: str, *, ledger: Ledger) -> Listed:
        return Listed(self.teams if self.listed else frozenset(), complete=self.listed)

    def _grants(self, check: Check) -> bool:
        if check.relation == ADMIN.relation:
            return self.admin
        type_, _, id_ = check.object.partition(":")
        return id_ in self.teams if type_ == "team" else self.shelf

    @contextmanager
    def installed(self, mappings: Mapping[str, ObjectMapping]) -> Iterator[None]:
        """The declared guards are in place already."""
        yield

    def world(self, mappings: Mapping[str, ObjectMapping], data: Data) -> World:
        seen = self._visible(data)
        return World(mappings, {name: seen[mapping.table.name] for name, mapping in mappings.items()})

    def _visible(self, data: Data) -> Data:
        """The rows by table, as the declarations' guards say."""
        if self.admin:
            return data
        team_of = {row["id"]: row["team"] for row in data[ITEMS.name]}
        return {
            ITEMS.name: [row for row in data[ITEMS.name] if row["team"] in self.teams],
            NOTES.name: [row for row in data[NOTES.name] if team_of.get(row["item_id"]) in self.teams],
            MARKS.name: [row for row in data[MARKS.name] if team_of.get(row["item_id"]) in self.teams],
            SORTS.name: [row for row in data[SORTS.name] if self._owns(row)],
            LABELS.name: data[LABELS.name] if self.shelf else [],
            TRACES.name: data[TRACES.name],
        }

    def _owns(self, row: Row) -> bool:
        return self.user_id is not None and row["owner_id"] == self.user_id


@st.composite
def granted(draw: st.DrawFn) -> Granted:
    most: Any = st.sampled_from([True, True, True, False])
    return Granted(
        admin=draw(st.sampled_from([False, False, False, True])),
        teams=frozenset(team for team in TEAMS if draw(most)),
        listed=draw(most),
        user_id=draw(st.sampled_from([7, 7, 7, 8, None])),
        shelf=draw(most),
    )
