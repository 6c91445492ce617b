"""A table's schedule through the API: set, seen, and ended."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.sample import flights_dataset

SET = """
mutation Set($dataset: ID!, $table: String!, $schedule: GenRecurrence, $sampleRows: Int, $where: GenRowFilter) {
  genTableProfileScheduleSet(
    input: {datasetId: $dataset, tableName: $table, schedule: $schedule, sampleRows: $sampleRows, where: $where}
  ) {
    ... on GenTableProfileScheduleSetPayload { schedule { id cron timeZone everyMinutes nextRunAt refresh } }
    ... on Error { code message }
    ... on InvalidInput { field }
  }
}
"""
SEEN = """
query Seen($dataset: ID!) {
  node(id: $dataset) {
    ... on GenDataset {
      profileSchedules { nodes { tableName refresh ownerSubject lastState lastError lastJob { id } } }
      table(name: "airlines") { profileSchedule { cron nextRunAt dataset { name } } }
    }
  }
}
"""


@pytest.fixture(scope="module")
async def dataset(client: Client) -> str:
    return str((await flights_dataset(client, user="analyst"))["id"])


async def set_(client: Client, dataset: str, schedule: Any, *, user: str = "admin", **more: Any) -> Any:
    variables = {"dataset": dataset, "table": "airlines", "schedule": schedule, **more}
    return (await client.ask(SET, variables, user=user)).data["genTableProfileScheduleSet"]


async def test_a_schedule_is_set_seen_and_ended(client: Client, dataset: str) -> None:
    cron = {"cron": "30  2 1 1 *", "timeZone": "Europe/Zurich"}
    made = (await set_(client, dataset, cron, sampleRows=0))["schedule"]
    year = datetime.now(UTC).year + 1
    assert (made["cron"], made["timeZone"], made["everyMinutes"]) == ("30 2 1 1 *", "Europe/Zurich", None)
    assert made["nextRunAt"].startswith(f"{year}-01-01T01:30:00")
    assert made["refresh"] == {"sampleRows": 0}
    seen = (await client.ask(SEEN, {"dataset": dataset})).data["node"]
    (schedule,) = seen["profileSchedules"]["nodes"]
    assert (schedule["refresh"], schedule["lastState"], schedule["lastJob"]) == ({"sampleRows": 0}, None, None)
    assert seen["table"]["profileSchedule"] == {
        "cron": "30 2 1 1 *",
        "nextRunAt": made["nextRunAt"],
        "dataset": {"name": "nycflights13"},
    }
    answer = await client.ask(SEEN, {"dataset": dataset}, user="analyst")
    (hidden,) = answer.body["data"]["node"]["profileSchedules"]["nodes"]
    assert (hidden["tableName"], hidden["refresh"], hidden["ownerSubject"]) == ("airlines", None, None)
    assert set(answer.codes) == {"FORBIDDEN"}
    again = (await set_(client, dataset, {"everyMinutes": 60}))["schedule"]
    assert (again["id"], again["cron"], again["everyMinutes"]) == (made["id"], None, 60)
    assert await set_(client, dataset, None) == {"schedule": None}
    assert (await client.ask(SEEN, {"dataset": dataset})).data["node"]["profileSchedules"]["nodes"] == []


async def test_a_schedule_profiles_the_rows_that_match(client: Client, dataset: str) -> None:
    where = {"or": [{"column": "carrier", "notIn": ["AA"]}, {"not": {"column": "name", "startsWith": "A"}}]}
    made = (await set_(client, dataset, {"everyMinutes": 60}, where=where))["schedule"]
    assert made["refresh"] == {"where": where}
    refused = await set_(client, dataset, {"everyMinutes": 60}, where={"column": "nope", "eq": 1})
    assert refused["code"] == "UNKNOWN_COLUMN"
    assert await set_(client, dataset, None) == {"schedule": None}


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ({}, "cron"),
        ({"cron": "* * * * *", "timeZone": "UTC"}, "cron"),
        ({"cron": "0 0 * * *"}, "timeZone"),
        ({"everyMinutes": 1}, "everyMinutes"),
    ],
)
async def test_what_is_no_schedule_is_refused(client: Client, dataset: str, schedule: Any, field: str) -> None:
    refused = await set_(client, dataset, schedule)
    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", field)


async def test_only_administrators_set_and_end_it(client: Client, dataset: str) -> None:
    for schedule in ({"everyMinutes": 60}, None):
        assert (await set_(client, dataset, schedule, user="analyst"))["code"] == "FORBIDDEN"
        assert (await set_(client, dataset, schedule, user="stranger"))["code"] == "NOT_FOUND"
