"""SQLAlchemy types for ClickHouse columns that no standard type describes. For description only, never compiled."""

from sqlalchemy.types import UserDefinedType


class H3(UserDefinedType[int]):
    """An H3 cell index: `UInt64` in ClickHouse, beyond the 2^53 of JSON numbers."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "UInt64"
