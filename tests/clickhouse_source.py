"""The stack's ClickHouse as a data source."""

from gateway.settings import Settings


def source_settings(settings: Settings, database: str) -> dict[str, str]:
    """The `settings` of a data source over this database, with the credentials of the stack."""
    clickhouse = settings.clickhouse
    return {
        "url": clickhouse.url,
        "database": database,
        "username": clickhouse.username,
        "password": clickhouse.password.get_secret_value(),
    }
