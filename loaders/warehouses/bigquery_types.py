"""BigQuery's columns as column types, given what its Storage Read API sends as Arrow."""

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
"""As JSON: nothing compares them with a value. A `DATETIME` is no instant, and BigQuery takes it for none."""


def column_of(field: SchemaField) -> Column | None:
    """None for what has no reading: intervals and ranges, and records with one in them."""
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
