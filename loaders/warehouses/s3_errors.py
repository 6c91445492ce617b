"""Errors of pyarrow's S3 client and of DuckDB as store errors. Messages carry no address, no SQL and no value."""

import duckdb
import pyarrow as pa

from loaders.errors import StoreError, StoreQueryFailed
from loaders.objects.s3_errors import known_store_error

S3_FAILURES = (OSError, pa.ArrowException, duckdb.Error)
"""What pyarrow and DuckDB raise when a read fails; anything else is a defect of ours."""


def store_error(store: str, error: Exception) -> StoreError:
    """The store error an exception stands for; the caller raises it `from error`, so logs keep the detail.

    DuckDB wraps what pyarrow raised below it, so the text is asked first.
    """
    return known_store_error(store, error) or StoreQueryFailed(store, f"{store}: {_cause(error)}")


def _cause(error: Exception) -> str:
    match error:
        case duckdb.OutOfMemoryException():
            return "the query needs more memory than it may use. Select fewer columns or groups, or filter more."
        case duckdb.BinderException() | duckdb.CatalogException():
            return "the query does not fit the table; its columns may have changed. Ask for them again."
        case duckdb.ConversionException() | duckdb.OutOfRangeException():
            return "a value of the table does not fit the type the query needs. Select or filter other columns."
        case pa.ArrowException():
            return "the table's files are not valid Parquet, or their columns do not fit together."
        case _:
            return f"the query failed in the engine ({type(error).__name__})."
