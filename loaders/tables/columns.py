"""Column types shared by the models of every database, so that a Python annotation means one SQL type everywhere."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

from sqlalchemy import BigInteger, Identity, Text, func
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID
from sqlalchemy.orm import mapped_column

from loaders.tables.uuid7 import uuid7

Json = dict[str, object] | list[object]

TYPES = {
    str: Text(),
    datetime: TIMESTAMP(timezone=True),
    uuid.UUID: UUID(as_uuid=True),
    Json: JSONB(none_as_null=True),
}
"""The `type_annotation_map` of every declarative base. `int` stays a 32-bit INTEGER; 64 bits are `BigInt`."""

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraint names, so that migrations and error messages can name them."""

BigInt = Annotated[int, mapped_column(BigInteger)]
IdentityKey = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
Uuid7Key = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True), primary_key=True, default=uuid7)]
CreatedAt = Annotated[datetime, mapped_column(server_default=func.now(), comment="When it was added (UTC).")]
UpdatedAt = Annotated[
    datetime,
    mapped_column(server_default=func.now(), onupdate=func.now(), comment="When it was last changed (UTC)."),
]


def utc_now() -> datetime:
    """Now, aware, in UTC: the Python default of columns whose table has no server default."""
    return datetime.now(UTC)
