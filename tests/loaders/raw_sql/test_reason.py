"""Messages about SQL that did not run reveal no address, server, file or project."""

import adbc_driver_manager
import duckdb
import pytest
from adbc_driver_manager import AdbcStatusCode
from clickhouse_connect.driver.exceptions import DatabaseError
from google.api_core import exceptions

from loaders.errors import StoreQueryFailed
from loaders.raw_sql.reason import with_reason, with_reasons

UNTOLD = "datasource:x did not take it"
JOBS = "http://10.1.2.3:9050/bigquery/v2/projects/secret-proj/jobs?prettyPrint=false"


def told(cause: BaseException) -> str:
    error = StoreQueryFailed("datasource:x", UNTOLD)
    error.__cause__ = cause
    return str(with_reason(error))


def of_bigquery(message: str) -> exceptions.BadRequest:
    """As the client makes it of an answer to a request."""
    return exceptions.BadRequest(f"POST {JOBS}: {message}", errors=[{"reason": "invalidQuery", "message": message}])


def of_clickhouse(code: int, name: str, message: str) -> DatabaseError:
    return DatabaseError(f"Code: {code}. DB::Exception: {message}. ({name})", code=code, name=name)


def test_bigquerys_own_words_are_told_without_the_request() -> None:
    shown = told(of_bigquery("Unrecognized name: colour at [1:8]"))
    assert shown == "datasource:x does not run the statement: Unrecognized name: colour at [1:8]"


@pytest.mark.parametrize(
    "message",
    [
        "Error while reading table: secret-proj.d.t",
        "Error while reading data, error message: CSV table. File: gs://bucket/a.csv",
        "",
    ],
)
def test_bigquerys_words_that_name_a_place_are_not_told(message: str) -> None:
    assert told(of_bigquery(message)) == UNTOLD


def test_of_an_answer_that_says_nothing_structured_nothing_is_told() -> None:
    assert told(exceptions.BadRequest(f"POST {JOBS}: Unrecognized name: colour")) == UNTOLD


def test_clickhouses_words_about_the_sql_are_told() -> None:
    error = of_clickhouse(47, "UNKNOWN_IDENTIFIER", "Unknown expression identifier `colour`")
    assert told(error) == "datasource:x does not run the statement: Unknown expression identifier `colour`"


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        (60, "UNKNOWN_TABLE", "Table hr.pays does not exist. Maybe you meant hr.payroll?"),
        (107, "FILE_DOESNT_EXIST", "File /var/lib/clickhouse/user_files/a.csv doesn't exist"),
        (279, "ALL_CONNECTION_TRIES_FAILED", "All connection tries failed. Connection refused (10.1.2.3:9000)"),
        (499, "S3_ERROR", "Failed to get object info: bucket inside, key a.parquet"),
        (47, "UNKNOWN_IDENTIFIER", "Received from 10.1.2.3:9000. DB::Exception: Missing columns: 'colour'"),
        (36, "BAD_ARGUMENTS", "Bad URI syntax: http://10.1.2.3/a.csv"),
        (6, "CANNOT_PARSE_TEXT", "Cannot parse input: (in file/uri inside/a.csv): (at row 1)"),
    ],
)
def test_clickhouses_words_that_name_a_place_are_not_told(code: int, name: str, message: str) -> None:
    assert told(of_clickhouse(code, name, message)) == UNTOLD


def adbc(status: AdbcStatusCode, said: str, detail: str) -> Exception:
    """As the driver tells of what a Flight SQL server said."""
    text = f"{status.name}: [FlightSQL] {said}. Detail: {detail}"
    return adbc_driver_manager.OperationalError(text, status_code=status)


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (
            duckdb.BinderException("Binder Error: no column x"),
            "s does not run the statement: Binder Error: no column x",
        ),
        (duckdb.OutOfMemoryException("Out of Memory Error: a"), "s: it failed."),
        (OSError("Conversion Error: a"), "s does not run the statement: Conversion Error: a"),
        (
            adbc(AdbcStatusCode.INTERNAL, "Conversion Error: not a number", "Internal (Internal; DoGet: endpoint 0)"),
            "s does not run the statement: Conversion Error: not a number",
        ),
        (
            OSError(
                "[FlightSQL] rpc error: code = Unknown desc = Out of Range Error: too large. Detail: Python exception"
            ),
            "s does not run the statement: Out of Range Error: too large",
        ),
        (
            adbc(AdbcStatusCode.INVALID_ARGUMENT, "Binder Error: no column x", "none (InvalidArgument; DoGet)"),
            "s does not run the statement: Binder Error: no column x",
        ),
        (adbc(AdbcStatusCode.INTERNAL, "IO Error: /b", "none"), "s: it failed."),
        (OSError("[FlightSQL] rpc error: code = Internal desc = IO Error: /b"), "s: it failed."),
        (OSError("Invalid Input Error: reading the stream registered as 'a' failed: IOError: /b"), "s: it failed."),
        (OSError("When reading information for key 'a' in bucket 'b'"), "s: it failed."),
    ],
)
def test_the_drivers_error_stays_the_cause(cause: Exception, told: str) -> None:
    failed = StoreQueryFailed("s", "s: it failed.")
    with pytest.raises(StoreQueryFailed) as caught, with_reasons():
        raise failed from cause
    assert str(caught.value) == told
    assert failed.__cause__ is cause
    assert caught.value is failed or caught.value.__cause__ is failed
