"""Translates ClickHouse's and the connection's errors to the gateway's. Messages contain no SQL, address or secret."""

import re

import aiohttp
from clickhouse_connect.driver.exceptions import ClickHouseError, Error, OperationalError

from loaders.addresses import denied, leads_inside
from loaders.clickhouse.arrow_decoder import MESSAGE_BYTES
from loaders.errors import (
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)

_CREDENTIALS = frozenset({192, 193, 194, 195, 516})
_TIMEOUT = frozenset({159, 160, 209})
_UNAVAILABLE = frozenset({202, 210, 236, 439, 745})
_CANCELLED = frozenset({394})
_NEXT_STEPS = {
    60: "the table does not exist; run the migrations or check its name",
    81: "the database does not exist; run the migrations or check the setting",
    158: "too many rows; narrow the filter",
    164: "the user may only read, and may not change settings; give it readonly=2",
    202: "too many queries at once; try again",
    241: "not enough memory for the query; narrow the filter or ask for fewer columns",
    307: "too many bytes; narrow the filter",
    396: "too many rows in the result; narrow the filter",
    497: "the user lacks a privilege the query needs",
}
_REASON_BYTES = 64 << 10
_REPORTED = re.compile(rb"Code: (\d+)\. DB::Exception.*\(([A-Z][A-Z0-9_]+)\)", re.DOTALL)


def store_error(store: str, code: int | None, name: str | None = None) -> StoreError:
    """The error for a ClickHouse error code. No code means that the answer was not ClickHouse's."""
    if code is None:
        return StoreUnavailable(store, f"{store} did not answer as ClickHouse does; check its address and any proxy")
    reported = f"{name or 'error'}, code {code}"
    if code in _CREDENTIALS:
        return StoreCredentialsRejected(store, f"{store} rejected the user name or password; correct them ({reported})")
    if code in _TIMEOUT:
        return StoreTimeout(
            store, f"{store} did not answer in time and the query was stopped; ask for less, or try again ({reported})"
        )
    if code in _CANCELLED:
        return Cancelled(store, f"the query in {store} was cancelled ({reported})")
    kind = StoreUnavailable if code in _UNAVAILABLE else StoreQueryFailed
    return kind(store, f"{store} refused or aborted the query: {_NEXT_STEPS.get(code, 'see its log')} ({reported})")


def wrapped(store: str, error: BaseException) -> StoreError:
    """The gateway's error for a driver's; raise it `from` that, so that logs keep the cause."""
    if leads_inside(error):
        return denied(store)
    if isinstance(error, TimeoutError):
        return StoreTimeout(store, f"{store} did not answer in time; try again")
    if isinstance(error, Error) and error.code is not None:
        return store_error(store, error.code, error.name)
    if isinstance(error, (OperationalError, aiohttp.ClientError, OSError)):
        return StoreUnavailable(store, f"{store} cannot be reached or dropped the connection; check that it runs")
    if isinstance(error, ClickHouseError):
        return store_error(store, None)
    raise TypeError(f"{type(error).__name__} is no error of the store") from error


def too_large(store: str) -> StoreQueryFailed:
    """The error for a batch that is too large to hold in memory."""
    return StoreQueryFailed(
        store,
        f"{store} sends more than {MESSAGE_BYTES >> 20} MiB in one batch; ask for shorter values, fewer columns or"
        " fewer rows",
    )


def ends_a_reason(remainder: bytes) -> bool:
    """Whether these bytes end the server's error message, or are not one at all."""
    return remainder.endswith(b"\r\n__exception__\r\n") or len(remainder) > _REASON_BYTES


def broken_off(store: str, remainder: bytes) -> StoreError:
    """The error of an answer that was cut off. ClickHouse writes the reason behind the last whole block when it can."""
    at = remainder.rfind(b"__exception__", 0, max(0, len(remainder) - 20))
    reported = _REPORTED.search(remainder, max(at, 0)) if at >= 0 or remainder.startswith(b"Code: ") else None
    if reported is not None:
        return store_error(store, int(reported[1]), reported[2].decode("ascii"))
    return StoreUnavailable(store, f"{store} broke its answer off before the end; nothing of it may be used")
