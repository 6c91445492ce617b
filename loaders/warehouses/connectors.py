"""The connectors by name: the settings each takes, and how it is opened."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import ValidationError

from loaders.addresses import EVERYWHERE, Networks
from loaders.errors import BadInput
from loaders.warehouses.base import Warehouse
from loaders.warehouses.process_places import ProcessPlaces
from loaders.warehouses.settings import (
    BigQueryCredentials,
    BigQueryOptions,
    ClickHouseCredentials,
    ClickHouseOptions,
    Credentials,
    FlightSqlCredentials,
    FlightSqlOptions,
    ImpalaCredentials,
    ImpalaOptions,
    Options,
    S3ParquetCredentials,
    S3ParquetOptions,
)

O = TypeVar("O", bound=Options)  # noqa: E741 - a type variable, as C is for credentials
C = TypeVar("C", bound=Credentials)

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Shared:
    """What all data sources of a process share: the networks they may connect to, and the slots for query processes."""

    networks: Networks = EVERYWHERE
    places: ProcessPlaces = field(default_factory=ProcessPlaces)


@dataclass(frozen=True, slots=True)
class Connector(Generic[O, C]):
    """`open` connects to nothing: the warehouse it returns connects at first use."""

    name: str
    options: type[O]
    credentials: type[C]
    open: Callable[[str, O, C, Shared], Warehouse]

    def split(self, settings: Mapping[str, object]) -> tuple[O, C]:
        """Splits settings as a user gives them into options, which may be shown, and credentials, which are encrypted.

        `BadInput` names every setting that is unknown, missing or wrong, and repeats no value.
        """
        secret = {name: value for name, value in settings.items() if name in self.credentials.model_fields}
        shown = {name: value for name, value in settings.items() if name not in self.credentials.model_fields}
        problems = []
        options, credentials = None, None
        try:
            options = self.options.model_validate(shown)
        except ValidationError as error:
            problems += _problems(error)
        try:
            credentials = self.credentials.model_validate(secret)
        except ValidationError as error:
            problems += _problems(error)
        if options is None or credentials is None:
            message = f"The settings of connector {self.name} are not right: {'; '.join(problems)}."
            raise BadInput(message, field="settings")
        return options, credentials

    def parsed(self, options: Mapping[str, object]) -> Options:
        """Parses stored options."""
        return self.options.model_validate(options)

    def warehouse(
        self, store: str, options: Mapping[str, object], plaintext: bytes, *, shared: Shared | None = None
    ) -> Warehouse:
        """Opens a warehouse from stored options and decrypted credentials. Without `shared` it shares nothing.
        `BadInput` when the stored settings do not fit the connector.
        """
        try:
            checked = self.options.model_validate(options)
            credentials = self.credentials.from_bytes(plaintext)
        except ValidationError as error:
            raise BadInput(
                f"The stored settings of {store} do not fit connector {self.name}: {'; '.join(_problems(error))}."
            ) from None
        return self.open(store, checked, credentials, shared or Shared())


def _open_bigquery(store: str, options: BigQueryOptions, credentials: BigQueryCredentials, _: Shared) -> Warehouse:
    with _extra("bigquery", "bigquery"):
        from loaders.warehouses.bigquery import BigQueryWarehouse
    return BigQueryWarehouse(store, options, credentials)


def _open_clickhouse(
    store: str, options: ClickHouseOptions, credentials: ClickHouseCredentials, shared: Shared
) -> Warehouse:
    from loaders.warehouses.clickhouse import ClickHouseWarehouse

    return ClickHouseWarehouse(store, options, credentials, networks=shared.networks)


def _open_flight_sql(
    store: str, options: FlightSqlOptions, credentials: FlightSqlCredentials, shared: Shared
) -> Warehouse:
    with _extra("flight-sql", "flight_sql"):
        from loaders.warehouses.flight_sql import FlightSql
    return FlightSql(store, options, credentials, networks=shared.networks)


def _open_impala(store: str, options: ImpalaOptions, credentials: ImpalaCredentials, shared: Shared) -> Warehouse:
    with _extra("impala", "impala"):
        from loaders.warehouses.impala import ImpalaWarehouse
    return ImpalaWarehouse(store, options, credentials, networks=shared.networks)


def _open_s3_parquet(
    store: str, options: S3ParquetOptions, credentials: S3ParquetCredentials, shared: Shared
) -> Warehouse:
    with _extra("s3", "s3_parquet"):
        from loaders.warehouses.s3_parquet import S3Parquet
    return S3Parquet(store, options, credentials, places=shared.places)


@contextmanager
def _extra(extra: str, connector: str) -> Iterator[None]:
    """Around the import of a connector: its client may not be installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BadInput(
            f"Connector {connector} is not installed here: install the gateway with its extra `{extra}`."
        ) from error


AnyConnector = (
    Connector[BigQueryOptions, BigQueryCredentials]
    | Connector[ClickHouseOptions, ClickHouseCredentials]
    | Connector[FlightSqlOptions, FlightSqlCredentials]
    | Connector[ImpalaOptions, ImpalaCredentials]
    | Connector[S3ParquetOptions, S3ParquetCredentials]
)

CONNECTORS: Mapping[str, AnyConnector] = {
    "bigquery": Connector("bigquery", BigQueryOptions, BigQueryCredentials, _open_bigquery),
    "clickhouse": Connector("clickhouse", ClickHouseOptions, ClickHouseCredentials, _open_clickhouse),
    "flight_sql": Connector("flight_sql", FlightSqlOptions, FlightSqlCredentials, _open_flight_sql),
    "impala": Connector("impala", ImpalaOptions, ImpalaCredentials, _open_impala),
    "s3_parquet": Connector("s3_parquet", S3ParquetOptions, S3ParquetCredentials, _open_s3_parquet),
}


def connector(name: str) -> AnyConnector:
    """`BadInput` lists the known ones."""
    found = CONNECTORS.get(name)
    if found is None:
        known = ", ".join(sorted(CONNECTORS))
        raise BadInput(f"There is no such connector. Known are: {known}.", field="connectorType")
    return found


def _problems(error: ValidationError) -> list[str]:
    problems = []
    for detail in error.errors(include_input=False, include_url=False, include_context=False):
        name = ".".join(str(part) for part in detail["loc"])[:_LONGEST_NAME] or "settings"
        match detail["type"]:
            case "missing":
                problems.append(f"`{name}` is missing")
            case "extra_forbidden":
                problems.append(f"`{name}` is no setting of it")
            case _:
                reason = detail["msg"].removeprefix("Value error, ")
                problems.append(f"`{name}`: {reason[0].lower()}{reason[1:]}")
    return problems
