"""Alembic operations of this house: tables partitioned by range, kept by pg_partman.

A revision says `op.invoke(ManagePartitions("road_data.track_logs", by="created_at"))`.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from alembic.operations import MigrateOperation, Operations
from sqlalchemy.schema import SchemaItem


class CreateRangePartitionedTable(MigrateOperation):
    """CREATE TABLE ... PARTITION BY RANGE (by). The primary key must contain `by`, otherwise PostgreSQL refuses the
    table.
    """

    def __init__(self, name: str, *items: SchemaItem, by: str, schema: str, comment: str) -> None:
        self.name, self.items, self.by, self.schema, self.comment = name, items, by, schema, comment


@dataclass(frozen=True)
class ManagePartitions(MigrateOperation):
    """Hands a partitioned table to pg_partman: `premake` partitions ahead, also when no rows come, and a default one.

    `table` is `schema.name`. `interval` and `retention` are PostgreSQL intervals. `retention=None` keeps everything;
    otherwise maintenance drops partitions that are older.
    """

    table: str
    by: str
    interval: str = "1 month"
    premake: int = 4
    retention: str | None = None


_CREATE_PARENT = sa.text(
    "SELECT partman.create_parent("
    "p_parent_table => :table, p_control => :by, p_interval => :interval, p_premake => :premake, p_jobmon => false)"
)
_CONFIGURE = sa.text(
    "UPDATE partman.part_config"
    " SET infinite_time_partitions = true, retention = :retention, retention_keep_table = :keep"
    " WHERE parent_table = :table"
)


@Operations.implementation_for(CreateRangePartitionedTable)
def _create_range_partitioned_table(operations: Operations, operation: CreateRangePartitionedTable) -> None:
    operations.create_table(
        operation.name,
        *operation.items,
        schema=operation.schema,
        comment=operation.comment,
        postgresql_partition_by=f"RANGE ({operation.by})",
    )


@Operations.implementation_for(ManagePartitions)
def _manage_partitions(operations: Operations, operation: ManagePartitions) -> None:
    connection = operations.get_bind()
    connection.execute(sa.text("SET LOCAL timezone = 'UTC'"))  # months begin at midnight UTC, whoever migrates
    connection.execute(
        _CREATE_PARENT,
        {"table": operation.table, "by": operation.by, "interval": operation.interval, "premake": operation.premake},
    )
    connection.execute(
        _CONFIGURE,
        {"table": operation.table, "retention": operation.retention, "keep": operation.retention is None},
    )
