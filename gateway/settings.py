"""Everything that the environment configures, read once at start, typed and frozen.

Names are `AXION_` plus the path with `__` between levels, e.g. `AXION_DATABASES__AXION_GEN__APP_URL` or
`AXION_LIMITS__MAX_DEPTH`. The embedded stack writes the same names into `<state>/env`, so the gateway has one code path
for embedded and for real servers. No other module reads settings from the environment.
"""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")

_ITS_OWN_PORT = re.compile(r"https:.*:443|http:.*:80")
"""Which browsers leave out (WHATWG URL, "port state")."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseUrls(_Section):
    """One logical database under its three roles (reference/postgresql-platform.md, "Roles & grants")."""

    app_url: SecretStr
    worker_url: SecretStr
    migrate_url: SecretStr


class Databases(_Section):
    axion_sense: DatabaseUrls
    axion_sense_tasks: DatabaseUrls
    axion_gen: DatabaseUrls
    auradb: DatabaseUrls
    powernode: DatabaseUrls


class Postgres(_Section):
    """Pools and time limits of every database. Only `axion migrate` reads `admin_url`, to make databases and roles.

    A gateway's change waits for no lock longer than `lock_timeout_ms`: less than the 5 s that others wait for one of
    its `write_pool_max` connections.
    """

    admin_url: SecretStr | None = None
    pool_max: int = Field(10, ge=1)
    write_pool_max: int = Field(5, ge=1)
    statement_timeout_ms: int = Field(15_000, ge=1)
    lock_timeout_ms: int = Field(3_000, ge=1, lt=5_000)


class ClickHouse(_Section):
    url: str = "http://127.0.0.1:8123"
    username: str = "default"
    password: SecretStr = SecretStr("")
    database: str = "axion_sense"
    replicated: bool = True
    """False for a server without ClickHouse Keeper: tables are made unreplicated (deploy/clickhouse/init.sql)."""
    query_timeout_ms: int = Field(30_000, ge=1)
    stream_timeout_ms: int = Field(3_600_000, ge=1)
    """Of an Arrow stream: how long the query may go on, its reader's pauses included."""


class OpenFga(_Section):
    url: str = "http://127.0.0.1:8080"
    store: str = "axion"
    token: SecretStr | None = None
    timeout_ms: int = Field(2_000, ge=1)
    verdict_seconds: float = Field(0.75, ge=0, le=1)
    """How long a verdict may serve other requests; 0 asks for each. A revocation by others counts after that time."""


class Objects(_Section):
    """The S3 bucket of the gateway itself (tiles); data sources bring their own."""

    endpoint: str
    bucket: str = "axion"
    region: str = "us-east-1"
    access_key: SecretStr
    secret_key: SecretStr


class Oidc(_Section):
    issuer: str
    audience: str
    jwks_url: str
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    leeway_seconds: int = Field(30, ge=0, le=300)
    jwks_cache_seconds: int = Field(300, ge=1)


class Encryption(_Section):
    """AES-256-GCM keys: version -> base64(32 bytes) (reference/axion-gen-data-model.txt, "Encryption")."""

    keys: dict[int, SecretStr]
    current_version: int

    @model_validator(mode="after")
    def _current_exists(self) -> Self:
        if self.current_version not in self.keys:
            raise ValueError(f"encryption.current_version {self.current_version} is not among the keys")
        return self


class Embeddings(_Section):
    """`url` is an OpenAI-compatible base URL (`.../v1`). Without it the deterministic local model is used."""

    url: str | None = None
    api_key: SecretStr | None = None
    model: str = "text-embedding-3-small"
    dimensions: int = 1536
    timeout_ms: int = Field(10_000, ge=1)


class OAuth(_Section):
    """Connections of users to other APIs. `redirect_url` is the client's page that users return to: it calls
    `genExternalApiAuthorizeFinish` with the `code` and `state` it is given. It must be registered at every API.
    """

    redirect_url: str | None = None
    allow_private_addresses: bool = False
    """Whether tokens are sent to APIs that are not on the public internet, such as a company's own."""
    timeout_ms: int = Field(10_000, ge=1)


