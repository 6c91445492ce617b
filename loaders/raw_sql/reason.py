"""What an engine says of SQL that it would not run: who wrote the SQL needs it, to mend it.

Only of errors that are about the SQL or its values, one line, cut short. Of a table there is nothing in it that its
reader could not ask for; of connections and credentials such errors say nothing.
"""

import re
from typing import Final

from loaders.errors import StoreQueryFailed

_LONGEST: Final = 300
_CLICKHOUSE = re.compile(r"DB::Exception: (.+?)(?:[.:]? In scope |\. \([A-Z_]+\)|$)")
_OF_DUCKDB: Final = frozenset(
    {"BinderException", "CatalogException", "ParserException", "ConversionException", "OutOfRangeException"}
)


def with_reason(error: StoreQueryFailed) -> StoreQueryFailed:
    """The failure with the engine's words, where they are about the SQL; else as it is."""
    said = _said(error.__cause__)
    if not said:
        return error
    shown = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    return StoreQueryFailed(error.store, f"{error.store} does not run the statement: {shown}")


def _said(cause: BaseException | None) -> str | None:
    package, name = type(cause).__module__.partition(".")[0], type(cause).__name__
    lines = str(cause).splitlines()
    first = lines[0].strip() if lines else ""
    match package.strip("_"), name:
        case "clickhouse_connect", _:
            found = _CLICKHOUSE.search(first)
            return found[1] if found else None
        case "duckdb", name if name in _OF_DUCKDB:
            return first
        case "google", "BadRequest":
            return str(getattr(cause, "message", first)).partition("\n")[0]
        case "adbc_driver_manager", _ if first.startswith("INVALID_ARGUMENT"):
            return first.removeprefix("INVALID_ARGUMENT: ")
    return None
