"""Errors of the ADBC Flight SQL driver, and of Arrow's Flight client, as store errors.

Messages carry no address, no SQL and no value. The driver raises DB API errors with a status while a statement starts,
and pyarrow's while rows are read, where only the text tells the gRPC status; the Flight client has a class for the
statuses that matter. The status decides: the rest of the text is the server's, with the words of the statement in it.
"""

import re
from collections.abc import Mapping
from typing import Final

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_manager import AdbcStatusCode
from pyarrow import flight

from loaders.addresses import InsideAddress, denied
from loaders.columnar.sound import UnsoundBatch
from loaders.errors import (
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)
from loaders.warehouses.flight_sql_endpoints import RowsElsewhere

FLIGHT_FAILURES = (adbc_driver_manager.Error, OSError, pa.ArrowException)
"""What the two clients raise; anything else is a defect of ours."""

MESSAGE_BYTES: Final = 16 << 20
"""The largest message that is taken; a record batch of an answer is one message."""

_REJECTED: Final = (AdbcStatusCode.UNAUTHENTICATED, AdbcStatusCode.UNAUTHORIZED)
_CERTIFICATE: Final = (
    "x509:",
    "tls:",
    "certificate",
    "first record does not look like a TLS handshake",
    "Ssl handshake failed",
    "empty address list",
)
_NO_CERTIFICATE: Final = "INVALID_ARGUMENT: Invalid value for database option "
"""How the driver refuses settings, before it dials: `root_certificates` alone may be of no use to it. (Of none that it
can read, the Flight client's gRPC says that the list of addresses is empty.)
"""
_TOO_LARGE: Final = "received message larger than max"
"""What gRPC says of a message that it does not take. The same status is that of a server that is short of something."""
_GRPC: Final = re.compile(r"\((\w+); ")
_RAW_GRPC: Final = re.compile(r"\[FlightSQL\] (?:arrow/\w+: [^:]+: )*rpc error: code = (\w+) desc = ")
"""How an error begins that comes in the midst of rows, which the driver passes on as gRPC words it."""
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
_OF_CLIENT: Final[Mapping[type[Exception], AdbcStatusCode]] = {
    flight.FlightUnauthenticatedError: AdbcStatusCode.UNAUTHENTICATED,
    flight.FlightUnauthorizedError: AdbcStatusCode.UNAUTHORIZED,
    flight.FlightTimedOutError: AdbcStatusCode.TIMEOUT,
    flight.FlightUnavailableError: AdbcStatusCode.IO,
    pa.ArrowInvalid: AdbcStatusCode.INVALID_ARGUMENT,
    pa.ArrowKeyError: AdbcStatusCode.NOT_FOUND,
}


def store_error(store: str, error: Exception) -> StoreError:
    """The store error an exception stands for; the caller raises it `from error`, so logs keep the detail."""
    if isinstance(error, InsideAddress):
        return denied(store)
    if isinstance(error, RowsElsewhere):
        return StoreQueryFailed(
            store,
            f"{store}: the Flight SQL server sends its reader to another host or port for rows, and only the server of "
            "`url` is connected to. Have it answer by itself: with no location, or with its own.",
        )
    if isinstance(error, UnsoundBatch):
        return StoreQueryFailed(
            store, f"{store}: the Flight SQL server sent rows that are no valid Arrow data. Its operators have to look."
        )
    text, status = str(error), _status(error)
    if _TOO_LARGE in text and _grpc_status(text) == "ResourceExhausted":
        return StoreQueryFailed(
            store,
            f"{store}: the Flight SQL server sent a batch of rows in one message of more than {MESSAGE_BYTES >> 20} "
            "MiB, more than is accepted. Select fewer columns, or have the server send smaller batches.",
        )
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
    """The driver's, the Flight client's, or that of the gRPC status in the text; of an `OSError` without one, I/O."""
    if isinstance(error, adbc_driver_manager.Error):
        return error.status_code
    told = _grpc_status(str(error))
    if told is not None:
        return _OF_GRPC.get(told, AdbcStatusCode.UNKNOWN)
    for kind, status in _OF_CLIENT.items():
        if isinstance(error, kind):
            return status
    return AdbcStatusCode.IO if isinstance(error, OSError) else AdbcStatusCode.UNKNOWN


def _grpc_status(text: str) -> str | None:
    """As gRPC begins its own errors, or else as the driver ends those that it words."""
    raw = _RAW_GRPC.match(text)
    if raw:
        return raw[1]
    told = _GRPC.findall(text)
    return told[-1] if told else None
