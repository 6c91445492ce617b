"""Answers operations that have a plan: their reads run concurrently, and no executor walks over the answers."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType, located_error

from gateway.http.documents import Operation
from loaders.failure import Failure
from loaders.read import Value
from resolvers.context import Context
from resolvers.planned import PlannedRead
from schema.mapping.compose import Place
from schema.mapping.plans import Plan, Plans


class Planned:
    """Plans and runs operations of one schema; lives as long as the process."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._plans = Plans(schema)

    def run(
        self, operation: Operation, variables: Mapping[str, Any] | None, context: Context
    ) -> Awaitable[ExecutionResult] | None:
        """The result in the shape of the executor's; `None` if the executor has to answer. That answers anonymous
        callers, too: it refuses each of their reads before anything is built.
        """
        if operation.kind is not OperationType.QUERY or context.capture is not None or context.subject.is_anonymous:
            return None
        coerced = self._plans.coerced(operation, operation.document, operation.node, variables or {})
        if coerced is None:
            return None
        found = self._plans.find(operation, operation.document, operation.node, coerced, context.max_page)
        return None if found is None else _result(*found, context)


async def _result(plan: Plan, values: Sequence[Value], context: Context) -> ExecutionResult:
    if len(plan.reads) == 1:
        answers = [await _answer(plan.reads[0], plan.places[0], values, context)]
    else:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_answer(read, place, values, context))
                for read, place in zip(plan.reads, plan.places, strict=True)
            ]
        answers = [task.result() for task in tasks]
    texts: list[str | None] = []
    errors: list[GraphQLError] = []
    for place, answer in zip(plan.places, answers, strict=True):
        if isinstance(answer, GraphQLError):
            errors.append(answer)
            texts.append(None)
            continue
        text, failures = answer
        texts.append(text)
        context.failures += [replace(failure, path=place.path + failure.path) for failure in failures]
    data: Any = orjson.Fragment(plan.text(texts))
    return ExecutionResult(data, errors or None)


async def _answer(
    read: PlannedRead, place: Place, values: Sequence[Value], context: Context
) -> tuple[str | None, list[Failure]] | GraphQLError:
    try:
        return await read.answer(values, context)
    except Exception as error:  # noqa: BLE001 - as in the executor, it is an error of its field and of no other
        return located_error(error, list(place.nodes), list(place.path))
