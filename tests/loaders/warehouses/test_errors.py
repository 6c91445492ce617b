"""What raised an error decides which store error it is: words of the statement or of a value never do."""

import socket

import adbc_driver_manager
import duckdb
import impala.error
import pyarrow as pa
import pytest
from adbc_driver_manager import AdbcStatusCode
from pyarrow import flight
from thrift.transport.TTransport import TTransportException

from loaders.errors import (
    Cancelled,
    StoreCredentialsRejected,
    StoreError,
    StoreQueryFailed,
    StoreTimeout,
    StoreUnavailable,
)
from loaders.warehouses import flight_sql_errors, impala_errors, s3_errors
from loaders.warehouses.flight_sql_endpoints import RowsElsewhere
from loaders.warehouses.impala_errors import SessionRefused

_MET = "Invalid Input Error: reading the stream registered as 'axion source 0' failed: "
_DENIED = "When reading information for key 'k' in bucket 'b': AWS Error ACCESS_DENIED during HeadObject operation"
_DOWN = "When listing objects in bucket 'b': AWS Error NETWORK_CONNECTION: curlCode: 7, Couldn't connect to server"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(_DENIED), StoreCredentialsRejected),
        (OSError(_DOWN), StoreUnavailable),
        (duckdb.InvalidInputException(f"{_MET}IOError: {_DENIED}"), StoreCredentialsRejected),
        (OSError(f"{_MET}IOError: {_DOWN}\n\nmore"), StoreUnavailable),
        (duckdb.ConversionException("Conversion Error: Could not convert 'AccessDenied' to INT32"), StoreQueryFailed),
        (duckdb.BinderException('Binder Error: column "x_SLOW_DOWN" was not found'), StoreQueryFailed),
        (duckdb.CatalogException("Catalog Error: no table 'curlCode: 7'"), StoreQueryFailed),
        (duckdb.ParserException('Parser Error: syntax error at or near "NoSuchKey"'), StoreQueryFailed),
        (duckdb.OutOfRangeException("Out of Range Error: SERVICE_UNAVAILABLE"), StoreQueryFailed),
        (duckdb.InvalidInputException('Invalid Input Error: Malformed JSON  Input: "ACCESS_DENIED"'), StoreQueryFailed),
        (duckdb.InvalidInputException(f'Invalid Input Error: "{_MET}IOError: {_DOWN}"'), StoreQueryFailed),
        (duckdb.InvalidInputException(f"{_MET}Invalid: SLOW_DOWN"), StoreQueryFailed),
        (OSError("Conversion Error: Could not convert string 'curlCode: 28' to DATE"), StoreQueryFailed),
        (OSError(f"Conversion Error: 'a\n{_MET}IOError: {_DOWN}'"), StoreQueryFailed),
        (pa.ArrowInvalid("Field x_SLOW_DOWN has incompatible types"), StoreQueryFailed),
    ],
)
def test_of_parquet(error: Exception, told: type[StoreError]) -> None:
    assert type(s3_errors.store_error("s", error)) is told


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("Conversion Error: Could not convert string 'secret' to INT32"), "does not fit the type"),
        (OSError("Out of Range Error: Overflow in addition"), "does not fit the type"),
        (OSError("Out of Memory Error: failed to allocate"), "Select fewer columns"),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), "Select fewer columns"),
        (OSError("Invalid Input Error: Division by zero in expression (1 % secret)"), "division by zero"),
        (OSError(f"{_MET}IOError: Corrupt snappy compressed data in 'secret'"), "damaged"),
        (duckdb.InvalidInputException(f"{_MET}Invalid: Page was smaller than secret"), "damaged"),
        (OSError("Couldn't deserialize thrift: secret"), "damaged"),
        (OSError("INTERNAL Error: secret"), r"failed in the engine (internal error). Ask for less"),
        (OSError("INTERRUPT Error: Interrupted!"), "was cancelled"),
    ],
)
def test_the_next_step_of_parquet_is_the_same_while_rows_are_read(error: Exception, words: str) -> None:
    """Then DuckDB's errors are `OSError`s."""
    told = s3_errors.store_error("s", error)
    assert words in str(told)
    assert "secret" not in str(told)
    assert isinstance(told, Cancelled) == ("cancelled" in words)


_RPC = "[FlightSQL] rpc error: code = "
_LARGE = "received message larger than max (20000169 vs. 16777216)"


def _adbc(status: AdbcStatusCode, text: str) -> adbc_driver_manager.Error:
    return adbc_driver_manager.Error(text, status_code=status)


