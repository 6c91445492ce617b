"""Everything that a serving process keeps open, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from starlette.types import Scope

from gateway.auth.api_keys import ApiKeys
from gateway.auth.authenticate import Authenticator
from gateway.auth.errors import IDENTITY_PROVIDER
from gateway.auth.jwks import Jwks
from gateway.auth.oidc import TokenVerifier
from gateway.auth.subjects import Subjects
from gateway.context import Contexts, NewContext
from gateway.denials import Denials
from gateway.http.admission import Admission
from gateway.http.authentication import (
    WITHOUT_CREDENTIALS,
    Authenticated,
    Authenticates,
    authenticate,
    refused_by_now,
)
from gateway.http.refusal import Refusal
from gateway.metrics import ReadBacklog, count_verdict
from gateway.settings import Http, Limits, Settings
from gateway.settings import Traces as TraceSettings
from loaders.ledger import Ledger
from loaders.openfga import outbox
from loaders.openfga.feed import Feed
from loaders.postgres.client import Postgres
from loaders.stores import Stores
from resolvers.permissions.cached import CachedAuthority
from resolvers.permissions.recheck import Rechecks

if TYPE_CHECKING:
    from gateway.traces import Traces

_VERDICTS_KEPT = 50_000
"""Of at most 1 kB each."""

Ping = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Runtime:
    """The gateway is not ready without the `required` stores, and degraded without the `optional` ones."""

    authenticator: Authenticates
    new_context: NewContext
    required: Mapping[str, Ping] = field(default_factory=dict)
    optional: Mapping[str, Ping] = field(default_factory=dict)
    denials: Denials | None = None
    backlog: ReadBacklog | None = None
    renew_seconds: float = Http().renew_seconds
    traces: "Traces | None" = None
    admission: Admission = field(default_factory=lambda: Admission(Limits()))

    async def authenticate(self, authorization: str | None, scope: Scope, *, request_id: str) -> Authenticated:
        """Without credentials, the anonymous caller. Raises `Refusal`: for these credentials, or because the address
        has sent too many bad ones.
        """
        if authorization is None:
            return WITHOUT_CREDENTIALS
        with self.admission.credentials(authorization, scope):
            return await authenticate(self.authenticator, authorization, request_id=request_id, denials=self.denials)

    async def refused_by_now(self, authorization: str | None, *, request_id: str) -> Refusal | None:
        """As `authentication.refused_by_now`."""
        return await refused_by_now(self.authenticator, authorization, request_id=request_id, denials=self.denials)


Opened = Callable[[Settings], AbstractAsyncContextManager[Runtime]]


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Opens the stores and the identity provider's client, and closes them in the reverse order."""
    from gateway.stores import open_stores

    async with open_stores(settings) as stores, AsyncExitStack() as stack:
        jwks = Jwks(settings.oidc.jwks_url, cache_seconds=settings.oidc.jwks_cache_seconds)
        verifier = TokenVerifier(settings.oidc, jwks=jwks)
        users = stores.postgres["axion_sense"]
        authenticator = Authenticator(verifier, Subjects(users), ApiKeys(users))
        stack.push_async_callback(authenticator.close)
        denials = await _denials(users, stack)
        kept = _kept_verdicts(stores, settings, stack)
        authority = kept or stores.openfga
        rechecks = Rechecks(authority)
        stack.push_async_callback(rechecks.close)
        yield Runtime(
            authenticator=authenticator,
            new_context=Contexts(stores, authority, settings.limits, memory=kept, denials=denials, rechecks=rechecks),
            required={"axion_sense": stores.postgres["axion_sense"].ping, "openfga": _openfga(stores)},
            optional=_optional(stores, jwks),
            denials=denials,
            backlog=partial(outbox.backlog, stores.postgres["axion_gen"], ledger=Ledger()),
            renew_seconds=settings.http.renew_seconds,
            traces=await stack.enter_async_context(open_traces(settings.traces, process="axion-gateway")),
            admission=Admission(settings.limits),
        )


@asynccontextmanager
async def open_traces(settings: TraceSettings, *, process: str) -> AsyncIterator["Traces | None"]:
    """None unless a collector is configured. `process` is the name of the service if the settings have none."""
    if settings.url is None:
        yield None
        return
    from gateway.traces import Traces  # its libraries cost a process without traces nothing

    traces = Traces.open(settings, process=process)
    try:
        yield traces
    finally:
        await traces.close()


async def _denials(postgres: Postgres, stack: AsyncExitStack) -> Denials:
    denials = Denials(postgres)
    running = asyncio.create_task(denials.run(), name="denials")

    async def close() -> None:
        running.cancel()
        await asyncio.wait((running,))
        await denials.close()

    stack.push_async_callback(close)
    return denials


def _kept_verdicts(stores: Stores, settings: Settings, stack: AsyncExitStack) -> CachedAuthority | None:
    if settings.openfga.verdict_seconds == 0:
        return None
    feed = Feed(stores.openfga)
    stack.push_async_callback(feed.close)
    authority = CachedAuthority(
        stores.openfga, seconds=settings.openfga.verdict_seconds, size=_VERDICTS_KEPT, count=count_verdict, feed=feed
    )
    stack.push_async_callback(authority.close)
    return authority


def _optional(stores: Stores, jwks: Jwks) -> dict[str, Ping]:
    """The stores without which the gateway still serves: only their own fields fail."""
    postgres = {name: client.ping for name, client in stores.postgres.items() if name != "axion_sense"}
    return {
        **postgres,
        "clickhouse": stores.clickhouse.ping,
        "objects": stores.objects.ping,
        IDENTITY_PROVIDER: jwks.current,
    }


def _openfga(stores: Stores) -> Ping:
    async def ping() -> None:
        await stores.openfga.ping(ledger=Ledger())

    return ping
