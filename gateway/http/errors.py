"""Errors as clients see them: in the shape of GraphQL, with a code of the closed list, and without internals."""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError

from loaders.errors import AxionError, Code

_log = structlog.get_logger(__name__)

_MAX_MESSAGE = 1_000
_CODES = frozenset(code.value for code in Code)


def shape(error: GraphQLError, code: Code) -> dict[str, Any]:
    """An error whose message may be shown."""
    shaped: dict[str, Any] = {"message": _cut(error.message)}
    if error.locations:
        shaped["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        shaped["path"] = error.path
    shaped["extensions"] = {**(error.extensions or {}), "code": code.value}
    return shaped


def shape_executed(error: GraphQLError, *, request_id: str) -> dict[str, Any]:
    """An error of an executed operation. An unexpected one is logged with its traceback, and masked."""
    cause = _cause(error)
    if isinstance(cause, AxionError):
        return _axion(error, cause)
    declared = (error.extensions or {}).get("code")
    if declared in _CODES:
        return shape(error, Code(declared))
    if isinstance(cause, GraphQLError) and cause.nodes:  # graphql-core points at a value of the request that is wrong
        return shape(error, Code.BAD_USER_INPUT)
    _log.error("resolver_failed", request_id=request_id, path=error.path, exc_info=cause)
    return shape(error, Code.INTERNAL_ERROR) | masked(request_id)


def masked(request_id: str) -> dict[str, Any]:
    """An unexpected error, whose traceback is in the log under the request id."""
    message = f"Something went wrong in the gateway. Report the request id {request_id}."
    return {"message": message, "extensions": {"code": Code.INTERNAL_ERROR.value, "requestId": request_id}}


def shape_failure(error: AxionError, path: Sequence[str | int], nulls: int) -> dict[str, Any]:
    """A failed read from another store inside a compiled answer: `path` is the first of the `nulls` places that are
    null.
    """
    extensions: dict[str, Any] = dict(error.extensions)
    if nulls > 1:
        extensions["nulls"] = nulls
    return {"message": str(error), "path": list(path), "extensions": extensions}


def _cut(message: str) -> str:
    """Truncates a message: graphql-core's repeat the caller's input, however long."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def _axion(error: GraphQLError, cause: AxionError) -> dict[str, Any]:
    shaped = shape(error, cause.code)
    shaped["message"] = str(cause)
    shaped["extensions"] = dict(cause.extensions)
    return shaped


def _cause(error: GraphQLError) -> Exception:
    """The exception that was raised first, below graphql-core's wrappers."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause
