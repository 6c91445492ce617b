"""Errors of the ADBC Flight SQL driver as store errors. Messages carry no address, no SQL and no value.

The driver raises DB API errors with a status while a statement starts, and may raise pyarrow's while rows are read;
then only the text tells the gRPC status. The status decides: the rest of the text is the server's, with the words of
the statement in it.
"""

import re
from typing import Final

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_manager import AdbcStatusCode

from loaders.addresses import InsideAddress, denied
from loaders.errors import (
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)

FLIGHT_FAILURES = (adbc_driver_manager.Error, OSError, pa.ArrowException)
"""What the driver raises; anything else is a defect of ours."""

_REJECTED: Final = (AdbcStatusCode.UNAUTHENTICATED, AdbcStatusCode.UNAUTHORIZED)
_CERTIFICATE: Final = ("x509:", "tls:", "certificate", "first record does not look like a TLS handshake")
_NO_CERTIFICATE: Final = "INVALID_ARGUMENT: Invalid value for database option "
"""How the driver refuses settings, before it dials: `root_certificates` alone may be of no use to it."""
_GRPC: Final = re.compile(r"\((\w+); ")
_OF_GRPC: Final = {
    "Unauthenticated": AdbcStatusCode.UNAUTHENTICATED,
    "PermissionDenied": AdbcStatusCode.UNAUTHORIZED,
    "DeadlineExceeded": AdbcStatusCode.TIMEOUT,
    "Canceled": AdbcStatusCode.CANCELLED,
    "Unavailable": AdbcStatusCode.IO,
    "DataLoss": AdbcStatusCode.IO,
    "InvalidArgument": AdbcStatusCode.INVALID_ARGUMENT,
    "NotFound": AdbcStatusCode.NOT_FOUND,
}


def store_error(store: str, error: Exception) -> StoreError:
    """The store error an exception stands for; the caller raises it `from error`, so logs keep the detail."""
    if isinstance(error, InsideAddress):
        return denied(store)
    text, status = str(error), _status(error)
    if status in _REJECTED:
        return StoreCredentialsRejected(
            store, f"{store}: the Flight SQL server rejected the user, the password or the token. Correct them."
        )
    if text.startswith(_NO_CERTIFICATE) or (status is AdbcStatusCode.IO and any(sign in text for sign in _CERTIFICATE)):
        return StoreUnavailable(
            store,
            f"{store}: TLS with the Flight SQL server failed: its certificate is not trusted or not for this host, or "
            "only one side speaks TLS. Check `root_certificates` and that `url` begins with grpc+tls://.",
        )
    if status is AdbcStatusCode.TIMEOUT:
        return StoreTimeout(store, f"{store}: the Flight SQL server did not answer in time. Try again.")
    if status is AdbcStatusCode.CANCELLED:
        return Cancelled(store, f"{store}: the query was cancelled.")
    if status is AdbcStatusCode.IO:
        return StoreUnavailable(
            store, f"{store}: the Flight SQL server cannot be reached. Check the `url` setting and that it is up."
        )
    if status in (AdbcStatusCode.INVALID_ARGUMENT, AdbcStatusCode.NOT_FOUND):
        return StoreQueryFailed(
            store, f"{store}: the query does not fit the table; its columns may have changed. Ask for them again."
        )
    return StoreQueryFailed(store, f"{store}: the Flight SQL server could not run the query. Its log says why.")


def session_is_over(error: Exception) -> bool:
    """Whether the server no longer knows who asks: what it gave for the password ends with it, or after a while."""
    return _status(error) is AdbcStatusCode.UNAUTHENTICATED


def _status(error: Exception) -> AdbcStatusCode:
    """The driver's, or that of the gRPC status it ends the text with; of an `OSError` without one, I/O."""
    if isinstance(error, adbc_driver_manager.Error):
        return error.status_code
    told = _GRPC.findall(str(error))
    if told:
        return _OF_GRPC.get(told[-1], AdbcStatusCode.UNKNOWN)
    return AdbcStatusCode.IO if isinstance(error, OSError) else AdbcStatusCode.UNKNOWN
