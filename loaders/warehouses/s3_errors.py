"""Errors of pyarrow's S3 client and of DuckDB as store errors. Messages carry no address, no SQL and no value."""

import re

import duckdb
import pyarrow as pa

from loaders.errors import Cancelled, StoreError, StoreQueryFailed
from loaders.objects.s3_errors import known_store_error
from loaders.warehouses.s3_files import IndistinctColumns, MisfitFile

S3_FAILURES = (OSError, MemoryError, pa.ArrowException, duckdb.Error, MisfitFile, IndistinctColumns)
"""What pyarrow and DuckDB raise when a read fails, and what is found wrong with files. Any other exception is a defect
of the gateway.
"""
_LONGEST_NAME = 200
SELECT_LESS = "Select fewer columns or groups, or filter more."
_TOO_LARGE = f"the query needs more memory than it may use. {SELECT_LESS}"
_READER_PREFIX = re.compile(r"Invalid Input Error: reading the stream registered as '[^']*' failed: ")
_MET_IN_FILES = re.compile(_READER_PREFIX.pattern + r"IOError: (.*)")
_ERROR_KIND = re.compile(r"([A-Za-z ]+) Error: ")


def store_error(store: str, error: Exception) -> StoreError:
    """Translates an exception to a store error. The caller raises it `from error`, so logs keep the detail.

    DuckDB's messages about the SQL and its values may contain words of S3's failures. So only the messages of the S3
    client are searched for those.
    """
    if _kind(error) == "interrupt":
        return Cancelled(store, f"{store}: the query was cancelled.")
    said = said_of_files(error)
    known = None if said is None else known_store_error(store, said)
    return known or StoreQueryFailed(store, f"{store}: {_cause(error)}")


def said_of_files(error: Exception) -> OSError | None:
    """The error of the S3 client: the given one itself, or the one DuckDB met while it read the files; None for an
    error of DuckDB.

    DuckDB's reader also raises its own errors as `OSError`, with the kind of error before the text.
    """
    if not isinstance(error, OSError | duckdb.Error):
        return None
    first = str(error).partition("\n")[0]
    if found := _MET_IN_FILES.match(first):
        return OSError(found[1])
    return error if isinstance(error, OSError) and not _ERROR_KIND.match(first) else None


def _cause(error: Exception) -> str:
    match error:
        case MisfitFile(file=file, column=None):
            return f"the file {_shown(file)} is not valid Parquet. Write it anew, or take it out of the table's folder."
        case MisfitFile(file=file, column=column):
            return (
                f"column {_shown(str(column))} of the file {_shown(file)} is not of a type that fits the other files. "
                "Write the file anew, or take it out of the table's folder."
            )
        case IndistinctColumns(first=first, second=second):
            return (
                f"its columns {_shown(first)} and {_shown(second)} differ in case only, and the engine cannot tell "
                "them apart. Rename one of them in the files."
            )
        case MemoryError():
            return _TOO_LARGE
        case pa.ArrowException():
            return "the table's files are not valid Parquet, or their columns do not fit together."
    if said_of_files(error) is not None or _READER_PREFIX.match(str(error)):
        return "a file of the table is damaged, or was being written. Read again; if that fails, write its files anew."
    match _kind(error):
        case "out of memory":
            return _TOO_LARGE
        case "binder" | "catalog":
            return "the query does not fit the table; its columns may have changed. Ask for them again."
        case "conversion" | "out of range":
            return "a value of the table does not fit the type the query needs. Select or filter other columns."
        case "invalid input":
            return (
                "the query cannot be worked out for a value it meets, as in a division by zero. Filter such rows out, "
                "or write NULLIF or TRY_CAST where it may happen."
            )
        case kind:
            return f"the query failed in the engine ({kind} error). Ask for less, or write it in another way."


def _kind(error: Exception) -> str | None:
    """DuckDB's own name for the kind of error, in lower case. Its reader raises errors as `OSError`, so the class does
    not tell.
    """
    found = _ERROR_KIND.match(str(error)) if isinstance(error, OSError | duckdb.Error) else None
    return None if found is None else found[1].lower()


def _shown(name: str) -> str:
    return repr(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…")
