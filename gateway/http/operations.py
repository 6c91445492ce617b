"""From the parameters of a request to its answers: what all transports have in common."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from graphql import ExecutionResult, GraphQLSchema, OperationType

from gateway.http.answer import Answer, executed, failed, refused
from gateway.http.coordinates import Coordinates
from gateway.http.documents import Documents, Operation
from gateway.http.execution import execute, execute_in_parts, subscribe
from gateway.http.media_type import Parts
from gateway.http.parts import InParts
from gateway.http.planned import Planned
from gateway.http.refusal import refuse
from gateway.http.request import GraphQLRequest
from gateway.http.running import timed_out
from gateway.limits.trusted import TrustedDocuments, UnknownDocument, UntrustedDocument
from gateway.settings import Limits
from loaders.errors import Code
from loaders.ledger import Ledger
from resolvers.context import Context

_log = structlog.get_logger(__name__)

NewContext: TypeAlias = Callable[[], Context]


@dataclass(frozen=True, slots=True)
class Streamed:
    """One of several answers, encoded. A client may resume after `event_id`."""

    answer: Answer
    payload: bytes
    ledger: Ledger
    event_id: str | None = None


class Operations:
    """Prepares and runs operations of one schema under one set of limits. Lives as long as the process."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        anonymous_introspection: bool = True,
        trusted: TrustedDocuments | None = None,
    ) -> None:
        self._schema = schema
        self._documents = Documents(schema, limits, suggests=anonymous_introspection)
        self._trusted = trusted or TrustedDocuments()
        self._anonymous_introspection = anonymous_introspection
        self._planned = Planned(schema)
        self.limits = limits

    def prepare(self, request: GraphQLRequest, *, anonymous: bool = False) -> Operation:
        """The operation, parsed, limited and validated. Raises `Refusal`, also for introspection that is not open to
        the `anonymous`.
        """
        operation = self._documents.prepare(self._text(request), request.operation_name, request.variables)
        if anonymous and operation.introspects and not self._anonymous_introspection:
            message = "The schema is for signed-in users: send a bearer token."
            raise refuse(401, Code.UNAUTHENTICATED, message, well_formed=True)
        return operation

    def _text(self, request: GraphQLRequest) -> str:
        try:
            return self._trusted.text(request.document_id, request.query)
        except UnknownDocument as error:
            message = error.word if request.asks_as_apollo else str(error)
            raise refuse(400, Code.PERSISTED_QUERY_NOT_FOUND, message, well_formed=True) from None
        except UntrustedDocument as error:
            raise refuse(403, Code.DOCUMENT_NOT_TRUSTED, str(error), well_formed=True) from None
        except ValueError as error:
            raise refuse(400, Code.REQUEST_INVALID, str(error)) from None

    def run(
        self, operation: Operation, request: GraphQLRequest, context: Context, *, with_stores: bool = False
    ) -> Answer | Awaitable[Answer]:
        """The answer to a query or a mutation; not awaitable if nothing had to be waited for."""
        coordinates = Coordinates(self._schema, operation)
        planned = self._planned.run(operation, request.variables, context)
        if planned is not None:
            return _awaited(planned, context, coordinates, with_stores)
        result = execute(self._schema, operation, request.variables, context)
        if isinstance(result, ExecutionResult):
            return executed(result, context, coordinates, with_stores=with_stores)
        return _awaited(result, context, coordinates, with_stores)

    async def run_in_parts(
        self, operation: Operation, request: GraphQLRequest, context: Context, form: Parts, *, with_stores: bool = False
    ) -> Answer | InParts:
        """As `run`, for a client that accepts an answer in parts. It is a single answer if nothing can be deferred."""
        coordinates = Coordinates(self._schema, operation)
        planned = None if operation.defers_reads else self._planned.run(operation, request.variables, context)
        if planned is not None:
            return await _awaited(planned, context, coordinates, with_stores)
        result = execute_in_parts(self._schema, operation, request.variables, context)
        if isinstance(result, Awaitable):
            result = await result
        if isinstance(result, ExecutionResult):
            return executed(result, context, coordinates, with_stores=with_stores)
        return InParts(result, context, form, coordinates, with_stores=with_stores)

    async def stream(
        self, operation: Operation, request: GraphQLRequest, new_context: NewContext, *, with_stores: bool = False
    ) -> AsyncGenerator[Streamed, None]:
        """The answers of a subscription, or the single answer of a query or a mutation. Closing the iterator closes the
        subscription's source.

        Raises nothing but cancellation: unexpected errors become the last answer, logged and masked.
        """
        source = context = new_context()
        try:
            if operation.kind is not OperationType.SUBSCRIPTION:
                yield _streamed(await self._once(operation, request, context, with_stores), context)
                return
            coordinates = Coordinates(self._schema, operation)
            events = await subscribe(self._schema, operation, request.variables, context, new_context)
            if isinstance(events, ExecutionResult):
                yield _streamed(executed(events, context, coordinates, with_stores=with_stores), context)
                return
            async with aclosing(events):
                async for event in events:
                    context = event.context
                    answer = executed(event.result, context, coordinates, with_stores=with_stores)
                    yield _streamed(answer, context, event.event_id)
                    del event, answer  # as gateway.http.execution does
                    context = source
        except Exception:  # noqa: BLE001 - the last line: logged, masked, answered
            _log.exception("operation_failed", request_id=context.request_id)
            yield _streamed(failed(context.request_id), context)

    async def _once(self, operation: Operation, request: GraphQLRequest, context: Context, with_stores: bool) -> Answer:
        timeout_ms = self.limits.request_timeout_ms
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                answer = self.run(operation, request, context, with_stores=with_stores)
                return answer if isinstance(answer, Answer) else await answer
        except TimeoutError:
            return refused(timed_out(timeout_ms))


async def _awaited(
    result: Awaitable[ExecutionResult], context: Context, coordinates: Coordinates, with_stores: bool
) -> Answer:
    return executed(await result, context, coordinates, with_stores=with_stores)


def _streamed(answer: Answer, context: Context, event_id: str | None = None) -> Streamed:
    return Streamed(answer, answer.encode(), context.ledger, event_id)
