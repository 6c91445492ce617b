"""Creates a data source while OpenFGA never answers: `python -m ... <settings as JSON>`."""

import asyncio
import sys
from typing import cast

import orjson

from loaders.ledger import Ledger
from loaders.openfga.client import OpenFga
from loaders.postgres.client import Postgres
from loaders.secrets.keyring import Keyring
from loaders.stores import Stores
from loaders.warehouses.pools import Warehouses
from resolvers.context import Context
from resolvers.gen.data_sources import DataSourceCreate, create_data_source
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject
from tests.resolvers.gen.conftest import GenStores


async def make(given: dict[str, str]) -> None:
    gen = await Postgres.open("axion_gen", given["gen"], pool_max=2, statement_timeout_ms=5_000)
    asked = await OpenFga.open(url=given["openfga"], token=given["token"], store=given["store"], timeout_ms=5_000)
    silent = await OpenFga.open(url=given["silent"], token=given["token"], store=given["store"], timeout_ms=60_000)
    keyring = Keyring({1: given["key"]}, current_version=1)
    stores = GenStores({"axion_gen": gen}, silent, Warehouses(gen, keyring), keyring)
    subject, ledger = Subject("admin"), Ledger()
    context = Context(subject, "killed", cast(Stores, stores), Verdicts(subject, asked, ledger), ledger)
    await create_data_source(context, DataSourceCreate("flights", "clickhouse", {"url": "http://127.0.0.1:1"}))


if __name__ == "__main__":
    asyncio.run(make(orjson.loads(sys.argv[1])))
