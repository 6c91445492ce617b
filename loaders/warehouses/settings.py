"""The settings of each connector: options, which may be shown, and credentials, which are stored encrypted."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_max_length=2_000)


@dataclass(frozen=True, slots=True)
class Server:
    """A server to connect to. `host` is a name or an address."""

    host: str
    port: int

    @classmethod
    def of(cls, url: SplitResult) -> Self:
        """The server of an http(s) URL."""
        return cls(url.hostname or "", url.port or (443 if url.scheme == "https" else 80))


class Options(_Settings, ABC):
    """Not secret: the `options` of a data source. `timeout_ms` bounds each statement and each call for metadata."""

    timeout_ms: int = Field(30_000, ge=100, le=600_000)

    @property
    @abstractmethod
    def servers(self) -> tuple[Server, ...]:
        """The servers that the connector connects to."""

    @property
    def timeout_s(self) -> float:
        return self.timeout_ms / 1000


class Credentials(_Settings):
    """Secret: encrypted as one JSON object and never shown again. Every field is a `SecretStr`."""

    def to_bytes(self) -> bytes:
        """The plaintext to encrypt."""
        return json.dumps({name: getattr(self, name).get_secret_value() for name in type(self).model_fields}).encode()

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> Self:
        return cls.model_validate_json(plaintext)


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password: give them as credentials")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only")
    if parts.port == 0:
        raise ValueError("must not use port 0")
    return text.rstrip("/")


def _flight_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if scheme not in ("grpc", "grpc+tls") or not separator:
        raise ValueError("must be a grpc:// or grpc+tls:// address")
    parts = urlsplit(f"//{rest}")
    if not parts.hostname or parts.port is None or parts.port == 0:
        raise ValueError("must name a host and a port")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password: give them as credentials")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and port only")
    return text.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
FlightUrl = Annotated[str, AfterValidator(_flight_url)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


def _prefix(text: str) -> str:
    prefix = text.strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise ValueError("must be folder names separated by single slashes")
    return prefix


class ClickHouseOptions(Options):
    url: HttpUrl
    database: Name = "default"

    @property
    def servers(self) -> tuple[Server, ...]:
        return (Server.of(urlsplit(self.url)),)


class ClickHouseCredentials(Credentials):
    username: SecretStr = SecretStr("default")
    password: SecretStr = SecretStr("")


class S3ParquetOptions(Options):
    endpoint: HttpUrl
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Name = "us-east-1"
    prefix: Annotated[str, AfterValidator(_prefix), Field(max_length=1_000)] = ""

    @property
    def servers(self) -> tuple[Server, ...]:
        return (Server.of(urlsplit(self.endpoint)),)


class S3ParquetCredentials(Credentials):
    access_key: Annotated[SecretStr, Field(min_length=1)]
    secret_key: Annotated[SecretStr, Field(min_length=1)]


def _pem_certificates(text: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in text or "PRIVATE KEY" in text:
        raise ValueError("must be certificates in PEM, and no private key")
    return text


class FlightSqlOptions(Options):
    url: FlightUrl
    dialect: Literal["duckdb"]
    db_schema: Name | None = None
    root_certificates: (
        Annotated[str, StringConstraints(max_length=100_000), AfterValidator(_pem_certificates)] | None
    ) = None

    @property
    def servers(self) -> tuple[Server, ...]:
        return (Server.of(urlsplit(self.url)),)


class FlightSqlCredentials(Credentials):
    username: SecretStr = SecretStr("")
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.token.get_secret_value() and (self.username.get_secret_value() or self.password.get_secret_value()):
            raise ValueError("give a user name and a password, or a token, not both")
        return self


_GOOGLES = (Server("bigquery.googleapis.com", 443), Server("bigquerystorage.googleapis.com", 443))


class BigQueryOptions(Options):
    """`endpoint` and `storage_endpoint` are for private endpoints and emulators. With http:// nothing is encrypted in
    transit.
    """

    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.:-]{2,99}$")]
    dataset: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,1024}$")]
    location: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{2,40}$")] | None = None
    maximum_bytes_billed: Annotated[int, Field(gt=0, strict=True)] | None = None
    endpoint: HttpUrl | None = None
    storage_endpoint: HttpUrl | None = None

    @model_validator(mode="after")
    def _both_endpoints(self) -> Self:
        if (self.endpoint is None) != (self.storage_endpoint is None):
            raise ValueError("give `endpoint` and `storage_endpoint`, or neither")
        return self

    @property
    def servers(self) -> tuple[Server, ...]:
        if self.endpoint is None or self.storage_endpoint is None:
            return _GOOGLES
        return tuple(Server.of(urlsplit(url)) for url in (self.endpoint, self.storage_endpoint))


_UNIVERSE = "googleapis.com"


def _service_account(secret: SecretStr) -> SecretStr:
    try:
        key = json.loads(secret.get_secret_value())
    except json.JSONDecodeError:
        raise ValueError("must be the JSON of a service account's key") from None
    if not isinstance(key, dict) or key.get("type") != "service_account":
        raise ValueError("must be the key of a service account: other kinds of credentials are not supported")
    if not all(isinstance(key.get(name), str) for name in ("client_email", "private_key", "token_uri")):
        raise ValueError("must hold client_email, private_key and token_uri, as downloaded")
    if key.get("universe_domain", _UNIVERSE) != _UNIVERSE:
        raise ValueError(f"must be a key of Google's own cloud: its universe_domain is another than {_UNIVERSE}")
    try:
        load_pem_private_key(key["private_key"].encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("must hold a private key in PEM") from None
    return secret


class BigQueryCredentials(Credentials):
    service_account: Annotated[SecretStr, Field(max_length=20_000), AfterValidator(_service_account)]


def _host(text: str) -> str:
    if urlsplit(f"//{text}").hostname != text.lower() or not text.isascii():
        raise ValueError("must be a host's name or address, without a port")
    return text


class ImpalaOptions(Options):
    host: Annotated[str, StringConstraints(min_length=1, max_length=253), AfterValidator(_host)]
    port: Annotated[int, Field(gt=0, lt=65_536, strict=True)] = 21_050
    database: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,128}$")] = "default"
    authentication: Literal["plain", "nosasl"] = "plain"

    @property
    def servers(self) -> tuple[Server, ...]:
        return (Server(self.host, self.port),)


class ImpalaCredentials(Credentials):
    username: SecretStr = SecretStr("")
    password: SecretStr = SecretStr("")
