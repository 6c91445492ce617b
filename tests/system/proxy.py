"""A TCP proxy in front of a store, which can be down, silent, or cut off in mid-answer without harm to the store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Literal

State = Literal["up", "down", "silent"]


class Proxy:
    """`down`: connections are refused or reset. `silent`: they are taken, and never answered."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._state: State = "up"
        self._left: int | None = None
        self._flowing, self._holding = asyncio.Event(), asyncio.Event()
        self._flowing.set()
        self._garble: Callable[[bytes], bytes] | None = None
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, host: str, port: int) -> AsyncIterator["Proxy"]:
        proxy = cls(host, port)
        await proxy._listen()
        try:
            yield proxy
        finally:
            await proxy._close()

    @property
    def connections(self) -> int:
        return len(self._connections)

    @asynccontextmanager
    async def being(self, state: State) -> AsyncIterator[None]:
        """In that state for the block, then up again. All connections end at both changes."""
        await self._become(state)
        try:
            yield
        finally:
            await self._become("up")

    @contextmanager
    def cut_after(self, received: int) -> Iterator[None]:
        """Every connection is reset once the store has answered that many bytes more, in all."""
        self._left = received
        try:
            yield
        finally:
            self._left = None

    @asynccontextmanager
    async def held(self) -> AsyncIterator[asyncio.Event]:
        """The store's answers are kept back until `release`, or the block's end. The event: there is one."""
        self._holding.clear()
        self._flowing.clear()
        try:
            yield self._holding
        finally:
            self.release()

    def release(self) -> None:
        self._flowing.set()

    @contextmanager
    def garbling(self, garble: Callable[[bytes], bytes]) -> Iterator[None]:
        """What the store answers reaches nobody as it was, but as `garble` makes it of each piece."""
        self._garble = garble
        try:
            yield
        finally:
            self._garble = None
            self._abort()

    async def _become(self, state: State) -> None:
        self._state = state
        if state == "down":
            await self._close()
            return
        self._abort()
        if self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = self._abort()
        if tasks:
            await asyncio.wait(tasks)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def _abort(self) -> list[asyncio.Task[None]]:
        for writers in self._connections.values():
            for writer in writers:
                writer.transport.abort()
        return list(self._connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._connections[task] = [writer]
        try:
            if self._state == "silent":
                while await reader.read(65_536):
                    pass
                return
            store_reader, store_writer = await asyncio.open_connection(self._host, self._port)
            writers.append(store_writer)
            ways = (self._pass(reader, store_writer), self._pass(store_reader, writer, counted=True))
            await asyncio.gather(*ways)
        except OSError:
            pass  # either side went away: so does the other, below
        finally:
            del self._connections[task]
            for each in writers:
                each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False) -> None:
        while data := await reader.read(65_536):
            if counted and self._left is not None:
                self._left -= len(data)
                if self._left <= 0:
                    self._abort()
                    return
            if counted and not self._flowing.is_set():
                self._holding.set()
                await self._flowing.wait()
            writer.write(self._garble(data) if counted and self._garble is not None else data)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()
