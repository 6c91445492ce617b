"""`docs/add-a-table.md` done by its own blocks: the table they add is listed, found, written and related."""

import importlib.util
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local.paths import CHECKOUT
from gateway.settings import Settings
from tests.system.client import Client
from tests.system.extended import add, copied
from tests.system.process import Gateway

PAGE = (CHECKOUT / "docs" / "add-a-table.md").read_text()
BLOCK = re.compile(r"^ {3}```python\n {3}# (\S+)\n(.*?)^ {3}```$", re.DOTALL | re.MULTILINE)
MIGRATION = "migrations/axion_sense/vNNNN_signs.py"
DECLARED = ("schema/sense/sign.py", "schema/sense/query.py", "schema/sense/organization.py", "schema/sense/mutation.py")

CREATE = """
mutation Create($input: SenseSignCreateInput!) {
  made: senseSignCreate(input: $input) {
    __typename
    ... on SenseSignCreatePayload { sign { id rowId code limitKmh updatedAt organization { code } } }
    ... on Error { message }
  }
}
"""
LIST = """
query List($where: SenseSignFilter, $orderBy: [SenseSignOrderBy!]) {
  sense {
    signs(where: $where, orderBy: $orderBy) { totalCount nodes { code } }
    organizations(where: {code: {eq: "north"}}) {
      nodes { signs(first: 1, orderBy: [{code: DESC}]) { nodes { code } pageInfo { hasNextPage } } }
    }
  }
}
"""
AGGREGATE = """
{
  sense {
    signs {
      aggregate(groupBy: [{field: CODE}], having: {count: {gt: 1}}) { key { code } count avg { limitKmh } }
    }
  }
}
"""
NODE = "query Node($id: ID!) { node(id: $id) { __typename ... on SenseSign { code organization { code } } } }"
UPDATE = """
mutation Update($input: SenseSignUpdateInput!) {
  made: senseSignUpdate(input: $input) {
    __typename ... on SenseSignUpdatePayload { sign { code limitKmh } } ... on Error { message code }
  }
}
"""
DELETE = """
mutation Delete($input: SenseSignDeleteInput!) {
  made: senseSignDelete(input: $input) { __typename ... on SenseSignDeletePayload { deletedId } }
}
"""


def _blocks() -> dict[str, str]:
    """The code of each file the page names."""
    return {path: dedent(code) if path not in DECLARED[1:] else _of_class(code) for path, code in BLOCK.findall(PAGE)}


def _of_class(code: str) -> str:
    """Lines of a class: what the list of the page indents is taken off, and no more."""
    return "\n".join(line.removeprefix("   ") for line in code.splitlines())


def test_the_declaration_is_twenty_lines() -> None:
    lines = [line for path in DECLARED for line in _blocks()[path].splitlines() if line.strip()]
    assert len(lines) <= 20


@pytest.fixture(scope="module")
async def extended(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, sample_data: None, env_file: Path, client: Client
) -> AsyncIterator[Client]:
    """A gateway over the code with the page's blocks in it, and the database after the page's migration."""
    checkout = copied(tmp_path_factory.mktemp("extended"))
    blocks = _blocks()
    for path, code in blocks.items():
        add(checkout, path, code)
    engine = create_async_engine(settings.databases.axion_sense.migrate_url.get_secret_value())
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text("DROP TABLE IF EXISTS road_data.signs"))
            await connection.run_sync(_upgraded, _upgrade_of(checkout / MIGRATION))
        async with Gateway.serve(env_file, checkout / "gateway.log", checkout=checkout) as gateway:
            yield replace(client, url=gateway.url)
    finally:
        async with engine.begin() as connection:
            await connection.execute(sa.text("DROP TABLE IF EXISTS road_data.signs"))
        await engine.dispose()


def _upgrade_of(path: Path) -> Callable[[], None]:
    spec = importlib.util.spec_from_file_location("signs_migration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    upgrade: Callable[[], None] = module.upgrade
    return upgrade


def _upgraded(connection: sa.Connection, upgrade: Callable[[], None]) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        upgrade()


async def _organization(client: Client, code: str) -> str:
    document = "query O($c: String!) { sense { organizations(where: {code: {eq: $c}}) { nodes { id } } } }"
    (node,) = (await client.ask(document, {"c": code})).data["sense"]["organizations"]["nodes"]
    return str(node["id"])


async def test_the_page_does_what_it_says(extended: Client) -> None:
    client = extended
    north, south = await _organization(client, "north"), await _organization(client, "south")
    signs: list[dict[str, Any]] = []
    for organization, code, limit in ((north, "stop", None), (north, "limit", 50), (south, "limit", 80)):
        given = {"organizationId": organization, "code": code} | ({} if limit is None else {"limitKmh": limit})
        made = (await client.ask(CREATE, {"input": given})).data["made"]
        assert made["__typename"] == "SenseSignCreatePayload", made
        signs.append(made["sign"])
    assert [(sign["code"], sign["limitKmh"], sign["organization"]["code"]) for sign in signs] == [
        ("stop", None, "north"),
        ("limit", 50, "north"),
        ("limit", 80, "south"),
    ]

    where = {"or": [{"limitKmh": {"gt": 50}}, {"limitKmh": {"isNull": True}}]}
    listed = (await client.ask(LIST, {"where": where, "orderBy": [{"limitKmh": "DESC"}]})).data["sense"]
    assert listed == {
        "signs": {"totalCount": 2, "nodes": [{"code": "stop"}, {"code": "limit"}]},
        "organizations": {"nodes": [{"signs": {"nodes": [{"code": "stop"}], "pageInfo": {"hasNextPage": True}}}]},
    }
    through = {"where": {"organization": {"code": {"eq": "south"}}}}
    assert (await client.ask(LIST, through)).data["sense"]["signs"] == {"totalCount": 1, "nodes": [{"code": "limit"}]}
    assert (await client.ask(AGGREGATE)).data["sense"]["signs"]["aggregate"] == [
        {"key": {"code": "limit"}, "count": 2, "avg": {"limitKmh": 65.0}}
    ]

    node = {"__typename": "SenseSign", "code": "stop", "organization": {"code": "north"}}
    assert (await client.ask(NODE, {"id": signs[0]["id"]})).data["node"] == node
    assert (await client.ask(NODE, {"id": signs[0]["id"]}, user="stranger")).data["node"] is None

    patch = {"id": signs[0]["id"], "patch": {"code": "yield"}, "expectedUpdatedAt": signs[0]["updatedAt"]}
    changed = (await client.ask(UPDATE, {"input": patch})).data["made"]
    assert changed == {"__typename": "SenseSignUpdatePayload", "sign": {"code": "yield", "limitKmh": None}}
    assert (await client.ask(UPDATE, {"input": patch})).data["made"]["__typename"] == "Conflict"
    hidden = (await client.ask(UPDATE, {"input": patch}, user="analyst")).data["made"]
    assert hidden["__typename"] == "Absent"

    deleted = (await client.ask(DELETE, {"input": {"id": signs[0]["id"]}})).data["made"]
    assert deleted == {"__typename": "SenseSignDeletePayload", "deletedId": signs[0]["id"]}
    assert (await client.ask(NODE, {"id": signs[0]["id"]})).data["node"] is None
