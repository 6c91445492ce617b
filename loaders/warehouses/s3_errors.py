"""Errors of pyarrow's S3 client and of DuckDB as store errors. Messages carry no address, no SQL and no value."""

import duckdb
import pyarrow as pa

from loaders.errors import (
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)

S3_FAILURES = (OSError, pa.ArrowException, duckdb.Error)
"""What pyarrow and DuckDB raise when a read fails; anything else is a defect of ours."""

_REJECTED = (
    "XAdminUserNotFound",  # versitygw's answer to an unknown access key, with HTTP 404
    "InvalidAccessKeyId",
    "INVALID_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH",
    "SignatureDoesNotMatch",
    "ACCESS_DENIED",
    "AccessDenied",
    "INVALID_CLIENT_TOKEN_ID",
    "UNRECOGNIZED_CLIENT",
    "HTTP status 403",
)
_NO_BUCKET = ("NO_SUCH_BUCKET", "NoSuchBucket")
_GONE = ("NO_SUCH_KEY", "NoSuchKey", "RESOURCE_NOT_FOUND", "Path does not exist")
_TIMED_OUT = ("REQUEST_TIMEOUT", "curlCode: 28")
_UNREACHABLE = (
    "NETWORK_CONNECTION",
    "curlCode:",
    "SERVICE_UNAVAILABLE",
    "SLOW_DOWN",
    "INTERNAL_FAILURE",
    "HTTP status 502",
    "HTTP status 503",
    "HTTP status 504",
)


def store_error(store: str, error: Exception) -> StoreError:
    """The store error an exception stands for; the caller raises it `from error`, so logs keep the detail."""
    text = str(error)
    if _any(_REJECTED, text):
        return StoreCredentialsRejected(
            store, f"{store}: the S3 server rejected the access key or secret key, or they may not read this bucket."
        )
    if _any(_NO_BUCKET, text):
        return StoreQueryFailed(
            store, f"{store}: the S3 server has no such bucket. Correct `bucket` of the data source."
        )
    if _any(_TIMED_OUT, text):
        return StoreTimeout(store, f"{store}: the S3 server did not answer in time. Try again.")
    if _any(_UNREACHABLE, text):
        return StoreUnavailable(
            store, f"{store}: the S3 server cannot be reached. Check `endpoint` of the data source and that it is up."
        )
    if isinstance(error, FileNotFoundError) or _any(_GONE, text):
        return StoreQueryFailed(store, f"{store}: files of the table went away while it was read. Read it again.")
    return StoreQueryFailed(store, f"{store}: {_cause(error)}")


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


def _any(markers: tuple[str, ...], text: str) -> bool:
    return any(marker in text for marker in markers)