_LINKS = (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"), IPv6Network("fd00:ec2::254/128"))


class DataSources(_Section):
    """Which networks data sources are connected to: all but `denied_networks`, whose parts `allowed_networks` are.

    Unless set, links are denied: no warehouse is there, and in clouds the service that gives away credentials is."""

    denied_networks: tuple[IPv4Network | IPv6Network, ...] = _LINKS
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    query_processes: int = Field(8, ge=1)
    """Raw SQL over S3 that runs at once, whatever the data source: each in a process of up to 1.5 GiB."""


class Limits(_Section):
    """Bounds checked before anything expensive runs."""

    max_body_bytes: int = Field(1_000_000, ge=1)
    max_document_chars: int = Field(100_000, ge=1)
    max_tokens: int = Field(1_500, ge=1)
    max_string_chars: int = Field(10_000, ge=1)
    max_depth: int = Field(16, ge=1)
    max_aliases: int = Field(100, ge=0)
    max_fields: int = Field(2_000, ge=1)
    max_root_fields: int = Field(50, ge=1)
    max_directives: int = Field(50, ge=0)
    max_variables: int = Field(100, ge=0)
    max_variable_objects: int = Field(1_000, ge=0)
    max_variable_values: int = Field(30_000, ge=0)
    max_variable_depth: int = Field(32, ge=1)
    max_overlaps: int = Field(2_000, ge=0)
    max_page: int = Field(1_000, ge=1)
    max_rows: int = Field(100_000, ge=1)
    max_answer_bytes: int = Field(64 * 2**20, ge=2**20)
    """Of all that the stores answer to one operation (loaders/room.py); what is streamed has no such bound."""
    max_scanned_bytes: int | None = Field(None, ge=1)
    """What warehouses may read for one document, by their own estimates; without it they are not asked for one."""
    request_timeout_ms: int = Field(60_000, ge=1)
    requests_per_second: float | None = Field(None, gt=0)
    """Of one user, or of one address without a token, in each process; none unless set."""
    requests_burst: int = Field(100, ge=1)
    """So many pass at once."""


class TrustedDocuments(_Section):
    """`file`: a manifest as Relay, graphql-codegen or Apollo write it. `only`: nothing else is answered."""

    file: FilePath | None = None
    only: bool = False

    @model_validator(mode="after")
    def _something_is_answered(self) -> Self:
        if self.only and self.file is None:
            raise ValueError("trusted_documents.only needs trusted_documents.file: nothing would be answered")
        return self


class Jobs(_Section):
    """`max_attempts` is how often a job is started at most. A worker that is silent for `stale_seconds` loses its
    jobs.
    """

    concurrency: int = Field(4, ge=1)
    max_attempts: int = Field(5, ge=1)
    back_off_seconds: float = Field(1.0, gt=0)
    heartbeat_seconds: float = Field(5.0, gt=0)
    stale_seconds: float = Field(30.0, gt=0)
    shutdown_seconds: float = Field(20.0, ge=0)
    profile_max_bytes: int = Field(10 * 2**30, ge=1)
    """A profile that would read more, by the engine's metadata, is refused, unless its starter says another number."""
    retention_days: float = Field(30.0, ge=1)
    """Finished jobs are removed after so long, with their events."""

    @model_validator(mode="after")
    def _beats_before_stale(self) -> Self:
        if self.stale_seconds < 3 * self.heartbeat_seconds:
            raise ValueError("jobs.stale_seconds must be at least three times jobs.heartbeat_seconds")
        return self


class Http(_Section):
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    allowed_origins: tuple[str, ...] = ()
    """As browsers send them, such as `https://app.example`; `*` is every page."""
    anonymous_introspection: bool = True
    """Whether who has not signed in may ask for the schema; if not, wrong names are not corrected for anyone either."""
    renew_seconds: float = Field(2.0, gt=0, le=60)
    """How often the caller of an open socket or stream is authenticated again: what was revoked ends."""
    write_timeout_seconds: float = Field(30.0, gt=0, le=3600)
    """A connection whose client takes not a byte of what is written to it for so long is broken off."""

    @field_validator("allowed_origins")
    @classmethod
    def _as_browsers_send_them(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Any other text would never equal an Origin, and its pages would be refused without a reason."""
        lower = tuple(origin.lower() for origin in origins)
        for origin in lower:
            if origin != "*" and (not _ORIGIN.fullmatch(origin) or _ITS_OWN_PORT.fullmatch(origin)):
                raise ValueError(
                    "origins are a scheme, a host and perhaps a port that is not the scheme's own, without a path: "
                    "https://app.example"
                )
        return lower


class Traces(_Section):
    """`url`: where a collector takes OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; none, no traces.

    `ratio` of the traces are sampled, whoever begins them; a `traceparent` that is not sampled is not. `service` is
    `axion-gateway` of a gateway and `axion-worker` of a worker unless it is set.
    """

    url: str | None = None
    headers: dict[str, SecretStr] = {}
    ratio: float = Field(1.0, ge=0, le=1)
    service: str | None = None


class Worker(_Section):
    """`port`: where a worker answers probes and metrics, if given. Not to be public."""

    host: str = "127.0.0.1"
    port: int | None = Field(None, ge=1, le=65535)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="AXION_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    mode: Literal["production", "demo"] = "production"
    http: Http = Http()
    databases: Databases
    postgres: Postgres = Postgres()
    clickhouse: ClickHouse = ClickHouse()
    openfga: OpenFga = OpenFga()
    objects: Objects
    oidc: Oidc
    encryption: Encryption
    embeddings: Embeddings = Embeddings()
    oauth: OAuth = OAuth()
    data_sources: DataSources = DataSources()
    limits: Limits = Limits()
    trusted_documents: TrustedDocuments = TrustedDocuments()
    jobs: Jobs = Jobs()
    worker: Worker = Worker()
    traces: Traces = Traces()
    demo_issuer_key: SecretStr | None = None
    """PEM of the demo issuer's private key. Refused outside demo mode: a production gateway never mints tokens."""

    @model_validator(mode="after")
    def _demo_only(self) -> Self:
        if self.mode != "demo" and self.demo_issuer_key is not None:
            raise ValueError("demo_issuer_key is set but mode is not 'demo': the demo issuer exists in demo mode only")
        return self
