"""Values as the API shows them, and how they compare."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

from loaders.description import ColumnType, Kind
from tests.differential.oracle.wrong import wrong
from tests.differential.tables import TONES


@dataclass(frozen=True, slots=True)
class Loose:
    """JSON as a column holds it: the order of its keys is the store's own."""

    value: Any


Order: TypeAlias = tuple[tuple[str, str], ...]
"""What a list is ordered by, and which way, term by term."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Stands for the cursor of a row in a list, whose text is the gateway's own affair."""

    type: str
    place: tuple[Any, ...]
    order: Order


class Estimate(float):
    """A float that depends on the order in which it was summed up."""


def shown(value: Any, type_: ColumnType) -> Any:
    match value:
        case None:
            return None
        case _ if type_.enumeration is not None and value not in TONES.values():
            raise wrong("a word that is no member", "ENUM_VALUE_UNKNOWN")
        case _ if type_.kind is Kind.JSON:
            return Loose(value)
        case list() if type_.kind is Kind.VECTOR:
            return value
        case list():
            assert type_.element is not None
            return [shown(each, type_.element) for each in value]
        case bytes():
            return b64encode(value).decode()
        case datetime():
            fraction = f"{value.microsecond:06}".rstrip("0")
            return f"{value:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "") + "+00:00"
        case Decimal():
            return format(value, "f")
        case _ if type_.kind is Kind.NUMERIC:
            return format(Decimal(value), "f")
        case _ if type_.kind in (Kind.BIGINT, Kind.UUID, Kind.DATE):
            return str(value)
        case _:
            return value


def sort_key(value: Any, *, columnar: bool) -> Any:
    """Texts by code points. UUIDs by their bytes, which ClickHouse compares by their second half first."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, UUID) and columnar:
        return (value.int & (2**64 - 1), value.int >> 64)
    return value
