"""Every way a document is answered, over the real stores with rows of the test's own."""

import inspect
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import asyncpg
import clickhouse_connect
from clickhouse_connect.driver.asyncclient import AsyncClient

from gateway.http.answer import Answer, executed, refused
from gateway.http.coordinates import Coordinates
from gateway.http.execution import execute
from gateway.http.operations import Operations
from gateway.http.planned import Planned
from gateway.http.refusal import Refusal
from gateway.http.request import GraphQLRequest
from gateway.settings import Limits, Settings
from gateway.stores import open_stores
from loaders import prepared
from loaders.bounded_cache import BoundedCache
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.prepared import Prepared
from loaders.read import Read
from loaders.stores import Stores
from resolvers.context import Context
from resolvers.permissions.verdicts import Verdicts
from tests.differential.arbitrary import Arbitrary
from tests.differential.declared import Api
from tests.differential.guards import Granted
from tests.differential.loading import load, statements, traces_in
from tests.differential.rows import Data
from tests.differential.tables import FAR, NEAR
from tests.loaders.postgres.database import execute as execute_sql
from tests.loaders.postgres.database import scratch_database

_LIMITS = Limits(
    max_tokens=50_000,
    max_string_chars=50_000,
    max_depth=64,
    max_aliases=1_000,
    max_directives=1_000,
    max_variables=1_000,
    max_overlaps=1_000_000,
)
"""What a document may cost is not what is tested."""


Allowed: TypeAlias = Granted | Arbitrary
"""What the caller may see."""


@dataclass(slots=True)
class Ways:
    api: Api
    stores: Stores
    operations: Operations
    plans: Planned
    postgres: "asyncpg.Connection[asyncpg.Record]"
    clickhouse: AsyncClient

    async def load(self, data: Data) -> None:
        await load(data, self.postgres, self.clickhouse)

    async def executed(self, document: str, variables: Mapping[str, Any], allowed: Allowed) -> Any:
        """By graphql-core's executor, every statement compiled anew."""
        kept = prepared._prepared
        prepared._prepared = BoundedCache[Read, Prepared](0)
        try:
            request, context = GraphQLRequest(document, None, variables, None), self._context(allowed)
            with allowed.installed(self.api.mappings):
                operation = self.operations.prepare(request)
                result = execute(self.api.schema, operation, variables, context)
                if inspect.isawaitable(result):
                    result = await result
            return _decoded(executed(result, context, Coordinates(self.api.schema, operation), with_stores=False))
        except Refusal as refusal:
            return _decoded(refused(refusal))
        finally:
            prepared._prepared = kept

    async def planned(self, document: str, variables: Mapping[str, Any], allowed: Allowed) -> Any:
        """By its plan, without the executor; `None` where it has none."""
        request, context = GraphQLRequest(document, None, variables, None), self._context(allowed)
        with allowed.installed(self.api.mappings):
            operation = self.operations.prepare(request)
            result = self.plans.run(operation, variables, context)
            if result is None:
                return None
            coordinates = Coordinates(self.api.schema, operation)
            return _decoded(executed(await result, context, coordinates, with_stores=False))

    def _context(self, allowed: Allowed) -> Context:
        ledger = Ledger()
        return Context(allowed.subject, "request", self.stores, Verdicts(allowed.subject, allowed, ledger), ledger)


def _decoded(answer: Answer) -> Any:
    return json.loads(answer.encode())


@asynccontextmanager
async def opened(settings: Settings, admin_url: str, api: Api) -> AsyncIterator[Ways]:
    """Tables of the test's own in a scratch database and in ClickHouse."""
    async with scratch_database(admin_url) as url, open_stores(settings) as stores:
        await execute_sql(url, *statements())
        near, far = [await Postgres.open(name, url, pool_max=3, statement_timeout_ms=20_000) for name in (NEAR, FAR)]
        connection = await asyncpg.connect(url, server_settings={"TimeZone": "UTC"})
        clickhouse = await clickhouse_connect.get_async_client(
            dsn=settings.clickhouse.url,
            username=settings.clickhouse.username,
            password=settings.clickhouse.password.get_secret_value(),
        )
        try:
            own = replace(stores, postgres={**stores.postgres, NEAR: near, FAR: far})
            async with traces_in(clickhouse):
                yield Ways(api, own, Operations(api.schema, _LIMITS), Planned(api.schema), connection, clickhouse)
        finally:
            await clickhouse.close()
            await connection.close()
            await far.close()
            await near.close()
