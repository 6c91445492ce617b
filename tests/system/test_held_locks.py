"""A row that somebody holds: who wants it is told to try again, and nobody else is kept from writing."""

import asyncio
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from gateway.settings import Settings
from tests.system.client import Answer, Client
from tests.system.mutations import mutation
from tests.system.sample import flights_dataset
from tests.system.stores import Direct

UPDATE = mutation("genDatasetUpdate", "dataset { description }")
UNMARK = mutation("genFavoriteDatasetRemove")
WAITING = """
SELECT count(*) AS n FROM pg_stat_activity
WHERE datname = 'axion_gen' AND wait_event_type = 'Lock' AND state = 'active'
"""


async def test_those_who_wait_for_one_row_keep_nobody_else_from_writing(
    client: Client, direct: Direct, settings: Settings, admin_url: str
) -> None:
    """As many wait as there are connections that write: without a bound on the wait for a lock, the other write had
    none in time."""
    dataset = await flights_dataset(client, "rowId description")
    change: dict[str, Any] = {"input": {"id": dataset["id"], "patch": {"description": "Changed."}}}
    url = make_url(admin_url).set(database="axion_gen").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM datasets WHERE id = $1::uuid FOR UPDATE", dataset["rowId"])
            wanting = [asyncio.create_task(client.ask(UPDATE, change)) for _ in range(settings.postgres.write_pool_max)]
            async with asyncio.timeout(30):  # until all wait, or the first has waited long enough
                while (await direct.postgres("axion_gen", WAITING))[0]["n"] < len(wanting):
                    if any(each.done() for each in wanting):
                        break
            other = await client.ask(UNMARK, {"input": {"datasetId": dataset["id"]}}, user="analyst")
            assert other.data["it"]["__typename"] == "GenFavoriteDatasetRemovePayload", other.body
            told: list[Answer] = await asyncio.gather(*wanting)
        for answer in told:
            assert answer.codes == ["STORE_BUSY"], answer.body
            assert answer.errors[0]["extensions"]["store"] == "axion_gen"
            assert "Try again" in answer.errors[0]["message"]
        kept: dict[str, Any] = {"input": {**change["input"], "patch": {"description": dataset["description"]}}}
        assert (await client.ask(UPDATE, kept)).data["it"]["dataset"]["description"] == dataset["description"]
    finally:
        await connection.close()
