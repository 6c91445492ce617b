"""The engines that the conformance suite covers."""

from collections.abc import Callable
from typing import Any

from tests.conformance.subject import Subject
from tests.conformance.subjects.bigquery import BigQuerySubject
from tests.conformance.subjects.clickhouse import ClickHouseSubject
from tests.conformance.subjects.flight_sql import FlightSqlSubject
from tests.conformance.subjects.impala import ImpalaSubject
from tests.conformance.subjects.s3_parquet import S3ParquetSubject

ENGINES = ("bigquery", "clickhouse", "flight_sql", "impala", "s3_parquet")


def subject_of(engine: str, fixture: Callable[[str], Any]) -> Subject:
    """A subject for that connector, over what the fixtures of that name give."""
    made: Subject
    match engine:
        case "bigquery":
            made = BigQuerySubject(fixture(engine))
        case "clickhouse":
            made = ClickHouseSubject(fixture("clickhouse_url"), fixture("clickhouse_password"))
        case "flight_sql":
            made = FlightSqlSubject(fixture(engine))
        case "impala":
            made = ImpalaSubject(fixture(engine))
        case _:
            made = S3ParquetSubject(fixture("s3"))
    return made
