"""The client of one Postgres database: read-only connections for compiled reads, sessions for writes.

Errors of the drivers are translated here and nowhere else. Connections are opened on demand and replaced when they die,
so a database that was down is used again as soon as it is back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import NewType, TypeVar

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from loaders.encode.number import exact_text
from loaders.ledger import Ledger
from loaders.postgres.connections import Connection, Connections
from loaders.postgres.errors import DRIVER_ERRORS, translate, translated
from loaders.postgres.room import SETTING
from loaders.postgres.statement import KEPT_CHARACTERS
from loaders.room import octets

T = TypeVar("T")
WriteSession = NewType("WriteSession", AsyncSession)

_CONNECT_TIMEOUT_S = 5.0
_EXACT = "SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on"
"""An index of vectors is scanned as such only: those of other kinds serve as bitmaps still."""
_WRITE_POOL = 5
_NO_LIMIT = 0
_ANSWER_BYTES = 64 << 20
_PATIENT = sa.text("SET LOCAL lock_timeout = 0")


@dataclass(frozen=True, slots=True)
class Postgres:
    """One database under the `_app` role of the gateway. `store` is its public name, e.g. `axion_gen`."""

    store: str
    connections: Connections
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]

    @classmethod
    async def open(
        cls,
        store: str,
        url: str,
        *,
        pool_max: int,
        statement_timeout_ms: int,
        write_pool_max: int = _WRITE_POOL,
        lock_timeout_ms: int = _NO_LIMIT,
        answer_bytes: int = _ANSWER_BYTES,
        settings: dict[str, str] | None = None,
    ) -> "Postgres":
        """Opens no connection yet. `settings` are further session settings of reads; `answer_bytes` bounds what a
        compiled read answers.

        `lock_timeout_ms` bounds each wait for a lock in a transaction (0: as long as its statement may take), so that
        transactions that wait for one row do not hold all `write_pool_max` connections.
        """
        session = {"TimeZone": "UTC", "DateStyle": "ISO, YMD", "application_name": "axion-gateway"}
        session |= {"statement_timeout": str(statement_timeout_ms), "idle_in_transaction_session_timeout": "60000"}
        connect = partial(
            asyncpg.connect,
            url,
            timeout=_CONNECT_TIMEOUT_S,
            max_cacheable_statement_size=KEPT_CHARACTERS,
            server_settings=session
            | {"default_transaction_read_only": "on", "jit": "off", SETTING: str(answer_bytes)}
            | (settings or {}),
        )
        engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=write_pool_max,
            max_overflow=0,
            pool_timeout=_CONNECT_TIMEOUT_S,
            pool_pre_ping=True,
            connect_args={
                "timeout": _CONNECT_TIMEOUT_S,
                "server_settings": session | {"lock_timeout": str(lock_timeout_ms)},
            },
            json_serializer=partial(exact_text, ascii_only=True),
            hide_parameters=True,
        )
        return cls(store, Connections(connect, pool_max), engine, async_sessionmaker(engine, expire_on_commit=False))

    async def close(self) -> None:
        await self.connections.close()
        await self.engine.dispose()

    async def fetch_json(self, sql: str, parameters: Sequence[object], *, ledger: Ledger) -> str | None:
        """The JSON text that a compiled read answers; `None` for an absent object. Raises `PageTooLarge` beyond
        `answer_bytes`, and beyond what the operation has room for.
        """
        text: str | None = None
        started = perf_counter()
        try:
            text = await self._run(sql, lambda connection, sql: connection.fetchval(sql, *parameters), ledger)
        except DRIVER_ERRORS as error:
            raise translate(self.store, error) from error
        finally:
            ms = (perf_counter() - started) * 1000
            size = octets(text)
            ledger.record(self.store, rows=int(text is not None), bytes_=size, ms=ms)
        ledger.room.take(size)
        return text

    async def fetch(self, sql: str, *parameters: object, ledger: Ledger) -> Sequence[asyncpg.Record]:
        """The rows of one small statement, for keys and for the gateway's own look-ups."""
        rows: Sequence[asyncpg.Record] = ()
        started = perf_counter()
        try:
            rows = await self._run(sql, lambda connection, sql: connection.fetch(sql, *parameters), ledger)
        except DRIVER_ERRORS as error:
            raise translate(self.store, error) from error
        finally:
            ledger.record(self.store, rows=len(rows), ms=(perf_counter() - started) * 1000)
        return rows

    async def _run(self, sql: str, ask: Callable[[Connection, str], Awaitable[T]], ledger: Ledger) -> T:
        """Runs a statement. A page by similarity that is short although more rows match (`loaders.postgres.whole`) is
        read a second time without the vector index: exactly, within the statement's time-out.
        """
        try:
            return await self.connections.run(lambda connection: ask(connection, sql))
        except asyncpg.InvalidArgumentForLogarithmError:
            ledger.record(self.store)
        return await self.connections.run(partial(_exactly, sql=sql, ask=ask))

    @asynccontextmanager
    async def transaction(self, *, patient: bool = False) -> AsyncIterator[WriteSession]:
        """One read-write transaction: committed at the end, rolled back when the body raises.

        Raises `StoreBusy` if a lock is not granted in time; `patient` waits for it as long as a statement may take.
        """
        with translated(self.store):
            async with self.sessions() as session, session.begin():
                if patient:
                    await session.execute(_PATIENT)
                yield WriteSession(session)

    async def ping(self) -> None:
        """Raises a `StoreError` when the database does not answer."""
        await self.fetch("SELECT 1", ledger=Ledger())


async def _exactly(connection: Connection, *, sql: str, ask: Callable[[Connection, str], Awaitable[T]]) -> T:
    """As a text of its own, so that it gets a plan of its own."""
    async with connection.transaction():
        await connection.execute(_EXACT)
        return await ask(connection, f"/* exact */ {sql}")
