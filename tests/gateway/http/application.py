"""The gateway's real application over the toy schema, on a real port, with an identity provider and no store."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from gateway.app import create_app
from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import TokenVerifier
from gateway.context import NewContext
from gateway.http.admission import Admission
from gateway.http.authentication import Authenticates
from gateway.http.connection import BoundedHttp
from gateway.http.socket_connection import BoundedSocket
from gateway.lifespan import Ping, Runtime
from gateway.settings import Settings
from loaders.ledger import Ledger
from resolvers.context import Context, Denials
from resolvers.subject import Subject
from tests.gateway.auth.serving import serving as served
from tests.gateway.http.toy import SCHEMA

_NOWHERE = {f"{kind}_url": "postgresql://nobody:nothing@127.0.0.1:1/nowhere" for kind in ("app", "worker", "migrate")}
_DATABASES = ("axion_sense", "axion_sense_tasks", "axion_gen", "auradb", "powernode")


def settings_without_stores(**changes: Any) -> Settings:
    """Every store's address is one where nothing listens: a test that used one would fail."""
    given: dict[str, Any] = {
        "databases": dict.fromkeys(_DATABASES, _NOWHERE),
        "objects": {"endpoint": "http://127.0.0.1:1", "access_key": "a", "secret_key": "b"},
        "oidc": {"issuer": "http://127.0.0.1:1", "audience": "axion", "jwks_url": "http://127.0.0.1:1/jwks.json"},
        "encryption": {"keys": {1: "bm90aGluZw=="}, "current_version": 1},
    }
    return Settings(_env_file=None, **{**given, **changes})


@dataclass(frozen=True, slots=True)
class Callers:
    """Tokens are judged by the real verifier; who its subjects are, by a table of the test instead of a database's."""

    verifier: TokenVerifier | None
    known: frozenset[str] = frozenset()

    async def subject(self, authorization: str, _: Ledger) -> tuple[Subject, datetime | None]:
        if self.verifier is None:
            raise TokenRejected("No token is good here.")
        claims = await self.verifier.verify(authorization.removeprefix("Bearer "))
        if claims.subject not in self.known:
            raise TokenRejected("Nobody.")
        return Subject(claims.subject), claims.expires_at


@dataclass(slots=True)
class Revocable:
    """Whose only caller is good until `revoked`."""

    revoked: bool = False

    async def subject(self, authorization: str, _: Ledger) -> tuple[Subject, datetime | None]:
        if self.revoked:
            raise TokenRejected("Revoked.")
        return Subject("auth0|1"), None


def new_context(subject: Subject, request_id: str, last_event_id: str | None = None) -> Context:
    """The toy schema asks no store and no permission."""
    nothing = cast(Any, None)
    return Context(
        subject=subject,
        request_id=request_id,
        stores=nothing,
        verdicts=nothing,
        ledger=Ledger(),
        last_event_id=last_event_id,
    )


@asynccontextmanager
async def serving(
    settings: Settings | None = None,
    *,
    callers: Authenticates | None = None,
    required: Mapping[str, Ping] | None = None,
    optional: Mapping[str, Ping] | None = None,
    contexts: NewContext = new_context,
    denials: Denials | None = None,
    http: type[BoundedHttp] = BoundedHttp,
    ws: type[BoundedSocket] = BoundedSocket,
    patience_s: int | None = None,
) -> AsyncIterator[str]:
    """Yields the origin, e.g. `http://127.0.0.1:40123`. Its socket listens already; requests wait for the start. At the
    end it waits for running requests, at most for `patience_s`, and then cancels them.
    """

    @asynccontextmanager
    async def opened(_: Settings) -> AsyncIterator[Runtime]:
        yield Runtime(
            callers or Callers(None),
            contexts,
            required or {},
            optional or {},
            denials=cast(Any, denials),
            renew_seconds=(settings or settings_without_stores()).http.renew_seconds,
            admission=Admission((settings or settings_without_stores()).limits),
        )

    application = create_app(settings or settings_without_stores(), SCHEMA, opened=opened)
    async with served(application, lifespan="on", http=http, ws=ws, patience_s=patience_s) as origin:
        yield origin
