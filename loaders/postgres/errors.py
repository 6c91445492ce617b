"""Translates errors of asyncpg and SQLAlchemy into the gateway's own. Messages name the store, never SQL or values."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from loaders.errors import (
    AxionError,
    BadInput,
    Conflict,
    PageTooLarge,
    StoreBusy,
    StoreCredentialsRejected,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)

DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What a connection, and the wait for one, may raise: for `translate`."""
_UNREACHABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection was lost while asyncpg asked for a type's description
    OSError,
)
_GEOJSON = re.compile("geojson|nesting too deep", re.IGNORECASE)
"""PostGIS raises what it cannot parse as an internal error, which names the format, or is its JSON parser's."""


@contextmanager
def translated(store: str) -> Iterator[None]:
    """A context manager that translates the drivers' errors."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise translate(store, error) from error
    except PoolTimeout as error:
        raise translate(store, TimeoutError()) from error
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        raise translate(store, cause or error) from error


def translate(store: str, error: BaseException) -> AxionError:
    match error:
        case asyncpg.QueryCanceledError():
            return StoreTimeout(store, f"{store} did not answer within its time limit. Ask for less, or try again.")
        case asyncpg.LockNotAvailableError() | asyncpg.DeadlockDetectedError():
            return StoreBusy(store, f"Another change in {store} holds what this one needs. Try again shortly.")
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return StoreCredentialsRejected(store, f"{store} refused the gateway's credentials.")
        case asyncpg.UniqueViolationError():
            return Conflict(f"A row with the same {_constraint(error)} exists already in {store}.")
        case asyncpg.IntegrityConstraintViolationError():
            return BadInput(f"{store} refused the row: it violates {_constraint(error)}.")
        case asyncpg.InvalidArgumentForWidthBucketFunctionError():  # what loaders/postgres/aggregate.py raises
            return PageTooLarge("An aggregate has more groups than are answered. Use `first`, `where` or fewer groups.")
        case asyncpg.ProgramLimitExceededError(sqlstate="54000"):  # loaders/postgres/room.py, or beyond 1 GB
            return PageTooLarge(
                f"An answer of {store} is larger than may be answered at once. Ask for fewer rows, or leave out "
                "columns of long values."
            )
        case asyncpg.DivisionByZeroError():  # of class 22, but no value of the request's
            return StoreQueryFailed(
                store, f"{store} divided by zero. Leave out the rows or the fields that ask for it."
            )
        case asyncpg.DataError():  # class 22, and the driver's own: a value its type cannot hold
            return BadInput(f"{store} cannot take a value of this request: it does not fit its column's type.")
        case asyncpg.InternalServerError() if _GEOJSON.search(str(error)):
            return BadInput("A GeoJSON value is no geometry of RFC 7946. Check its `type` and `coordinates`.")
        case TimeoutError():
            return StoreUnavailable(store, f"{store} gave no connection in time. Try again shortly.")
        case _ if isinstance(error, _UNREACHABLE):
            return StoreUnavailable(store, f"{store} cannot be reached. Try again shortly.")
        case asyncpg.PostgresError():
            return StoreQueryFailed(
                store, f"{store} aborted the query ({type(error).__name__}, SQLSTATE {error.sqlstate})."
            )
        case _:
            return StoreQueryFailed(store, f"{store} failed ({type(error).__name__}).")


def _constraint(error: asyncpg.PostgresError) -> str:
    return getattr(error, "constraint_name", None) or "constraint"
