"""What an engine says of SQL that it would not run: who wrote the SQL needs it, to mend it.

Only of errors that are about the SQL or its values, one line, cut short. Of a table there is nothing in it that its
reader could not ask for; of connections and credentials such errors say nothing. Where one names a place all the same
(an address, another server, a file, the project), nothing of it is told.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from loaders.errors import StoreQueryFailed

_LONGEST: Final = 300
_PLACES = re.compile(r"://|Received from |in file")
_PROJECT = re.compile(r"/projects/([^/?:]+)")
_CLICKHOUSE = re.compile(r"DB::Exception: (.+?)(?:[.:]? In scope |\. \([A-Z_]+\)|$)")
_OF_CLICKHOUSE: Final = frozenset(
    {
        "AGGREGATE_FUNCTION_DOESNT_ALLOW_PARAMETERS",
        "ALIAS_REQUIRED",
        "AMBIGUOUS_COLUMN_NAME",
        "AMBIGUOUS_IDENTIFIER",
        "ARGUMENT_OUT_OF_BOUND",
        "BAD_ARGUMENTS",
        "CANNOT_COMPILE_REGEXP",
        "CANNOT_CONVERT_TYPE",
        "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
        "CANNOT_PARSE_DATE",
        "CANNOT_PARSE_DATETIME",
        "CANNOT_PARSE_NUMBER",
        "CANNOT_PARSE_TEXT",
        "CANNOT_PARSE_UUID",
        "DECIMAL_OVERFLOW",
        "ILLEGAL_AGGREGATION",
        "ILLEGAL_COLUMN",
        "ILLEGAL_DIVISION",
        "ILLEGAL_TYPE_OF_ARGUMENT",
        "INCORRECT_RESULT_OF_SCALAR_SUBQUERY",
        "INVALID_JOIN_ON_EXPRESSION",
        "INVALID_LIMIT_EXPRESSION",
        "MULTIPLE_EXPRESSIONS_FOR_ALIAS",
        "NOT_AN_AGGREGATE",
        "NO_COMMON_TYPE",
        "NUMBER_OF_ARGUMENTS_DOESNT_MATCH",
        "NUMBER_OF_COLUMNS_DOESNT_MATCH",
        "PARAMETERS_TO_AGGREGATE_FUNCTIONS_MUST_BE_LITERALS",
        "SIZES_OF_ARRAYS_DONT_MATCH",
        "SYNTAX_ERROR",
        "TOO_FEW_ARGUMENTS_FOR_FUNCTION",
        "TOO_MANY_ARGUMENTS_FOR_FUNCTION",
        "TYPE_MISMATCH",
        "UNION_ALL_RESULT_STRUCTURES_MISMATCH",
        "UNKNOWN_AGGREGATE_FUNCTION",
        "UNKNOWN_FUNCTION",
        "UNKNOWN_IDENTIFIER",
        "UNKNOWN_TYPE",
    }
)
"""Not UNKNOWN_TABLE: the tables were there when they were judged, and ClickHouse would propose the names of others."""
_OF_DUCKDB: Final = frozenset(
    {"BinderException", "CatalogException", "ParserException", "ConversionException", "OutOfRangeException"}
)
_OF_FLIGHT: Final = re.compile(
    r"(?:INVALID_ARGUMENT: |(?:INTERNAL: )?(?=\[FlightSQL\] (?:Conversion|Out of Range) Error: ))"
    r"(.+?)(?:\. Detail: |$)"
)
"""What the server says, without what its gRPC adds; what its DuckDB says while rows are read, as of a file's."""
_OF_DUCKDBS_READER: Final = ("Conversion Error: ", "Out of Range Error: ")
"""What it says while rows are read: as an `OSError`, whatever it is."""


@contextmanager
def reasoned() -> Iterator[None]:
    """Failures of a query within leave it `with_reason`. The driver's error stays the cause."""
    try:
        yield
    except StoreQueryFailed as error:
        told = with_reason(error)
        if told is error:
            raise
        raise told from error


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
        case "clickhouse_connect", _ if getattr(cause, "name", None) in _OF_CLICKHOUSE:
            found = None if _PLACES.search(first) else _CLICKHOUSE.search(first)
            return found[1] if found else None
        case "duckdb", name if name in _OF_DUCKDB:
            return first
        case "builtins", "OSError" if first.startswith(_OF_DUCKDBS_READER):
            return first
        case "google", "BadRequest":
            return _of_bigquery(cause)
        case ("adbc_driver_manager", _) | ("builtins", "OSError") if found := _OF_FLIGHT.match(first):
            return found[1]
    return None


def _of_bigquery(cause: BaseException | None) -> str | None:
    """Its own words alone: before them, the client's message has the address that was asked."""
    errors = getattr(cause, "errors", None) or [{}]
    said = str(errors[0].get("message") or "") if isinstance(errors[0], dict) else ""
    line = said.partition("\n")[0].strip()
    projects = _PROJECT.findall(str(cause))
    job = getattr(cause, "query_job", None)
    if job is not None:
        projects.append(job.project)
    if not line or _PLACES.search(line) or any(project in line for project in projects):
        return None
    return line
