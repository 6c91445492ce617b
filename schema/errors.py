"""Failures of mutations as data: the types of the result unions. All others are entries in `errors` with a code."""

from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

import strawberry

from loaders.errors import AxionError, BadInput, Code, Conflict, Forbidden, NotFound

T = TypeVar("T")

ErrorCode = strawberry.enum(Code, name="ErrorCode", description="The closed list of what may go wrong.")


@strawberry.interface(description="Why a mutation did nothing.")
class Error:
    message: str = strawberry.field(description="The cause and the next step, for people.")
    code: ErrorCode = strawberry.field(description="The cause, for programs.")  # type: ignore[valid-type]


@strawberry.type(description="The input cannot be used as it is; nothing was changed.")
class InvalidInput(Error):
    pass


@strawberry.type(
    name="Conflict", description="It conflicts with what is there, such as a name that is taken; nothing was changed."
)
class Conflicting(Error):
    pass


@strawberry.type(description="You may not do this; nothing was changed.")
class NotAllowed(Error):
    pass


@strawberry.type(description="What is to be changed does not exist, or you may not see it; nothing was changed.")
class Absent(Error):
    pass


_AS_DATA: tuple[tuple[type[AxionError], type[Error]], ...] = (
    (Conflict, Conflicting),
    (BadInput, InvalidInput),
    (Forbidden, NotAllowed),
    (NotFound, Absent),
)


async def as_data(work: Awaitable[T]) -> T | Error:
    """The result, or the failure as its type. What is not the caller's to mend (a store down) stays an error."""
    try:
        return await work
    except AxionError as error:
        for raised, type_ in _AS_DATA:
            if isinstance(error, raised):
                return type_(message=str(error), code=error.code)
        raise


def result_of(name: str, payload: type) -> Any:
    """The union a mutation returns: its payload or a failure."""
    members = payload | InvalidInput | Conflicting | NotAllowed | Absent
    return Annotated[members, strawberry.union(name, description="What was done, or why nothing was.")]
