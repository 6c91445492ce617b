"""The questions of Flight SQL that are asked about metadata, in protobuf's wire format (FlightSql.proto of Arrow)."""

from typing import Final

_PREFIX: Final = "type.googleapis.com/arrow.flight.protocol.sql."
_LENGTH_DELIMITED: Final = 2


def get_db_schemas() -> bytes:
    """Answered with the columns `catalog_name` and `db_schema_name`."""
    return _packed("CommandGetDbSchemas")


def get_tables(*, schema_pattern: str | None, table_pattern: str | None) -> bytes:
    """Answered with the columns `catalog_name`, `db_schema_name`, `table_name` and `table_type`.

    Patterns are those of LIKE; None is any.
    """
    return _packed("CommandGetTables", (2, schema_pattern), (3, table_pattern))


def statement_query(sql: str) -> bytes:
    """Answered with the rows of the statement."""
    return _packed("CommandStatementQuery", (1, sql))


def _packed(message: str, *fields: tuple[int, str | None]) -> bytes:
    """As a `google.protobuf.Any`, which is how a command travels. A field that is None is left out."""
    body = b"".join(_field(number, text.encode()) for number, text in fields if text is not None)
    return _field(1, (_PREFIX + message).encode()) + _field(2, body)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
