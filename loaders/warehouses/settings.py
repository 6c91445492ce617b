"""What each connector is configured with: options that may be shown, and credentials that are stored sealed."""

import json
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_max_length=2_000)


class Options(_Settings):
    """Not secret: the `options` of a data source."""


class Credentials(_Settings):
    """Secret: sealed as one JSON object, never shown again. Every field is a `SecretStr`."""

    def to_bytes(self) -> bytes:
        """The plaintext that is sealed."""
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


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


def _prefix(text: str) -> str:
    prefix = text.strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise ValueError("must be folder names separated by single slashes")
    return prefix


class ClickHouseOptions(Options):
    url: HttpUrl
    database: Name = "default"


class ClickHouseCredentials(Credentials):
    username: SecretStr = SecretStr("default")
    password: SecretStr = SecretStr("")


class S3ParquetOptions(Options):
    endpoint: HttpUrl
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    region: Name = "us-east-1"
    prefix: Annotated[str, AfterValidator(_prefix), Field(max_length=1_000)] = ""


class S3ParquetCredentials(Credentials):
    access_key: Annotated[SecretStr, Field(min_length=1)]
    secret_key: Annotated[SecretStr, Field(min_length=1)]
