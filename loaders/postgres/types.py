"""Column types as Postgres parameters and casts."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine, UserDefinedType

from loaders.description import ColumnType, Kind


class Named(UserDefinedType[Any]):
    """A type known by its SQL name only: without conversion by the driver, and without a function around selected
    columns.
    """

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


_SCALARS: dict[Kind, TypeEngine[Any]] = {
    Kind.BOOLEAN: sa.Boolean(),
    Kind.INTEGER: sa.Integer(),
    Kind.BIGINT: sa.BigInteger(),
    Kind.FLOAT: sa.Double(),
    Kind.NUMERIC: sa.Numeric(),
    Kind.TEXT: sa.Text(),
    Kind.UUID: sa.Uuid(),
    Kind.DATE: sa.Date(),
    Kind.TIMESTAMP: sa.DateTime(timezone=True),
    Kind.BYTES: sa.LargeBinary(),
    Kind.JSON: JSONB(),
    Kind.GEOMETRY: Named("geometry"),
    Kind.VECTOR: Named("vector"),
}


def sql_type(type_: ColumnType) -> TypeEngine[Any]:
    """The SQLAlchemy type of a column. Geometry and vector values are bound as text and cast where they are used."""
    if type_.kind is Kind.ARRAY and type_.element is not None:
        element = sql_type(type_.element)
        return element if isinstance(element, sa.ARRAY) else sa.ARRAY(element)  # one type for every depth
    if type_.kind not in _SCALARS:
        raise ValueError(f"Postgres has no column type for {type_.kind}")
    return _SCALARS[type_.kind]
