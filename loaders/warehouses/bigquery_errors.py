"""Errors of Google's clients as store errors. Messages carry no address, no SQL and no value."""

import google.auth.exceptions
import pyarrow as pa
import requests
from google.api_core import exceptions

from loaders.errors import (
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
    UnknownTable,
)

BIGQUERY_FAILURES = (
    exceptions.GoogleAPIError,
    google.auth.exceptions.GoogleAuthError,
    requests.RequestException,
    pa.ArrowException,
)
"""What the clients raise, and pyarrow of rows that it cannot read. Any other exception is a defect of the gateway."""

_RATE = ("rateLimitExceeded", "quotaExceeded")
_BYTES = ("bytesBilledLimitExceeded",)
_TOO_LONG = "message larger than max"
"""How gRPC begins its refusal of a message that is too long."""


def store_error(store: str, error: Exception) -> StoreError:
    """Translates an exception to a store error. The caller raises it `from error`, so logs keep the detail."""
    match error:
        case exceptions.RetryError() if isinstance(error.cause, Exception):
            return store_error(store, error.cause)
        case exceptions.Unauthorized() | exceptions.Unauthenticated() | google.auth.exceptions.GoogleAuthError():
            return _rejected(store)
        case exceptions.Forbidden() if reason_of(error) in _RATE:
            return StoreUnavailable(store, f"{store}: BigQuery's quota of this project is used up. Try again later.")
        case exceptions.Forbidden():
            return _rejected(store)
        case exceptions.ClientError() if reason_of(error) == "stopped":
            return Cancelled(store, f"{store}: the query was cancelled.")
        case exceptions.BadRequest() | exceptions.InternalServerError() if reason_of(error) in _BYTES:
            return StoreQueryFailed(
                store,
                f"{store}: the query would read more than `maximum_bytes_billed` allows. Select fewer columns, filter "
                "by the partition, or raise the setting.",
            )
        case exceptions.DeadlineExceeded() | exceptions.GatewayTimeout() | requests.Timeout():
            return StoreTimeout(store, f"{store}: BigQuery did not answer in time. Try again.")
        case exceptions.ResourceExhausted() if _TOO_LONG in str(error):
            return StoreQueryFailed(
                store, f"{store}: BigQuery sends too much in one message. Ask for fewer columns, or for shorter values."
            )
        case (
            requests.ConnectionError()
            | requests.TooManyRedirects()
            | exceptions.ServerError()
            | exceptions.TooManyRequests()
        ):
            return StoreUnavailable(store, f"{store}: BigQuery cannot be reached. Check `endpoint`, and try again.")
        case exceptions.NotFound():
            return StoreQueryFailed(
                store, f"{store}: the project has no such dataset, or the account may not see it. Correct `dataset`."
            )
        case pa.ArrowException():
            return StoreQueryFailed(
                store, f"{store}: BigQuery sent rows that are no valid Arrow data. Check `storage_endpoint`."
            )
        case exceptions.BadRequest():
            return StoreQueryFailed(
                store, f"{store}: the query does not fit the table; its columns may have changed. Ask for them again."
            )
        case _:
            return StoreQueryFailed(store, f"{store}: BigQuery could not run the query ({type(error).__name__}).")


def query_error(store: str, error: Exception) -> StoreError | UnknownTable:
    """Translates the error of a query over a table that existed when it was described."""
    if isinstance(error, exceptions.NotFound):
        return UnknownTable(f"{store} no longer has the table. List its tables again.")
    return store_error(store, error)


def reason_of(error: Exception) -> str | None:
    """BigQuery's own name for the failure, such as `stopped`."""
    details = getattr(error, "errors", None) or [{}]
    reason = details[0].get("reason") if isinstance(details[0], dict) else None
    return str(reason) if reason else None


def _rejected(store: str) -> StoreError:
    return StoreCredentialsRejected(
        store,
        f"{store}: BigQuery rejected the service account, or it may not do this here. Correct the key, or give it the "
        "roles BigQuery Job User, Data Viewer and Read Session User.",
    )
