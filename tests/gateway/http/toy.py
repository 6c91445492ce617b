"""A small real schema, so that the transport's tests need no store: every way a field can end is one of its fields."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from loaders.encode.ipc import Chunk
from loaders.errors import Forbidden, StoreUnavailable
from loaders.ledger import Ledger
from resolvers.context import Context
from schema.mapping.splice import Spliced

Information = Info[Context, None]


class Gate:
    """A field waits here until the test opens it; the test waits for the field to arrive, and sees how it left."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def pass_through(self) -> None:
        self.entered.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


GATES: dict[str, Gate] = {}
NOTES: list[str] = []
"""What the mutation `note` did."""


@strawberry.type
class Item:
    name: str
    value: int | None = None

    @strawberry.field
    def item(self) -> "Item":
        return self


@dataclass
class Tick:
    count: int
    event_id: str


@strawberry.type
class TickNode:
    count: int

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, Tick)


@dataclass(frozen=True, slots=True)
class Failing:
    """A list that fails before its first record batch when it is streamed as Arrow."""

    error: Exception

    async def chunks(self, ledger: Ledger, *, compressed: bool) -> AsyncGenerator[Chunk, None]:
        raise self.error
        yield b""


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello, {name}!"

    @strawberry.field
    async def slow_hello(self, gate: str) -> str:
        await GATES[gate].pass_through()
        return "Hello at last"

    @strawberry.field
    def item(self) -> Item:
        return Item(name="root")

    @strawberry.field
    def whoami(self, info: Information) -> str | None:
        return info.context.subject.id or None

    @strawberry.field
    def request_id(self, info: Information) -> str:
        return info.context.request_id

    @strawberry.field
    def fragment(self) -> Item | None:
        answer: Any = orjson.Fragment(b'{"name":"spliced","value":12345678901234567890}')
        return answer  # type: ignore[no-any-return]  # as a compiled field does: not of the declared type

    @strawberry.field
    def spliced(self) -> list[Item] | None:
        answer: Any = Spliced([{"name": "a"}, {"name": None}])
        return answer  # type: ignore[no-any-return]  # as a compiled field does: not of the declared type

    @strawberry.field
    def spliced_null(self) -> Item:
        answer: Any = Spliced(None)
        return answer  # type: ignore[no-any-return]  # as a compiled field does: not of the declared type

    @strawberry.field
    def forbidden(self) -> str | None:
        raise Forbidden("You may not do this.")

    @strawberry.field
    def store_down(self, info: Information) -> str | None:
        info.context.ledger.record("clickhouse", rows=2, bytes_=10, ms=1.5)
        raise StoreUnavailable("clickhouse", "ClickHouse cannot be reached.")

    @strawberry.field
    def stream_fails(self, info: Information, store: bool = False) -> str | None:
        if info.context.capture is not None:
            down = StoreUnavailable("clickhouse", "ClickHouse cannot be reached.")
            info.context.capture.take_stream(Failing(down if store else RuntimeError("password=hunter2")))
        return None

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("password=hunter2")

    @strawberry.field
    def broken_non_null(self) -> str:
        raise RuntimeError("password=hunter2")

    @strawberry.field
    def not_an_int(self) -> int | None:
        answer: Any = "password=hunter2"
        return answer  # type: ignore[no-any-return]  # as a compiled field does: not of the declared type

    @strawberry.field
    def not_json(self) -> Item | None:
        answer: Any = Spliced(object())
        return answer  # type: ignore[no-any-return]  # as a compiled field does: not of the declared type


@strawberry.type
class Mutation:
    @strawberry.mutation
    def set(self, value: int) -> int:
        return value

    @strawberry.mutation
    def note(self, text: str) -> int:
        NOTES.append(text)
        return len(NOTES)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Information, to: int, gate: str | None = None) -> AsyncGenerator[TickNode, None]:
        """Resumes after `Last-Event-ID`. With a gate it waits there before the last number."""
        for number in range(int(info.context.last_event_id or 0) + 1, to + 1):
            if gate is not None and number == to:
                await GATES[gate].pass_through()
            event: Any = Tick(number, str(number))
            yield event

    @strawberry.subscription
    async def fails(self, after: int) -> AsyncGenerator[int, None]:
        for number in range(after):
            yield number
        raise StoreUnavailable("axion_sense_tasks", "The jobs cannot be watched.")

    @strawberry.subscription
    async def ids(self, info: Information) -> AsyncGenerator[str, None]:
        """The subject and request, as each event's own context has them."""
        for _ in range(2):
            yield info.context.request_id


_CONFIG = StrawberryConfig(enable_experimental_incremental_execution=True)
SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription, config=_CONFIG)
