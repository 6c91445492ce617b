"""What odd values of mutations get: a failure that is data and names the field, and nothing is made."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.mutations import deleted, done
from tests.system.sample import flights_dataset


@dataclass(frozen=True, slots=True)
class Odd:
    """`{dataset}` and `{source}` stand for the sample's ids."""

    mutation: str
    values: dict[str, Any]
    field: str


NUL = "a\x00b"
SOURCE = {"name": "odd", "connectorType": "clickhouse", "settings": {"url": "http://127.0.0.1:1"}}
ODD = {
    "a connector that is none": Odd("genDataSourceCreate", SOURCE | {"connectorType": ""}, "connectorType"),
    "settings that are none": Odd("genDataSourceCreate", SOURCE | {"settings": []}, "settings"),
    "settings that lack one": Odd("genDataSourceCreate", SOURCE | {"settings": {}}, "settings"),
    "U+0000 in a setting": Odd("genDataSourceCreate", SOURCE | {"settings": {"url": NUL}}, "settings"),
    "U+0000 in a description": Odd("genDataSourceCreate", SOURCE | {"description": NUL}, "description"),
    "empty settings": Odd("genDataSourceUpdate", {"id": "{source}", "settings": []}, "settings"),
    "an empty schema": Odd(
        "genDatasetCreate", {"dataSourceId": "{source}", "name": "odd", "remoteSchema": ""}, "remoteSchema"
    ),
    "no tables": Odd("genDatasetCreate", {"dataSourceId": "{source}", "name": "odd", "tableNames": []}, "tableNames"),
    "U+0000 in a table": Odd("genFavoriteTableAdd", {"datasetId": "{dataset}", "tableName": NUL}, "tableName"),
    "U+0000 in a profile's table": Odd(
        "genTableProfileRefresh", {"datasetId": "{dataset}", "tableName": NUL}, "tableName"
    ),
    "U+0000 in a role": Odd("genRoleCreate", {"name": "odd", "description": NUL}, "description"),
    "a blank name": Odd("genDashboardCreate", {"name": " "}, "name"),
    "a name that is not seen": Odd("genDashboardGroupCreate", {"name": "\u202e\u200b"}, "name"),
    "a long name": Odd("genDatasetGroupCreate", {"name": "x" * 201}, "name"),
    "a dataset's name": Odd("genDatasetUpdate", {"id": "{dataset}", "patch": {"name": ""}}, "name"),
    "a blank title": Odd("genChatSessionCreate", {"title": "\n"}, "title"),
    "a table that no index holds": Odd(
        "genCurationOverrideCreate", {"datasetId": "{dataset}", "tableName": "x" * 500_000}, "tableName"
    ),
    "a column that is none": Odd(
        "genCurationOverrideCreate", {"datasetId": "{dataset}", "tableName": "x", "columnName": ""}, "columnName"
    ),
    "a default that is no value": Odd(
        "genTableFilterCreate",
        {"datasetId": "{dataset}", "tableName": "x", "columnName": "y", "kind": "TEXT", "defaultValue": {"a": 1}},
        "defaultValue",
    ),
    "U+0000 in a code": Odd("genExternalApiAuthorizeFinish", {"code": NUL, "state": "x"}, "code"),
}


async def test_names_that_look_alike_are_one(client: Client) -> None:
    document = """
    mutation Two($one: GenDashboardGroupCreateInput!, $other: GenDashboardGroupCreateInput!) {
      one: genDashboardGroupCreate(input: $one) {
        ... on GenDashboardGroupCreatePayload { made: dashboardGroup { id name } }
      }
      other: genDashboardGroupCreate(input: $other) { __typename ... on Conflict { field } }
    }
    """
    both = (await client.ask(document, {"one": {"name": "Zoe\u0308"}, "other": {"name": "Zo\xeb"}})).data
    made = both["one"]["made"]
    await deleted(client, "GenDashboardGroup", made["id"])
    assert made["name"] == "Zo\xeb"
    assert both["other"] == {"__typename": "Conflict", "field": "name"}


@pytest.mark.parametrize("case", ODD)
async def test_the_failure_names_the_field(client: Client, case: str) -> None:
    odd = ODD[case]
    dataset = await flights_dataset(client, "dataSource { id }")
    ids = {"{dataset}": dataset["id"], "{source}": dataset["dataSource"]["id"]}
    given = {name: ids.get(value, value) if isinstance(value, str) else value for name, value in odd.values.items()}
    told = await done(client, odd.mutation, **given)
    assert (told["__typename"], told.get("field"), told.get("code")) == ("InvalidInput", odd.field, "BAD_USER_INPUT")
    assert odd.field in told["message"] or odd.field == "connectorType"
