"""The server's one user, and the ways ClickHouse's HTTP interface takes credentials."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.local.clickhouse_server.errors import ServerError, authentication_failed, bad_arguments


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str = field(repr=False)

    def check(self, headers: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        """Raises `ServerError` 516 unless the request carries this user and password.

        Taken from `X-ClickHouse-User`/`-Key`, HTTP Basic, or `user`/`password` in the query; not from two at once.
        """
        given = [
            pair for pair in (_clickhouse(headers), _basic(headers), _query_string(parameters)) if pair is not None
        ]
        if len(given) > 1:
            raise authentication_failed("Credentials are given in more than one way")
        user, password = given[0] if given else ("default", "")
        same_user = hmac.compare_digest(user.encode(), self.user.encode())
        same_password = hmac.compare_digest(password.encode(), self.password.encode())
        if not (same_user and same_password):
            raise authentication_failed(user)


def _clickhouse(headers: Mapping[str, str]) -> tuple[str, str] | None:
    if "x-clickhouse-user" not in headers and "x-clickhouse-key" not in headers:
        return None
    return headers.get("x-clickhouse-user", "default"), headers.get("x-clickhouse-key", "")


def _query_string(parameters: Mapping[str, str]) -> tuple[str, str] | None:
    if "user" not in parameters and "password" not in parameters:
        return None
    return parameters.get("user", "default"), parameters.get("password", "")


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    header = headers.get("authorization")
    if header is None:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise ServerError(516, "AUTHENTICATION_FAILED", f"HTTP authentication scheme {scheme[:20]!r} is not supported.")
    try:
        user, separator, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise bad_arguments("The Authorization header is not valid base64 of user:password.") from None
    if not separator:
        raise bad_arguments("The Authorization header is not valid base64 of user:password.")
    return user, password
