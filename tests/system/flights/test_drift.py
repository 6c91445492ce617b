"""A table whose columns change between two profiles: what was added, removed and retyped, on every engine."""

from typing import Any

import pyarrow as pa
import pytest

from tests.system.client import Client
from tests.system.flights.conftest import Engine
from tests.waiting import until

REFRESH = """
mutation Refresh($dataset: ID!) {
  genTableProfileRefresh(input: {datasetId: $dataset, tableName: "drifting", sampleRows: 0}) {
    ... on GenTableProfileRefreshPayload { job { id } }
    ... on Error { message }
  }
}
"""
JOB = "query Job($id: ID!) { job(id: $id) { state error } }"
SEEN = """
query Seen($dataset: ID!) { gen { dataset(id: $dataset) { table(name: "drifting") {
  profile { version drift { added removed retyped { column was now } } }
} } } }
"""
pytestmark = pytest.mark.usefixtures("worker")


async def refreshed(client: Client, engine: Engine) -> dict[str, Any]:
    """The profile, once the job is over."""
    started = (await client.ask(REFRESH, {"dataset": engine.dataset})).data["genTableProfileRefresh"]
    job: dict[str, Any] = {}

    async def over() -> bool:
        job.update((await client.ask(JOB, {"id": started["job"]["id"]})).data["job"])
        return job["state"] in ("SUCCEEDED", "FAILED", "CANCELLED")

    await until(over, timeout_s=120)
    assert (job["state"], job["error"]) == ("SUCCEEDED", None)
    seen = (await client.ask(SEEN, {"dataset": engine.dataset})).data["gen"]["dataset"]["table"]["profile"]
    assert isinstance(seen, dict)
    return seen


async def test_columns_that_come_go_and_change(engine: Engine, client: Client) -> None:
    before = pa.table({"id": pa.array([1], pa.int32()), "note": ["a"], "gone": ["b"]})
    await engine.subject.load("drifting", before)
    assert (await refreshed(client, engine))["version"] == 1
    await engine.subject.drop("drifting")
    await engine.subject.load("drifting", pa.table({"id": ["one"], "note": ["a"], "new": [1.5]}))
    found = await refreshed(client, engine)
    await engine.subject.drop("drifting")
    assert found["version"] == 2
    assert (found["drift"]["added"], found["drift"]["removed"]) == (["new"], ["gone"])
    (retyped,) = found["drift"]["retyped"]
    assert retyped["column"] == "id"
    assert "text" in retyped["now"]
    assert "int" in retyped["was"]
