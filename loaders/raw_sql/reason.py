"""The engine's own message about SQL that it refused to run, for the person who has to correct that SQL.

Only errors about the SQL or its values are passed on, as one shortened line. Their messages contain nothing about a
table that its reader could not query, and such errors do not mention connections or credentials. A message that names a
location all the same (an address, another server, a file, the project) is withheld.
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
"""UNKNOWN_TABLE is missing, because the tables existed when the statement was checked and ClickHouse would suggest the
names of others.
"""
_OF_DUCKDB: Final = frozenset(
    {"BinderException", "CatalogException", "ParserException", "ConversionException", "OutOfRangeException"}
)
_OF_FLIGHT: Final = re.compile(
    r"(?:INVALID_ARGUMENT: \[FlightSQL\] |"
    r"(?:INTERNAL: )?\[FlightSQL\] (?:rpc error: code = \w+ desc = )?(?=(?:Conversion|Out of Range) Error: ))"
    r"(.+?)(?:\. Detail: |$)"
)
"""The server's message without what gRPC adds to it. DuckDB's errors while rows are read have a prefix of their own."""
_OF_DUCKDBS_READER: Final = ("Conversion Error: ", "Out of Range Error: ")
"""How DuckDB's messages begin while rows are read; they are raised as `OSError`, whatever their kind."""


@contextmanager
def with_reasons() -> Iterator[None]:
    """Failures of queries in this context leave it with the engine's message (`with_reason`). The driver's error stays
    the cause.
    """
    try:
        yield
    except StoreQueryFailed as error:
        told = with_reason(error)
        if told is error:
            raise
        raise told from error


def with_reason(error: StoreQueryFailed) -> StoreQueryFailed:
    """The failure with the engine's message, if that is about the SQL; otherwise the failure itself."""
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
    """BigQuery's message alone: the client's own text before it contains the address that was called."""
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
