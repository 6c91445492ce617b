"""`nodes(ids:)`: one statement for each type, whatever the number of ids, and every answer in its id's place."""

import base64
from typing import Any

import pytest

from tests.system.client import Client

IDS = """
query Ids($first: Int!) {
  sense {
    organizations { nodes { id } }
    trackLogs(first: $first) { nodes { id } }
    tracks(first: $first) { nodes { id organization { code } } }
  }
  gen { datasets { nodes { id } } }
}
"""
NODES = """
query Nodes($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    id
    ... on SenseOrganization { code }
    ... on SenseTrackLog { createdAt track { distanceM } }
    ... on SenseTrack { frameCount log { rowId } }
    ... on GenDataset { name %s }
  }
}
"""
NODE = "query Node($id: ID!) { node(id: $id) { __typename id ... on SenseTrack { frameCount } } }"
PLAIN = NODES % ""
WITH_RESOLVER = NODES % 'table(name: "airlines") { name }'


def _id(type_: str, key: str) -> str:
    return base64.urlsafe_b64encode(f"{type_}:{key}".encode()).decode().rstrip("=")


ABSENT = _id("SenseTrackLog", "00000000-0000-7000-8000-000000000000")


async def _ids(client: Client, first: int) -> list[str]:
    data = (await client.ask(IDS, {"first": first})).data
    lists = [*data["sense"].values(), *data["gen"].values()]
    columns = [[node["id"] for node in found["nodes"]] for found in lists]
    longest = max(map(len, columns))
    return [column[place] for place in range(longest) for column in columns if place < len(column)]


@pytest.mark.parametrize("document", [PLAIN, WITH_RESOLVER], ids=["compiled", "with a resolver"])
async def test_each_in_its_place_as_often_as_asked(client: Client, document: str) -> None:
    ids = await _ids(client, 5)
    asked = [*ids, ABSENT, "nonsense", *reversed(ids), _id("Nothing", "1"), ids[0]]
    answer = await client.ask(document, {"ids": asked})
    alone = {id_: (await client.ask(document, {"ids": [id_]})).data["nodes"][0] for id_ in ids}
    assert all(node["id"] == id_ for id_, node in alone.items())
    assert answer.body["data"]["nodes"] == [alone.get(id_) for id_ in asked]
    malformed = [asked.index("nonsense"), asked.index(_id("Nothing", "1"))]
    assert [(error["extensions"]["code"], error["path"]) for error in answer.errors] == [
        ("INVALID_ID", ["nodes", place]) for place in malformed
    ]


async def test_statements_do_not_grow_with_ids(client: Client) -> None:
    few, many = await _ids(client, 1), await _ids(client, 40)
    assert len(many) > 80
    await client.ask(PLAIN, {"ids": few})
    for ids in (few, many):
        statements = (await client.ask(PLAIN, {"ids": ids})).statements
        assert statements.pop("openfga", 0) <= 2
        # Organizations and track logs, and the logs of tracks; tracks, and the tracks of logs; datasets.
        assert statements == {"axion_sense": 3, "clickhouse": 2, "axion_gen": 1}


async def test_hidden_is_as_absent(client: Client) -> None:
    ids = await _ids(client, 30)
    seen = (await client.ask(PLAIN, {"ids": ids}, user="stranger")).data["nodes"]
    assert seen == [None] * len(ids)
    shown: list[Any] = (await client.ask(PLAIN, {"ids": ids}, user="analyst")).data["nodes"]
    one_by_one = [(await client.ask(NODE, {"id": id_}, user="analyst")).data["node"] for id_ in ids]
    assert [node and node["id"] for node in shown] == [node and node["id"] for node in one_by_one]
    assert None in shown
    assert any(shown)


async def test_at_most_a_hundred(client: Client) -> None:
    answer = await client.ask(PLAIN, {"ids": [ABSENT] * 101})
    assert (answer.codes, answer.body["data"]) == (["BAD_USER_INPUT"], {"nodes": None})
    assert "101 ids, and at most 100" in answer.errors[0]["message"]
    assert (await client.ask(PLAIN, {"ids": [ABSENT] * 100})).data == {"nodes": [None] * 100}
