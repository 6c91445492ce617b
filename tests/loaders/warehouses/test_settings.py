import json

import pytest

from loaders.errors import BadInput
from loaders.warehouses.connectors import CONNECTORS, connector
from loaders.warehouses.settings import Credentials, S3ParquetCredentials
from tests.conformance.bigquery_front import Front

S3 = {
    "endpoint": "http://s3.example:9000/",
    "bucket": "lake",
    "prefix": "/a/b/",
    "access_key": "the-access-key",
    "secret_key": "the-secret-key",
}
CLICKHOUSE = {"url": "https://ch.example:8443", "database": "db", "username": "u", "password": "hunter2-hunter2"}

FLIGHT_SQL = {
    "url": "grpc://flight.example:32010",
    "dialect": "duckdb",
    "username": "flight-user",
    "password": "hunter2-hunter2",
}
BIGQUERY = {"project": "a-project", "dataset": "sales", "service_account": Front("").service_account()}
IMPALA = {"host": "impala.example", "database": "sales", "username": "impala-user", "password": "hunter2-hunter2"}
SETTINGS = {
    "bigquery": BIGQUERY,
    "clickhouse": CLICKHOUSE,
    "flight_sql": FLIGHT_SQL,
    "impala": IMPALA,
    "s3_parquet": S3,
}


def test_settings_are_parted_into_options_and_credentials() -> None:
    options, credentials = connector("s3_parquet").split(S3)
    assert options.model_dump() == {
        "endpoint": "http://s3.example:9000",
        "bucket": "lake",
        "region": "us-east-1",
        "prefix": "a/b",
        "timeout_ms": 30_000,
    }
    assert json.loads(credentials.to_bytes()) == {"access_key": "the-access-key", "secret_key": "the-secret-key"}


def test_credentials_come_back_from_their_bytes() -> None:
    _, credentials = connector("clickhouse").split(CLICKHOUSE)
    assert type(credentials).from_bytes(credentials.to_bytes()) == credentials


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_no_credential_is_ever_shown(name: str) -> None:
    settings = SETTINGS[name]
    options, credentials = connector(name).split(settings)
    secrets = [settings[field] for field in type(credentials).model_fields if field in settings]
    shown = repr(options) + repr(credentials) + str(credentials) + json.dumps(options.model_dump(mode="json"))
    assert not any(secret in shown for secret in secrets if len(secret) > 1)
    assert not set(type(options).model_fields) & set(type(credentials).model_fields)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("s3_parquet", {"bucket": None}, "`bucket` is missing"),
        ("s3_parquet", {"secret_key": None}, "`secret_key` is missing"),
        ("s3_parquet", {"secret_key": ""}, "`secret_key`: value should have at least 1 item"),
        ("s3_parquet", {"bucket": "Not A Bucket"}, "`bucket`: string should match pattern"),
        ("s3_parquet", {"bucket": "a/b"}, "`bucket`: string should match pattern"),
        ("s3_parquet", {"prefix": "a//b"}, "`prefix`: must be folder names"),
        ("s3_parquet", {"prefix": "a/../b"}, "`prefix`: must be folder names"),
        ("s3_parquet", {"colour": "blue"}, "`colour` is no setting of it"),
        ("s3_parquet", {"endpoint": "ftp://x"}, "`endpoint`: must be an http:// or https:// address"),
        ("s3_parquet", {"endpoint": "file:///etc/passwd"}, "`endpoint`: must be an http:// or https:// address"),
        ("clickhouse", {"url": "http://user:pw@host"}, "`url`: must not hold a user name or password"),
        ("clickhouse", {"url": "http://host/?user=x"}, "`url`: must be scheme, host and port only"),
        ("clickhouse", {"url": "http://host:0"}, "`url`: must not use port 0"),
        ("clickhouse", {"url": "http://host:99999"}, "`url`: "),
        ("clickhouse", {"url": 5}, "`url`: input should be a valid string"),
        ("clickhouse", {"database": ""}, "`database`: string should have at least 1 character"),
        ("clickhouse", {"password": 17}, "`password`: input should be a valid string"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(name: str, change: dict[str, object], reason: str) -> None:
    settings: dict[str, object] = dict(SETTINGS[name]) | change
    settings = {field: value for field, value in settings.items() if value is not None}
    with pytest.raises(BadInput) as caught:
        connector(name).split(settings)
    assert reason in str(caught.value).replace("Value", "value")
    values = [str(value) for value in settings.values() if len(str(value)) > 4]
    assert not any(value in str(caught.value) for value in values)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(BadInput, match=r"`bucket` is missing.*`access_key` is missing"):
        connector("s3_parquet").split({"endpoint": "http://x", "secret_key": "y"})


def test_an_unknown_connector_lists_the_known() -> None:
    with pytest.raises(BadInput, match=", ".join(SETTINGS)):
        connector("oracle")


def test_stored_settings_that_no_longer_fit_are_told_without_values() -> None:
    plaintext = S3ParquetCredentials.model_validate({"access_key": "a", "secret_key": "b"}).to_bytes()
    with pytest.raises(BadInput, match="`bucket` is missing") as caught:
        connector("s3_parquet").warehouse("datasource:x", {"endpoint": "http://x"}, plaintext)
    assert caught.value.__cause__ is None


def test_credentials_without_a_field_are_an_empty_object() -> None:
    assert Credentials().to_bytes() == b"{}"
