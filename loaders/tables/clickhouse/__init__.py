"""Tables of the platform's own ClickHouse; their DDL is deploy/clickhouse/init.sql."""

from loaders.tables.clickhouse.sense import FRAMES, TRACKS

__all__ = ["FRAMES", "TRACKS"]
