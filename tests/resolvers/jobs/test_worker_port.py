"""The probes and metrics of a worker."""

import asyncio
import re
import socket
from uuid import UUID

import aiohttp
import orjson

from gateway.settings import Settings, Worker
from loaders.jobs.job import JobEvent
from resolvers.jobs.kinds.table_profile_refresh import Refresh
from resolvers.jobs.start import start_table_profile_refresh
from resolvers.jobs.watch import watch_job
from tests.deploy.grafana import require_exported
from tests.resolvers.jobs.conftest import Someone, working
from tests.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def figure(metrics: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_probes_and_metrics(admin: Someone, jobs_settings: Settings, clickhouse_dataset: UUID) -> None:
    port = free_port()
    settings = jobs_settings.model_copy(update={"worker": Worker(port=port)})
    done = 'axion_jobs_total{kind="table_profile_refresh",outcome="succeeded"}'
    took = 'axion_job_seconds_count{kind="table_profile_refresh"}'

    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:

        async def got(path: str) -> tuple[int, str]:
            async with http.get(path) as response:
                return response.status, await response.text()

        async def answers() -> bool:
            try:
                return (await got("/health/live"))[0] == 200
            except aiohttp.ClientError:
                return False

        async with working(settings), asyncio.timeout(60):
            await until(answers)
            status, text = await got("/health/ready")
            assert (status, orjson.loads(text)["status"]) == (200, "ready")
            stores = orjson.loads(text)["stores"]
            assert {name for name, store in stores.items() if store["required"]} == {"axion_sense_tasks", "openfga"}
            _, before = await got("/metrics")
            job = await start_table_profile_refresh(admin.context(), Refresh(clickhouse_dataset, "no_rows"))
            assert [item async for item in watch_job(admin.context(), job.id, after=0) if isinstance(item, JobEvent)]

            async def counted() -> bool:
                _, now = await got("/metrics")
                return figure(now, done) == figure(before, done) + 1 and figure(now, took) == figure(before, took) + 1

            await until(counted)
            _, now = await got("/metrics")
            assert (figure(now, "axion_jobs_running"), figure(now, "axion_outbox_refused")) == (0.0, 0.0)
            assert 'axion_store_statements_total{store="datasource"}' in now
            require_exported("worker", now)
            assert (await got("/graphql"))[0] == 404
        assert not await answers()
