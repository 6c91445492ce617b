"""What the figures are measured on: a stack of its own with data, and the servers, which each figure starts itself."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local import stack as stacks
from deploy.local.command import run_logged
from deploy.local.paths import CHECKOUT
from deploy.local.progress import Progress
from gateway.auth.demo_issuer import mint_token
from gateway.settings import Settings
from loaders.clickhouse.client import ClickHouse
from tests.benchmarks.alternate import Effort
from tests.benchmarks.data.chunks import load_chunks
from tests.benchmarks.data.frames import load_frames
from tests.benchmarks.data.road import ADMIN, MEMBER, grant, load_road, organization_ids
from tests.benchmarks.peers.postgraphile import postgraphile
from tests.benchmarks.server import Server, free_port, serving

STACK = "bench"
MAX_PAGE = 10_000
"""The shipped limit is 1,000 rows a page; the flat list of 10,000 needs more. Every figure runs under it."""


@dataclass(frozen=True, slots=True)
class World:
    settings: Settings
    environment: dict[str, str]
    effort: Effort
    logs: Path
    member: str
    """Bearer token of a user who sees 200 organizations and 10 workspaces by membership."""
    admin: str
    organizations: tuple[int, ...]

    def gateway(self) -> AbstractAsyncContextManager[Server]:
        """A fresh gateway process, as `axion serve` runs it."""
        return self._python("gateway.cli", "serve", name="gateway")

    def unguarded(self) -> AbstractAsyncContextManager[Server]:
        return self._python("tests.benchmarks.peers.unguarded", name="unguarded")

    @asynccontextmanager
    async def strawberry(self) -> AsyncIterator[Server]:
        port = free_port()
        command = (sys.executable, "-m", "tests.benchmarks.peers.strawberry_app", str(port))
        log = self.logs / "strawberry.log"
        async with serving(command, port=port, environment=self.environment, log=log) as it:
            yield it

    def postgraphile(self) -> AbstractAsyncContextManager[Server]:
        return postgraphile(self.settings, logs=self.logs)

    @asynccontextmanager
    async def _python(self, *module: str, name: str) -> AsyncIterator[Server]:
        port = free_port()
        chosen = {
            **self.environment,
            "AXION_HTTP__PORT": str(port),
            "AXION_OIDC__JWKS_URL": f"http://127.0.0.1:{port}/demo/issuer/jwks.json",
            "AXION_LIMITS__MAX_PAGE": str(MAX_PAGE),
        }
        command = (sys.executable, "-m", *module)
        async with serving(command, port=port, environment=chosen, log=self.logs / f"{name}.log") as it:
            yield it


@asynccontextmanager
async def prepared(effort: Effort, *, needs: frozenset[str], tell: Callable[[str], None]) -> AsyncIterator[World]:
    """The stack up, migrated and filled with what is needed; stopped at the end, its data kept for the next run."""
    with Progress() as progress:
        stack = stacks.up(STACK, progress)
    try:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(Path.home()),
            "PYTHONPATH": str(CHECKOUT),
            "LANG": "C.UTF-8",
            **stack.settings,
        }
        migrate = (sys.executable, "-m", "gateway.cli", "migrate", "all")
        run_logged(migrate, log=stack.paths.log("migrate"), environment=environment)
        settings = Settings(_env_file=stack.paths.env)
        yield await _world(settings, environment, effort, stack.paths.logs, needs, tell)
    finally:
        with Progress() as progress:
            stacks.down(STACK, progress)


async def _world(
    settings: Settings,
    environment: dict[str, str],
    effort: Effort,
    logs: Path,
    needs: frozenset[str],
    tell: Callable[[str], None],
) -> World:
    connection = await asyncpg.connect(settings.databases.axion_sense.migrate_url.get_secret_value())
    try:
        tell(await load_road(connection))
        organizations = await organization_ids(connection)
    finally:
        await connection.close()
    tell(await grant(settings, organizations))
    if "frames" in needs:
        clickhouse = open_clickhouse(settings)
        try:
            tell(await load_frames(clickhouse, organization=organizations[0]))
        finally:
            await clickhouse.close()
    if "chunks" in needs:
        connection = await asyncpg.connect(settings.databases.auradb.migrate_url.get_secret_value())
        try:
            tell(await load_chunks(connection))
        finally:
            await connection.close()
    return World(
        settings=settings,
        environment=environment,
        effort=effort,
        logs=logs,
        member=mint_token(settings, MEMBER),
        admin=mint_token(settings, ADMIN),
        organizations=tuple(organizations),
    )


def open_clickhouse(settings: Settings) -> ClickHouse:
    return ClickHouse.open(
        settings.clickhouse.url,
        settings.clickhouse.username,
        settings.clickhouse.password.get_secret_value(),
        settings.clickhouse.database,
        timeout_ms=600_000,
    )