@pytest.mark.parametrize(
    ("error", "told", "words"),
    [
        (_adbc(AdbcStatusCode.UNAUTHENTICATED, "x509: a"), StoreCredentialsRejected, "rejected"),
        (_adbc(AdbcStatusCode.UNAUTHORIZED, "a"), StoreCredentialsRejected, "rejected"),
        (_adbc(AdbcStatusCode.IO, "IO: tls: x509: unknown (Unavailable; Prepare)"), StoreUnavailable, "TLS"),
        (_adbc(AdbcStatusCode.IO, "IO: connection refused (Unavailable; Prepare)"), StoreUnavailable, "be reached"),
        (
            _adbc(
                AdbcStatusCode.INVALID_ARGUMENT,
                "INVALID_ARGUMENT: Invalid value for database option 'tls_root_certs': failed to append certificates",
            ),
            StoreUnavailable,
            "TLS",
        ),
        (_adbc(AdbcStatusCode.TIMEOUT, "a certificate"), StoreTimeout, "in time"),
        (_adbc(AdbcStatusCode.CANCELLED, "tls:"), Cancelled, "cancelled"),
        (
            _adbc(AdbcStatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT: [FlightSQL] no column certificate"),
            StoreQueryFailed,
            "does not fit",
        ),
        (_adbc(AdbcStatusCode.INTERNAL, "'x509: (Unauthenticated; ' (Internal; DoGet)"), StoreQueryFailed, "could not"),
        (_adbc(AdbcStatusCode.UNKNOWN, "'connection refused' (Unknown; DoGet)"), StoreQueryFailed, "could not"),
        (OSError(f"{_RPC}Unknown desc = 'x509: (Unauthenticated; a)'"), StoreQueryFailed, "could not"),
        (OSError(f"{_RPC}InvalidArgument desc = '(PermissionDenied; a)'"), StoreQueryFailed, "does not fit"),
        (OSError(f"{_RPC}Unknown desc = {_RPC}Unauthenticated desc = a"), StoreQueryFailed, "could not"),
        (OSError(f"{_RPC}Unavailable desc = connection error"), StoreUnavailable, "be reached"),
        (OSError(f"{_RPC}Unauthenticated desc = token expired"), StoreCredentialsRejected, ""),
        (OSError(f"{_RPC}DeadlineExceeded desc = late"), StoreTimeout, ""),
        (OSError(f"{_RPC}Canceled desc = context canceled"), Cancelled, ""),
        (OSError("'(PermissionDenied; a)' (InvalidArgument; ReadPartition(DoGet))"), StoreQueryFailed, "does not fit"),
        (OSError(f"{_RPC}ResourceExhausted desc = grpc: {_LARGE}"), StoreQueryFailed, "more than 16 MiB"),
        (_adbc(AdbcStatusCode.INTERNAL, f"{_LARGE} (ResourceExhausted; DoGet)"), StoreQueryFailed, "more than 16 MiB"),
        (OSError(f"{_RPC}Internal desc = '{_LARGE}'"), StoreQueryFailed, "could not"),
        (OSError(f"{_RPC}ResourceExhausted desc = too many queries"), StoreQueryFailed, "could not"),
        (RowsElsewhere("elsewhere"), StoreQueryFailed, "another host or port"),
        (flight.FlightUnauthenticatedError("a"), StoreCredentialsRejected, "rejected"),
        (flight.FlightUnauthorizedError("a"), StoreCredentialsRejected, "rejected"),
        (flight.FlightTimedOutError("a certificate"), StoreTimeout, "in time"),
        (flight.FlightUnavailableError("last error: Connection refused"), StoreUnavailable, "be reached"),
        (flight.FlightUnavailableError("last error: Ssl handshake failed (a)"), StoreUnavailable, "TLS"),
        (flight.FlightUnavailableError("empty address list"), StoreUnavailable, "TLS"),
        (flight.FlightInternalError("certificate"), StoreQueryFailed, "could not"),
        (flight.FlightCancelledError("by the server"), StoreQueryFailed, "could not"),
        (pa.ArrowInvalid("certificate"), StoreQueryFailed, "does not fit"),
        (pa.ArrowKeyError("certificate"), StoreQueryFailed, "does not fit"),
        (socket.gaierror("no such host"), StoreUnavailable, "be reached"),
    ],
)
def test_of_flight_sql(error: Exception, told: type[StoreError], words: str) -> None:
    found = flight_sql_errors.store_error("s", error)
    assert type(found) is told
    assert words in str(found)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            TTransportException(TTransportException.NOT_OPEN, "Bad status: 3 (Error validating)"),
            StoreCredentialsRejected,
        ),
        (SessionRefused("User: a is not authorized to delegate"), StoreCredentialsRejected),
        (SessionRefused("too many sessions"), StoreQueryFailed),
        (TTransportException(TTransportException.TIMED_OUT, "late"), StoreTimeout),
        (TTransportException(TTransportException.NOT_OPEN, "refused"), StoreUnavailable),
        (OSError("connection reset"), StoreUnavailable),
        (impala.error.OperationalError("cannot resolve 'Authentication' in [authorized]"), StoreQueryFailed),
        (impala.error.HiveServer2Error("Invalid session id: 3f41"), StoreUnavailable),
        (impala.error.HiveServer2Error("Client session expired due to more than 60s of inactivity"), StoreUnavailable),
        (impala.error.HiveServer2Error("Invalid SessionHandle: SessionHandle [3f41]"), StoreUnavailable),
        (impala.error.HiveServer2Error("Invalid or unknown query handle: 3f41."), StoreUnavailable),
        (impala.error.HiveServer2Error("AnalysisException: no column 'Invalid session id'"), StoreQueryFailed),
        (impala.error.HiveServer2Error("ParseException at 'Error validating the login'"), StoreQueryFailed),
        (impala.error.OperationalError("cannot cast 'Bad status: 3' to INT"), StoreQueryFailed),
    ],
)
def test_of_impala(error: Exception, told: type[StoreError]) -> None:
    assert type(impala_errors.store_error("s", error)) is told
