"""The models of each Postgres database by its public store name: where a described table's model is found."""

from collections.abc import Mapping

import sqlalchemy as sa

from loaders.description import Table
from loaders.tables.auradb import Auradb
from loaders.tables.axion_gen import AxionGen
from loaders.tables.axion_sense import AxionSense
from loaders.tables.axion_sense_tasks import AxionSenseTasks
from loaders.tables.powernode import Powernode

METADATA: Mapping[str, sa.MetaData] = {
    "axion_gen": AxionGen.metadata,
    "axion_sense": AxionSense.metadata,
    "axion_sense_tasks": AxionSenseTasks.metadata,
    "auradb": Auradb.metadata,
    "powernode": Powernode.metadata,
}


def idempotency_keys(store: str) -> sa.Table:
    """`KeyError` for a database that has no such table: its rows are not written by the API."""
    return METADATA[store].tables["public.idempotency_keys"]


def model_of(table: Table) -> sa.Table:
    """The model `table` was described from. `KeyError` for a table of no Postgres database."""
    return METADATA[table.store].tables[f"{table.schema}.{table.name}"]
