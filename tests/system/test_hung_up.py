"""A query whose client goes away is cancelled in its store, at once and with nothing left behind."""

import asyncio

import aiohttp

from tests.loaders.jobs.waiting import until
from tests.system.client import Client
from tests.system.process import Gateway
from tests.system.stores import Direct

SLOW = """
query Slow($id: ID!) {
  gen { dataset(id: $id) { table(name: "big") {
    aggregate(groupBy: ["a", "b"], first: 10, measures: [
      {function: COUNT_DISTINCT, column: "c", as: "x"}, {function: COUNT_DISTINCT, column: "at", as: "y"}
    ])
  } } }
}
"""


async def running(direct: Direct) -> int:
    rows = await direct.clickhouse("SELECT query FROM system.processes WHERE query LIKE '%big%'")
    return sum("system.processes" not in row["query"] for row in rows)


async def test_a_slow_query_is_cancelled(client: Client, gateway: Gateway, big: str, direct: Direct) -> None:
    logged = len(gateway.running.lines())
    body = {"query": SLOW, "variables": {"id": big}}
    async with aiohttp.ClientSession() as leaving:
        asking = asyncio.create_task(leaving.post(f"{client.url}/graphql", json=body, headers=client.headers("admin")))

        async def started() -> bool:
            assert not asking.done(), await asking
            return await running(direct) == 1

        await until(started, timeout_s=10)
        asking.cancel()
        await asyncio.wait((asking,))

    async def gone() -> bool:
        return await running(direct) == 0

    await until(gone, timeout_s=5)
    await gateway.running.logs("CANCELLED", "Slow", since=logged)


async def test_what_runs_is_counted(client: Client) -> None:
    """No operation is in flight after all that hung up, by the gateway's own count."""

    async def idle() -> bool:
        async with client.http.get(f"{client.url}/metrics") as response:
            lines = (await response.text()).splitlines()
        flying = [line for line in lines if line.startswith("axion_operations_in_flight{")]
        assert flying
        return all(line.endswith(" 0.0") for line in flying)

    await until(idle, timeout_s=10)
