"""Errors of impyla as store errors. Messages carry no address, no SQL and no value."""

import impala.error
from thrift.Thrift import TException
from thrift.transport.TTransport import TTransportException

from loaders.addresses import InsideAddress, denied
from loaders.errors import (
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)

IMPALA_FAILURES = (impala.error.Error, TException, OSError, EOFError)
"""What impyla and its transport raise; anything else is a defect of ours."""

_REJECTED = ("Error validating the login", "Bad status: 3", "Authentication", "authorized")


class SessionRefused(impala.error.OperationalError):  # type: ignore[misc]  # impyla is not typed
    """The server opens no session. Its text is the server's own, of no statement."""


class QueryCancelled(Exception):
    """The query was asked to end while it ran."""


def store_error(store: str, error: Exception) -> StoreError:
    """The store error an exception stands for; the caller raises it `from error`, so logs keep the detail.

    Only what fails before there is a session tells of credentials: the text of any other holds its statement's.
    """
    if isinstance(error, InsideAddress):
        return denied(store)
    if isinstance(error, QueryCancelled):
        return Cancelled(store, f"{store}: the query was cancelled.")
    if isinstance(error, TTransportException | SessionRefused) and any(sign in str(error) for sign in _REJECTED):
        return StoreCredentialsRejected(store, f"{store}: Impala rejected the user or the password. Correct them.")
    if isinstance(error, TTransportException) and error.type == TTransportException.TIMED_OUT:
        return StoreTimeout(store, f"{store}: Impala did not answer in time. Try again.")
    if isinstance(error, TTransportException | OSError | EOFError):
        return StoreUnavailable(
            store, f"{store}: Impala cannot be reached. Check `host`, `port` and `authentication`, and that it is up."
        )
    return StoreQueryFailed(
        store, f"{store}: the query does not fit the table; its columns may have changed. Ask for them again."
    )
