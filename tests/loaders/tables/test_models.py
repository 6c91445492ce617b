"""House rules of every model: it can be described, and says what each of its columns is."""

import pytest
from sqlalchemy import Table
from sqlalchemy.orm import configure_mappers

from loaders.tables.auradb import Auradb
from loaders.tables.axion_gen import AxionGen
from loaders.tables.axion_sense import AxionSense
from loaders.tables.axion_sense_tasks import AxionSenseTasks
from loaders.tables.clickhouse import FRAMES, TRACKS
from loaders.tables.describe import describe
from loaders.tables.powernode import Powernode

BASES = (AxionGen, AxionSense, AxionSenseTasks, Auradb, Powernode)
TABLES = [table for base in BASES for table in base.metadata.sorted_tables] + [TRACKS, FRAMES]


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_table_is_described(table: Table) -> None:
    assert table.comment
    assert table.comment.endswith(".")
    description = describe(table, "store")
    assert description.key
    assert [column.name for column in description.columns if not column.description.endswith(".")] == []


def test_relationships_never_load_by_accident() -> None:
    configure_mappers()
    relationships = [r for base in BASES for mapper in base.registry.mappers for r in mapper.relationships]
    assert len(relationships) > 20
    assert [str(r) for r in relationships if r.lazy != "raise"] == []
