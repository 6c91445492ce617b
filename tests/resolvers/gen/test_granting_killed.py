"""When a process is killed between the commit in Postgres and the write to OpenFGA, the next worker delivers."""

import asyncio
import base64
import os
import sys
from contextlib import suppress
from pathlib import Path

import orjson

from deploy.local.paths import CHECKOUT
from loaders.ledger import Ledger
from loaders.openfga import outbox
from tests.loaders.openfga.stores import Store
from tests.resolvers.gen.conftest import GenStores
from tests.system.process import Started
from tests.waiting import until

OBJECT = "datasource:flights"


async def parents(stores: GenStores) -> list[str]:
    return [found.user async for found in stores.openfga.read(object_=OBJECT, relation="parent", ledger=Ledger())]


async def test_a_crash_between_commit_and_delivery_loses_nothing(
    stores: GenStores, store: Store, gen_url: str, openfga_url: str, openfga_token: str, tmp_path: Path
) -> None:
    gen = stores.postgres["axion_gen"]
    sent = asyncio.Event()  # the tuple is on its way: the transaction has committed

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.set()
        with suppress(ConnectionError):
            await reader.read(-1)  # until the sender is gone
        writer.close()

    silent = await asyncio.start_server(take, "127.0.0.1", 0)
    given = {
        "gen": gen_url,
        "openfga": openfga_url,
        "token": openfga_token,
        "store": store.name,
        "silent": f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}",
        "key": base64.b64encode(bytes(32)).decode(),
    }
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.resolvers.gen.granting_process", orjson.dumps(given).decode(), cwd=CHECKOUT
    )
    async with asyncio.timeout(60):
        await sent.wait()
    killed.kill()
    await killed.wait()
    silent.close()
    await silent.wait_closed()

    rows = await gen.fetch("SELECT name FROM data_sources", ledger=Ledger())
    assert [row["name"] for row in rows] == ["flights"]
    assert await parents(stores) == []
    assert await outbox.waiting(gen, [OBJECT], ledger=Ledger())

    async def is_delivered() -> bool:
        return not await outbox.waiting(gen, [OBJECT], ledger=Ledger())

    named = os.environ.get("AXION_ENV_FILE")
    env_file = Path(named) if named else CHECKOUT / ".axion" / "test" / "env"
    changes = {"AXION_DATABASES__AXION_GEN__WORKER_URL": gen_url, "AXION_OPENFGA__STORE": store.name}
    async with Started("worker", env_file.resolve(), tmp_path / "worker.log", changes) as worker:
        await worker.logs("worker_ready")
        await until(is_delivered)
    assert await parents(stores) == ["system:axion-gen"]
