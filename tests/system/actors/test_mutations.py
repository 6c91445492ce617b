"""Every mutation, asked by who may not do it: nothing is changed, in no table and in no tuple."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    get_named_type,
    is_required_input_field,
)

from loaders.tables.databases import METADATA
from tests.system.actors.conftest import REFUSED, Actors
from tests.system.actors.inputs import MUTATIONS, asked_with, input_of, referred
from tests.system.actors.rows import World
from tests.system.client import Answer
from tests.system.stores import Direct

OWN = {
    "apiKeyCreate",
    "genAgentAuditEntryCreate",
    "genArtifactVersionCreate",
    "genChatSessionCreate",
    "genDashboardCreate",
    "genDashboardGroupCreate",
    "genExternalApiAuthorizeStart",
    "genExternalApiConnectionTest",
}
"""What everyone who signs in may do, for themselves."""
NOT_THERE = {
    "genFavoriteDashboardRemove": "public.user_favorite_dashboards",
    "genFavoriteDatasetRemove": "public.user_favorite_datasets",
    "genFavoriteTableRemove": "public.user_favorite_tables",
}
"""Taking back what is the caller's own only, and where that stands: of hidden things too, as they tell nothing."""
ROWS = "SELECT coalesce(jsonb_agg(to_jsonb(own)), '[]')::text AS rows FROM {} AS own"
PUT_BACK = """
    INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, $1::jsonb)
    ON CONFLICT DO NOTHING RETURNING owner_subject
"""
SEEN = {"genExternalApiUpdate", "genExternalApiDelete", "genDashboardGroupUpdate", "genDashboardGroupDelete"}
"""Of rows that others see (of groups, who sees a dashboard in it): that they may not be changed tells nothing."""
FOR_ADMINS = re.compile(
    r"genRole|genUser|genDataSource|genDatasetGroup|genEncryptionKey|serviceAccount|genExternalApi(Create|Update|Delete|Client)"
)
"""What is for system admins (or, of data sources, for theirs): refused before anything is read."""
FOR_THEIR_ADMINS = re.compile(
    r"genDataset(Create|Update|Delete|Map)|genCuration|genTooltip|genDiscovery|genTableFilter|genArticle|genSemantic|aura"
)
"""What is for who administers the thing, which others may see."""
FOR_ALL = re.compile(
    r"genDashboard|genFavorite|genChat|genArtifact|genAgent|genTableProfile|genExternalA(ccount|pi(Authorize|Connection))"
    r"|senseHold|job|apiKey"
)
"""What is for who signs in: of their own, and of what they see."""
HIDDEN = re.compile(r"genDataSource(Update|Test)|genDatasetCreate")
"""Of what analysts do not see."""
AUDITED = "audit_outbox"
"""Where a denial is noted."""
DENIED: set[str | None] = {"FORBIDDEN", "NOT_FOUND", "BAD_USER_INPUT"}
"""The last where a reference leads to a hidden row: as one that leads nowhere."""
COUNTED = "SELECT count(*) AS n, coalesce(sum(hashtext(ctid::text || xmin::text)), 0) AS versions FROM {}"


def _optional_references() -> Iterator[tuple[str, str]]:
    """Of mutations that analysts may ask for: the references, and those of a patch, that need not be there."""
    for name, field in MUTATIONS.items():
        takes = get_named_type(field.args["input"].type)
        if not FOR_ALL.match(name) or not isinstance(takes, GraphQLInputObjectType):
            continue
        patch = takes.fields.get("patch")
        within = takes if patch is None else get_named_type(patch.type)
        assert isinstance(within, GraphQLInputObjectType)
        for reference, each in within.fields.items():
            if get_named_type(each.type).name == "ID" and not is_required_input_field(each):
                yield name, reference


