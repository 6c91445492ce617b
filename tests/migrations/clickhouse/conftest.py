from tests.deploy.clickhouse_server.fixtures import http, server

__all__ = ["http", "server"]
