"""Errors of the ADBC Flight SQL driver as store errors. Messages carry no address, no SQL and no value.

The driver raises DB API errors with a status while a statement starts, and may raise pyarrow's while rows are read;
then only the text tells the gRPC status.
"""

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

_REJECTED = (AdbcStatusCode.UNAUTHENTICATED, AdbcStatusCode.UNAUTHORIZED)
_CERTIFICATE = ("x509:", "tls:", "certificate", "first record does not look like a TLS handshake")
_UNREACHABLE = (
    "(Unavailable;",
    "connection error",
    "error reading server preface",
    "connection refused",
    "no such host",
)


def store_error(store: str, error: Exception) -> StoreError:
    """The store error an exception stands for; the caller raises it `from error`, so logs keep the detail."""
    text = str(error)
    status = getattr(error, "status_code", None)
    if isinstance(error, InsideAddress):
        return denied(store)
    if status in _REJECTED or "(Unauthenticated;" in text or "(PermissionDenied;" in text:
        return StoreCredentialsRejected(
            store, f"{store}: the Flight SQL server rejected the user, the password or the token. Correct them."
        )
    if any(sign in text for sign in _CERTIFICATE):
        return StoreUnavailable(
            store,
            f"{store}: TLS with the Flight SQL server failed: its certificate is not trusted or not for this host, or "
            "only one side speaks TLS. Check `root_certificates` and that `url` begins with grpc+tls://.",
        )
    if status is AdbcStatusCode.TIMEOUT or "(DeadlineExceeded;" in text:
        return StoreTimeout(store, f"{store}: the Flight SQL server did not answer in time. Try again.")
    if status is AdbcStatusCode.CANCELLED or "(Canceled;" in text:
        return Cancelled(store, f"{store}: the query was cancelled.")
    if status is AdbcStatusCode.IO or isinstance(error, OSError) or any(sign in text for sign in _UNREACHABLE):
        return StoreUnavailable(
            store, f"{store}: the Flight SQL server cannot be reached. Check the `url` setting and that it is up."
        )
    if status in (AdbcStatusCode.INVALID_ARGUMENT, AdbcStatusCode.NOT_FOUND):
        return StoreQueryFailed(
            store, f"{store}: the query does not fit the table; its columns may have changed. Ask for them again."
        )
    return StoreQueryFailed(store, f"{store}: the Flight SQL server could not run the query. Its log says why.")