@pytest.mark.parametrize("name", MUTATIONS)
async def test_denied(actors: Actors, direct: Direct, name: str) -> None:
    before = await versions(direct)
    kept = await direct.postgres("axion_gen", ROWS.format(NOT_THERE[name])) if name in NOT_THERE else []
    for nobody, code in REFUSED.items():
        answer = await _asked(actors, name, nobody, actors.south)
        assert _codes(answer) == [code]
        assert not answer.used, nobody
    if name not in OWN:
        answer = await _asked(actors, name, "member", actors.south)
        assert set(_codes(answer)) <= DENIED | ({None} if name in NOT_THERE else set()), answer.body
        assert "BAD_USER_INPUT" not in _codes(answer) or answer.statements  # not for its form
        assert not FOR_ADMINS.match(name) or not answer.used
        if name not in SEEN:
            of_absent = await _asked(actors, name, "member", actors.south.absent())
            assert _codes(answer) == _codes(of_absent)  # what is hidden is as what is not there
            assert name in NOT_THERE or answer.used == of_absent.used
    after = await versions(direct)
    assert {table for table in before if after[table] != before[table]} <= {f"axion_gen.{NOT_THERE.get(name)}"}
    for rows in kept:
        gone = await direct.postgres("axion_gen", PUT_BACK.format(NOT_THERE[name]), rows["rows"])
        assert {row["owner_subject"] for row in gone} <= {actors.north.subject}


@pytest.mark.parametrize("name", [name for name in MUTATIONS if not FOR_ALL.match(name)])
async def test_analysts_administer_nothing(actors: Actors, direct: Direct, name: str) -> None:
    """Their own world neither, whose rows they see: what is read is at most the row asked about, or referred to."""
    before = await versions(direct)
    answer = await _asked(actors, name, "analyst", actors.south)
    assert _codes(answer) == ["NOT_FOUND" if HIDDEN.match(name) else "FORBIDDEN"]
    if FOR_ADMINS.match(name):
        assert not answer.used
    else:
        assert sum(rows for _, rows, _ in answer.used.values()) <= 1
    assert await versions(direct) == before


@pytest.mark.parametrize(("name", "reference"), list(_optional_references()), ids=lambda each: each)
async def test_optional_references_to_hidden_rows_lead_nowhere(
    actors: Actors, direct: Direct, name: str, reference: str
) -> None:
    """Otherwise about the caller's own rows: a hidden one is as one that is not there, and nothing is made."""
    type_ = referred(reference)
    hidden = next(id_ for id_ in actors.made.ids(type_) if id_ not in actors.visible["analyst"][type_])
    before = await versions(direct)
    told = []
    for id_ in (hidden, actors.north.absent().id(type_)):
        input_ = input_of(name, actors.south)
        within = input_
        if "patch" in input_:
            within = input_["patch"] = {}
        within[reference] = id_
        answer = await asked_with(actors, name, "analyst", input_)
        told.append((answer.body.get("data"), _codes(answer), answer.used))
    assert told[0] == told[1]
    assert set(told[0][1]) <= DENIED
    assert await versions(direct) == before


def test_each_mutation_is_for_somebody() -> None:
    said = [[each for each in (FOR_ALL, FOR_ADMINS, FOR_THEIR_ADMINS) if each.match(name)] for name in MUTATIONS]
    assert [len(each) for each in said] == [1] * len(MUTATIONS)


async def _asked(actors: Actors, name: str, user: str | None, world: World) -> Answer:
    return await asked_with(actors, name, user, input_of(name, world))


def _codes(answer: Answer) -> list[str | None]:
    """Of the errors, or of the failure that is data; None for what was done."""
    if answer.errors:
        return list(answer.codes)
    return [answer.data["it"].get("code")]


async def versions(direct: Direct) -> dict[str, Any]:
    """How many rows each table of every database has, in which versions; and OpenFGA's tuples and their changes."""
    tables: dict[str, Iterable[str]] = {
        store: [table.fullname for table in metadata.sorted_tables if table.name != AUDITED]
        for store, metadata in METADATA.items()
    }
    tables["axion_sense_permissions"] = ("tuple", "changelog")
    found: dict[str, Any] = {}
    for store, of_store in tables.items():
        sql = " UNION ALL ".join(
            f"SELECT '{table}' AS name, n, versions FROM ({COUNTED.format(table)}) AS t" for table in of_store
        )
        rows = await direct.postgres(store, sql)
        found |= {f"{store}.{row['name']}": (row["n"], row["versions"]) for row in rows}
    return found
