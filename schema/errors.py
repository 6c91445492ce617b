"""Expected failures of mutations as types of the result unions. All other failures are entries in `errors`
with a code.
"""

from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

import strawberry

from loaders.errors import BadInput, Code, Conflict, Forbidden, NotFound
from schema.mapping.enums import described_enum

T = TypeVar("T")

_MEANING = {
    Code.UNAUTHENTICATED: "A token is missing, has expired or is refused. Sign in again.",
    Code.FORBIDDEN: "You may see the object, but not do this.",
    Code.NOT_FOUND: "The object does not exist, or you may not see it.",
    Code.BAD_USER_INPUT: "A value is not valid; the message says which and why.",
    Code.INVALID_ID: "An id is malformed, or belongs to another type.",
    Code.INVALID_CURSOR: "A cursor is malformed, or belongs to another list or order.",
    Code.PAGE_TOO_LARGE: "More rows were requested than a page can have, or the answer exceeds the byte limit.",
    Code.UNKNOWN_TABLE: "The warehouse has no such table, or no longer has it.",
    Code.UNKNOWN_COLUMN: "The table has no such column.",
    Code.METRIC_FANOUT: "A join would multiply what a metric measures; `extensions.join` names it.",
    Code.SQL_REFUSED: (
        "The SQL is not one SELECT over tables of its dataset, or could not be checked; nothing was sent."
    ),
    Code.FILTER_REQUIRED: "A required filter of the table has no value; nothing was sent.",
    Code.CONFLICT: "The change conflicts with existing data, such as a name that is taken.",
    Code.GRAPHQL_PARSE_FAILED: "The document is not GraphQL.",
    Code.GRAPHQL_VALIDATION_FAILED: "The document is not valid against this schema.",
    Code.REQUEST_INVALID: "The request does not follow GraphQL over HTTP, SSE or WebSocket.",
    Code.REQUEST_TOO_LARGE: "The body exceeds the byte limit of a request.",
    Code.CSRF_REFUSED: "The request could have been forged by a page of another site.",
    Code.DOCUMENT_TOO_COMPLEX: (
        "The document exceeds a limit; `extensions` have the limit, the value found and the maximum."
    ),
    Code.DOCUMENT_NOT_TRUSTED: "Only trusted documents are answered here, and this is not one.",
    Code.PERSISTED_QUERY_NOT_FOUND: "No trusted document has this id. Send the document itself.",
    Code.COST_EXCEEDED: "The read would cost more than is allowed.",
    Code.RATE_LIMITED: "Too many requests from this caller; `extensions.retryAfter` has the seconds to wait.",
    Code.PERMISSIONS_UNAVAILABLE: "Permissions cannot be decided now, so access is denied. Try again.",
    Code.ENCRYPTION_KEY_MISSING: "A stored secret is encrypted with a key version that is not configured.",
    Code.SECRET_UNREADABLE: "A stored secret was altered, or encrypted with another key. Enter it again.",
    Code.STORE_UNAVAILABLE: "A store cannot be reached. Try again.",
    Code.STORE_TIMEOUT: "A store did not answer in time, and the query was cancelled.",
    Code.STORE_BUSY: (
        "Another change holds a needed lock, or there is no room for the query; nothing was changed. Try again."
    ),
    Code.STORE_CREDENTIALS_REJECTED: "A store rejected the gateway's or the data source's credentials.",
    Code.STORE_QUERY_FAILED: "A store refused or aborted the query.",
    Code.ENUM_VALUE_UNKNOWN: "The stored value is not a value of the field's enum, so the field is null.",
    Code.CANCELLED: "The query was cancelled, or the client disconnected.",
    Code.INTERNAL_ERROR: "A defect of the gateway; its log has the cause under `extensions.requestId`.",
}

ErrorCode = described_enum(Code, "ErrorCode", "The closed list of error codes.", _MEANING)


@strawberry.interface(description="Why a mutation changed nothing.")
class Error:
    message: str = strawberry.field(description="The cause and the next step, for people.")
    code: ErrorCode = strawberry.field(description="The cause, for programs.")  # type: ignore[valid-type]


@strawberry.type(description="The input is not valid; nothing was changed.")
class InvalidInput(Error):
    field: str | None = strawberry.field(default=None, description="The input field at fault, if it is a single one.")


@strawberry.type(
    name="Conflict",
    description="The change conflicts with existing data, such as a name that is taken; nothing was changed.",
)
class Conflicting(Error):
    field: str | None = strawberry.field(default=None, description="The input field at fault, if it is a single one.")


@strawberry.type(description="You may not do this; nothing was changed.")
class NotAllowed(Error):
    pass


@strawberry.type(description="The object to change does not exist, or you may not see it; nothing was changed.")
class Absent(Error):
    pass


async def as_data(work: Awaitable[T]) -> T | Error:
    """The result, or an expected failure as its type. Failures that the caller cannot correct (a store is down) stay
    errors.
    """
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
