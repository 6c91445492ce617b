"""Tables of the platform's own ClickHouse; their DDL is deploy/clickhouse/init.sql."""
