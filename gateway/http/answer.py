"""Turns the result of an operation into the bytes of a GraphQL response."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from graphql import ExecutionResult

from gateway.http.coordinates import Coordinates
from gateway.http.errors import masked, shape, shape_executed, shape_failure
from gateway.http.refusal import Refusal
from loaders.errors import DENIALS, Code
from resolvers.context import Context

OK = "OK"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response body. `code` is what is logged and counted: `OK`, or the code of the first error. `has_data` is false
    if the operation was refused before its execution began.
    """

    body: dict[str, Any]
    code: str
    has_data: bool

    def encode(self) -> bytes:
        """JSON. Parts of the body may be fragments: JSON that a store has built."""
        return orjson.dumps(self.body)


def executed(result: ExecutionResult, context: Context, coordinates: Coordinates, *, with_stores: bool) -> Answer:
    """The response to an executed operation. After the errors raised by resolvers come the failures of reads from other
    stores inside compiled answers.
    """
    body: dict[str, Any] = {}
    errors = []
    for error in result.errors or ():
        errors.append(shape_executed(error, request_id=context.request_id))
    for failure in context.failures:
        errors.append(shape_failure(failure.error, failure.path, failure.nulls))
    if errors:
        body["errors"] = errors
        note_denials(errors, context, coordinates)
    if result.data is not None or not _before_execution(result):
        body["data"] = result.data
    if with_stores:
        body["extensions"] = ledger(context)
    return Answer(body, code_of(errors), "data" in body)


def ledger(context: Context) -> dict[str, Any]:
    """The `extensions` with the statements, rows, bytes and milliseconds of each store, for callers who asked for
    them.
    """
    return {"stores": {name: asdict(usage) for name, usage in context.ledger.stores.items()}}


def note_denials(errors: Sequence[dict[str, Any]], context: Context, coordinates: Coordinates) -> None:
    """Reports the errors that denied a field to the audit log."""
    for error in errors:
        code = Code(error["extensions"]["code"])
        if code in DENIALS:
            context.denied(f"field:{coordinates.of(error.get('path') or ())}", code)


def refused(refusal: Refusal) -> Answer:
    errors = [shape(error, code) for error, code in refusal.errors]
    return Answer({"errors": errors}, code_of(errors), has_data=False)


def failed(request_id: str) -> Answer:
    """The answer to an unexpected error."""
    return Answer({"errors": [masked(request_id)]}, Code.INTERNAL_ERROR.value, has_data=False)


def _before_execution(result: ExecutionResult) -> bool:
    """Whether a result without data comes from wrong variables, whose errors have no path, and not from a null that
    propagated to the root.
    """
    return all(error.path is None for error in result.errors or ())


def code_of(errors: Sequence[dict[str, Any]]) -> str:
    """`OK`, or the code of the first error."""
    return str(errors[0]["extensions"]["code"]) if errors else OK
