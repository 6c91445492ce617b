"""Errors of impyla as store errors. Messages carry no address, no SQL and no value."""

import re
from typing import Final

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
from loaders.warehouses.impala_socket import ANSWER_BYTES, AnswerTooLarge

IMPALA_FAILURES = (impala.error.Error, TException, OSError, EOFError)
"""What impyla and its transport raise. Any other exception is a defect of the gateway."""

_REJECTED = ("Error validating the login", "Bad status: 3", "Authentication", "authorized")


_ENDED: Final = re.compile(
    r"Invalid (SessionHandle|OperationHandle|session id|(or unknown )?query handle)\b|Client session expired |"
    r"Session (is closed|expired)|Query \S+ expired due to client inactivity",
    re.IGNORECASE,
)
"""How Hive, Spark and Impala begin the message about a session or query that they have already ended."""


class SessionRefused(impala.error.OperationalError):  # type: ignore[misc]  # impyla is not typed
    """The server refused to open a session. Its text is the server's own and holds no statement."""


class QueryCancelled(Exception):
    """The query was cancelled by the gateway while it ran."""


def session_is_gone(error: Exception) -> bool:
    """Whether a new session may succeed, by the error of the first call of a query over a reused session."""
    if isinstance(error, TTransportException):
        return bool(error.type != TTransportException.TIMED_OUT)
    return isinstance(error, OSError | EOFError) or _is_ended(error)


def store_error(store: str, error: Exception) -> StoreError:
    """Translates an exception to a store error. The caller raises it `from error`, so logs keep the detail.

    Credentials are only found wrong by errors raised before there is a session: later messages contain the statement,
    whose words could be mistaken for it.
    """
    if isinstance(error, InsideAddress):
        return denied(store)
    if isinstance(error, QueryCancelled):
        return Cancelled(store, f"{store}: the query was cancelled.")
    if isinstance(error, TTransportException | SessionRefused) and any(sign in str(error) for sign in _REJECTED):
        return StoreCredentialsRejected(store, f"{store}: Impala rejected the user or the password. Correct them.")
    if isinstance(error, TTransportException) and error.type == TTransportException.TIMED_OUT:
        return StoreTimeout(store, f"{store}: Impala did not answer in time. Try again.")
    if _is_ended(error):
        return StoreUnavailable(store, f"{store}: Impala has ended the session or the query of it. Try again.")
    if isinstance(error, TTransportException | OSError | EOFError):
        return StoreUnavailable(
            store, f"{store}: Impala cannot be reached. Check `host`, `port` and `authentication`, and that it is up."
        )
    if isinstance(error, AnswerTooLarge):
        return StoreQueryFailed(
            store,
            f"{store}: rows that Impala sends at once take more than {ANSWER_BYTES >> 20} MiB, which are not read. "
            "Leave out the columns whose values are that long, or cut them.",
        )
    if isinstance(error, impala.error.NotSupportedError):
        return StoreQueryFailed(
            store,
            f"{store}: Impala's answer has a column that cannot be read here, such as an interval. Leave it out, or "
            "cast it to a text.",
        )
    return StoreQueryFailed(
        store, f"{store}: the query does not fit the table; its columns may have changed. Ask for them again."
    )


def _is_ended(error: Exception) -> bool:
    """Decided by the beginning of the server's text, because further on it contains words of the statement."""
    return isinstance(error, impala.error.HiveServer2Error) and _ENDED.match(str(error)) is not None
