"""The admin's connection: psycopg, because it composes identifiers safely and hashes passwords before they are sent."""

from typing import TypeAlias

import psycopg
from sqlalchemy import URL

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]


def connect(url: URL) -> Connection:
    """Autocommit: CREATE DATABASE allows nothing else. Close it with `with`."""
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(dsn, autocommit=True, application_name="axion migrate")
