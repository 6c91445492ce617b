"""An executed operation as the bytes of a GraphQL response."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from graphql import ExecutionResult

from gateway.http.coordinates import Coordinates
from gateway.http.errors import shape, shape_executed, shape_failure
from gateway.http.refusal import Refusal
from loaders.errors import DENIALS, Code
from resolvers.context import Context

OK = "OK"


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` is what is logged and counted: `OK`, or the code of the first error. `has_data`: execution was reached."""

    body: dict[str, Any]
    code: str
    has_data: bool

    def encode(self) -> bytes:
        """Answers may hold fragments: JSON that a store has made already."""
        return orjson.dumps(self.body)


def executed(result: ExecutionResult, context: Context, coordinates: Coordinates, *, with_stores: bool) -> Answer:
    """Errors raised by resolvers, then the crossings that failed inside compiled answers."""
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
    """`extensions` of who asked for the operation's statements."""
    return {"stores": {name: asdict(usage) for name, usage in context.ledger.stores.items()}}


def note_denials(errors: Sequence[dict[str, Any]], context: Context, coordinates: Coordinates) -> None:
    """Errors by which a field was denied are noted as denials of the request."""
    for error in errors:
        code = Code(error["extensions"]["code"])
        if code in DENIALS:
            context.denied(f"field:{coordinates.of(error.get('path') or ())}", code)


def refused(refusal: Refusal) -> Answer:
    errors = [shape(error, code) for error, code in refusal.errors]
    return Answer({"errors": errors}, code_of(errors), has_data=False)


def failed(request_id: str) -> Answer:
    """The gateway itself broke; the traceback is in the log under the request id."""
    message = f"Something went wrong in the gateway. Report the request id {request_id}."
    extensions = {"code": Code.INTERNAL_ERROR.value, "requestId": request_id}
    return Answer({"errors": [{"message": message, "extensions": extensions}]}, Code.INTERNAL_ERROR.value, False)


def _before_execution(result: ExecutionResult) -> bool:
    """Without data: a null that went up to the root has a path; wrong variables have none and execution never began."""
    return all(error.path is None for error in result.errors or ())


def code_of(errors: Sequence[dict[str, Any]]) -> str:
    """`OK`, or the code of the first error."""
    return str(errors[0]["extensions"]["code"]) if errors else OK
