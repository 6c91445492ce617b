"""Maps BigQuery's columns to column types, by what its Storage Read API sends for them as Arrow."""

from google.cloud.bigquery import SchemaField

from loaders.description import Column, ColumnType, Kind

_SCALARS = {
    "BOOL": Kind.BOOLEAN,
    "BOOLEAN": Kind.BOOLEAN,
    "INT64": Kind.BIGINT,
    "INTEGER": Kind.BIGINT,
    "FLOAT64": Kind.FLOAT,
    "FLOAT": Kind.FLOAT,
    "NUMERIC": Kind.NUMERIC,
    "BIGNUMERIC": Kind.NUMERIC,
    "STRING": Kind.TEXT,
    "BYTES": Kind.BYTES,
    "DATE": Kind.DATE,
    "TIMESTAMP": Kind.TIMESTAMP,
}
_SHOWN_ONLY = frozenset({"JSON", "RECORD", "STRUCT", "DATETIME", "TIME", "GEOGRAPHY"})
"""Types presented as JSON, because no filter value compares with them. A `DATETIME` has no zone, so it is no instant to
BigQuery.
"""


def column_of(field: SchemaField) -> Column | None:
    """None for a type that cannot be read: intervals, ranges, and records that hold one."""
    if not _is_readable(field):
        return None
    kind = _SCALARS.get(field.field_type)
    if field.mode != "REPEATED":
        return Column(field.name, ColumnType(kind or Kind.JSON), field.mode != "REQUIRED", field.description or "")
    array = ColumnType(Kind.JSON) if kind is None else ColumnType(Kind.ARRAY, element=ColumnType(kind))
    return Column(field.name, array, False, field.description or "")


def _is_readable(field: SchemaField) -> bool:
    known = field.field_type in _SCALARS or field.field_type in _SHOWN_ONLY
    return known and all(_is_readable(part) for part in field.fields)
