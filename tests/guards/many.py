"""Thousands of organizations with a place each or two, and who is a member of how many."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import Check
from resolvers.subject import Subject
from tests.guards.conftest import Granted
from tests.system.stores import Connection

COUNT = 2_500
_SEED = 20_261_121
_INSERT = """
WITH made AS (
  INSERT INTO public.organizations (name, code)
  SELECT 'Many ' || n % 7, 'many-' || n FROM generate_series(1, $1::int) AS n RETURNING id
), placed AS (
  INSERT INTO road_data.holds (organization_id, location, message)
  SELECT id, ST_SetSRID(ST_MakePoint(6, 46, 0), 4326), 'many ' || id % 5 FROM made, generate_series(0, (id % 2)::int)
)
SELECT id FROM made ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Many:
    """By member: the subject, and the ids of all organizations that a Check of each says it may see."""

    ids: tuple[int, ...]
    members: Mapping[str, tuple[Subject, frozenset[int]]]


@asynccontextmanager
async def many(url: str, granted: Granted, openfga: OpenFga) -> AsyncIterator[Many]:
    connection = await asyncpg.connect(url)
    try:
        await _remove(connection)  # of a run that was killed
        ids = tuple(row["id"] for row in await connection.fetch(_INSERT, COUNT))
        chosen = random.Random(_SEED).sample
        sizes = {"none": 0, "few": 7, "half": 1_300, "all": COUNT}
        members: dict[str, tuple[Subject, frozenset[int]]] = {}
        for name, size in sizes.items():
            subject = await granted(*(("member", names.organization(id_)) for id_ in chosen(ids, size)))
            checks = [Check("can_view", names.organization(id_)) for id_ in ids]
            checked = await openfga.batch_check(subject.id, checks, ledger=Ledger())
            allowed = (id_ for id_, check in zip(ids, checks, strict=True) if check in checked.granted)
            members[name] = (subject, frozenset(allowed))
            assert len(members[name][1]) == size
        yield Many(ids, members)
    finally:
        await _remove(connection)
        await connection.close()


async def _remove(connection: Connection) -> None:
    await connection.execute("DELETE FROM road_data.holds WHERE message LIKE 'many %'")
    await connection.execute("DELETE FROM public.organizations WHERE code LIKE 'many-%'")
