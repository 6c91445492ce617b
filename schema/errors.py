"""Failures of mutations as data: the types of the result unions. All others are entries in `errors` with a code."""

from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

import strawberry

from loaders.errors import BadInput, Code, Conflict, Forbidden, NotFound
from schema.mapping.enums import described_enum

T = TypeVar("T")

_MEANING = {
    Code.UNAUTHENTICATED: "A token is missing, has expired or is refused. Sign in again.",
    Code.FORBIDDEN: "You may see it, but not do this.",
    Code.NOT_FOUND: "It does not exist, or you may not see it.",
    Code.BAD_USER_INPUT: "A value cannot be used as it is; the message says which and why.",
    Code.INVALID_ID: "An id is malformed, or belongs to another type.",
    Code.INVALID_CURSOR: "A cursor is malformed, or belongs to another list or order.",
    Code.PAGE_TOO_LARGE: "More rows are asked for than a page may have, or the answer has more bytes than may be held.",
    Code.UNKNOWN_TABLE: "The warehouse has no such table (any more).",
    Code.UNKNOWN_COLUMN: "The table has no such column.",
    Code.METRIC_FANOUT: "A join would multiply what a metric measures; `extensions.join` names it.",
    Code.SQL_REFUSED: "The SQL is not one SELECT over tables of its dataset, or cannot be judged; nothing was sent.",
    Code.FILTER_REQUIRED: "The table is only read narrowed by a filter that has no value; nothing was asked.",
    Code.CONFLICT: "It conflicts with what is there, such as a name that is taken.",
    Code.GRAPHQL_PARSE_FAILED: "The document is not GraphQL.",
    Code.GRAPHQL_VALIDATION_FAILED: "The document does not fit this schema.",
    Code.REQUEST_INVALID: "The request is not one of GraphQL over HTTP, SSE or WebSocket.",
    Code.REQUEST_TOO_LARGE: "The body has more bytes than a request may have.",
    Code.CSRF_REFUSED: "A page of another site could have sent the request unasked.",
    Code.DOCUMENT_TOO_COMPLEX: "The document is over a limit; `extensions` name it, what was found and the maximum.",
    Code.DOCUMENT_NOT_TRUSTED: "Only documents that were written down before are answered here, and this is none.",
    Code.PERSISTED_QUERY_NOT_FOUND: "No trusted document has this id. Send the document itself.",
    Code.COST_EXCEEDED: "What is read would cost more than is allowed.",
    Code.RATE_LIMITED: "Too many requests of this caller; `extensions.retryAfter` has the seconds to wait.",
    Code.PERMISSIONS_UNAVAILABLE: "Permissions cannot be decided now, so access is denied. Try again.",
    Code.ENCRYPTION_KEY_MISSING: "A stored secret is sealed with a key the gateway was not given.",
    Code.SECRET_UNREADABLE: "A stored secret was altered, or its key is another one. Enter it again.",
    Code.STORE_UNAVAILABLE: "A store cannot be reached. Try again.",
    Code.STORE_TIMEOUT: "A store did not answer in time, and the query was cancelled.",
    Code.STORE_BUSY: "Another change held what this one needed; nothing was changed. Try again.",
    Code.STORE_CREDENTIALS_REJECTED: "A store refuses the gateway's or the data source's credentials.",
    Code.STORE_QUERY_FAILED: "A store refused or aborted the query.",
    Code.CANCELLED: "The query was ended from outside, or the client went away.",
    Code.INTERNAL_ERROR: "A defect of the gateway, in its log under `extensions.requestId`.",
}

ErrorCode = described_enum(Code, "ErrorCode", "The closed list of what may go wrong.", _MEANING)


@strawberry.interface(description="Why a mutation did nothing.")
class Error:
    message: str = strawberry.field(description="The cause and the next step, for people.")
    code: ErrorCode = strawberry.field(description="The cause, for programs.")  # type: ignore[valid-type]


@strawberry.type(description="The input cannot be used as it is; nothing was changed.")
class InvalidInput(Error):
    field: str | None = strawberry.field(default=None, description="The field of the input it is about, if one.")


@strawberry.type(
    name="Conflict", description="It conflicts with what is there, such as a name that is taken; nothing was changed."
)
class Conflicting(Error):
    field: str | None = strawberry.field(default=None, description="The field of the input it is about, if one.")


@strawberry.type(description="You may not do this; nothing was changed.")
class NotAllowed(Error):
    pass


@strawberry.type(description="What is to be changed does not exist, or you may not see it; nothing was changed.")
class Absent(Error):
    pass


async def as_data(work: Awaitable[T]) -> T | Error:
    """The result, or the failure as its type. What is not the caller's to mend (a store down) stays an error."""
    try:
        return await work
    except Conflict as error:
        return Conflicting(message=str(error), code=error.code, field=error.field)
    except BadInput as error:
        return InvalidInput(message=str(error), code=error.code, field=error.field)
    except Forbidden as error:
        return NotAllowed(message=str(error), code=error.code)
    except NotFound as error:
        return Absent(message=str(error), code=error.code)


def result_of(name: str, payload: type) -> Any:
    """The union a mutation returns: its payload or a failure."""
    members = payload | InvalidInput | Conflicting | NotAllowed | Absent
    return Annotated[
        members, strawberry.union(name, description="The payload, or the error for which nothing was changed.")
    ]
