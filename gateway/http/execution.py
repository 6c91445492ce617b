"""Executes a prepared operation with graphql-core. Answers of compiled reads are JSON already and pass through
untouched.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, TypeAlias, TypeGuard

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    FieldNode,
    GraphQLError,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    is_non_null_type,
    located_error,
)
from graphql.execution import create_source_event_stream
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.http.documents import Operation
from gateway.http.introspected import INTROSPECTIONS, introspected
from loaders.errors import Code
from resolvers.context import Context
from schema.mapping.compose import mapped
from schema.mapping.splice import Spliced

_PLAIN = frozenset(
    {str, int, float, bool, type(None), dict, list, tuple, orjson.Fragment, Spliced},
)


Incremental: TypeAlias = ExecutionResult | ExperimentalIncrementalExecutionResults


def is_awaitable(value: object) -> TypeGuard[Awaitable[Any]]:
    """Equivalent to graphql-core's test, but decides the most frequent types first."""
    kind = type(value)
    return kind not in _PLAIN and (kind is CoroutineType or hasattr(value, "__await__"))


class FragmentExecutor(StrawberryGraphQLCoreExecutionContext):
    """An executor that does not complete an `orjson.Fragment`, or the value of a `Spliced`, whatever the type of the
    field.
    """

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Context],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        kind = type(result)
        if kind is orjson.Fragment:
            return result
        if kind is Spliced and not is_non_null_type(return_type):  # a null in a non-null field is found one call below
            return result.value
        if return_type in INTROSPECTIONS and result is not None:
            return introspected(self, return_type, field_details_list, result, info)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def handle_stream(
        self,
        index: int,
        path: Path,
        iterator: Any,
        is_async: bool,
        stream_usage: Any,
        info: GraphQLResolveInfo[Context],
        item_type: GraphQLOutputType,
    ) -> bool:
        """Ignores `@stream` on reads of tables: all their rows arrive with one statement, and what is still missing
        below them is loaded in one batch.
        """
        if mapped(info.parent_type.fields[info.field_name]) is not None:
            return False
        return super().handle_stream(index, path, iterator, is_async, stream_usage, info, item_type)


def execute(
    schema: GraphQLSchema, operation: Operation, variables: Mapping[str, Any] | None, context: Context
) -> ExecutionResult | Awaitable[ExecutionResult]:
    """The result of a query or a mutation; not awaitable if no resolver was asynchronous. Errors of resolvers are in
    the result.
    """
    executor = _executor(schema, operation, operation.document, variables, context)
    if isinstance(executor, list):
        return _wrong_variables(executor)
    result: Any = executor.execute_operation()  # never incremental: see gateway/http/incremental.py
    return result  # type: ignore[no-any-return]  # so it is one of the two


def execute_in_parts(
    schema: GraphQLSchema, operation: Operation, variables: Mapping[str, Any] | None, context: Context
) -> Incremental | Awaitable[Incremental]:
    """As `execute`, but deferred fields are left to the subsequent results, whose execution begins when they are asked
    for.

    It is a single result if nothing was deferred after all.
    """
    assert operation.in_parts is not None
    executor = _executor(schema, operation, operation.in_parts, variables, context)
    if isinstance(executor, list):
        return _wrong_variables(executor)
    result: Any = executor.execute_operation()
    return result  # type: ignore[no-any-return]  # graphql-core's own contract


@dataclass(frozen=True, slots=True)
class Event:
    """One answer of a subscription. A client may resume after `event_id`, if the resolver's event has one."""

    result: ExecutionResult
    context: Context
    event_id: str | None = None


async def subscribe(
    schema: GraphQLSchema,
    operation: Operation,
    variables: Mapping[str, Any] | None,
    context: Context,
    new_context: Callable[[], Context],
) -> AsyncGenerator[Event, None] | ExecutionResult:
    """The events of a subscription, each executed in a context of its own, while `context` is for the source. A single
    error result if the subscription cannot begin.

    An error of the source becomes the last event. Closing the iterator closes the source.
    """
    executor = _executor(schema, operation, operation.document, variables, context)
    if isinstance(executor, list):
        return _wrong_variables(executor)
    source: Any = create_source_event_stream(executor)
    if is_awaitable(source):
        source = await source
    return source if isinstance(source, ExecutionResult) else _events(executor, source, new_context)


async def _events(executor: Any, source: Any, new_context: Callable[[], Context]) -> AsyncGenerator[Event, None]:
    async with aclosing(source):
        try:
            async for payload in source:
                each = executor.build_per_event_executor(payload)
                each.context_value = context = new_context()
                result = each.execute_operation(False)
                if is_awaitable(result):
                    result = await result
                yield Event(result, context, getattr(payload, "event_id", None))
                del payload, each, context, result  # thousands wait for their next event with nothing of the last one
        except Exception as error:  # noqa: BLE001 - it is the answer: masked or shown by its kind, and logged
            nodes: Sequence[FieldNode] = [
                node for node in executor.operation.selection_set.selections if isinstance(node, FieldNode)
            ]
            yield Event(ExecutionResult(None, [located_error(error, nodes)]), new_context())


def _wrong_variables(errors: Sequence[GraphQLError]) -> ExecutionResult:
    """The caller's mistakes in variables, the only reason why a valid operation is not executed."""
    for error in errors:
        error.extensions = {**(error.extensions or {}), "code": Code.BAD_USER_INPUT.value}
    return ExecutionResult(None, list(errors))


def _executor(
    schema: GraphQLSchema,
    operation: Operation,
    document: DocumentNode,
    variables: Mapping[str, Any] | None,
    context: Context,
) -> FragmentExecutor | list[GraphQLError]:
    built: Any = FragmentExecutor.build(
        schema,
        document,
        context_value=context,
        raw_variable_values=dict(variables) if variables else None,
        operation_name=operation.name,
        max_coercion_errors=5,
        is_awaitable=is_awaitable,
    )
    return built  # type: ignore[no-any-return]  # one of the two: graphql-core's own contract
