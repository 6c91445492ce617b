"""A mutation: one `input`, and a union of its payload and the failures that are data."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import strawberry

from loaders.errors import Code
from resolvers.context import Context
from resolvers.permissions.fields import FieldGuard, enforce
from resolvers.permissions.scopes import require_scope_to_write
from schema.errors import Absent, NotAllowed, as_data, result_of

I = TypeVar("I")  # noqa: E741 - the input


def mutation(
    work: Callable[[Context, I], Awaitable[Any]], *, takes: type[I], answers: type, guard: FieldGuard, description: str
) -> Any:
    """The field over `work(context, input)`, which returns an instance of `answers` or raises.

    The guard is asked first; without its consent `work` is not called.
    """

    async def unnamed(context: Context, given: I, _: str) -> Any:
        return await work(context, given)

    return named_mutation(unnamed, takes=takes, answers=answers, guard=guard, description=description)


def named_mutation(
    work: Callable[[Context, I, str], Awaitable[Any]],
    *,
    takes: type[I],
    answers: type,
    guard: FieldGuard,
    description: str,
) -> Any:
    """As `mutation`, over `work(context, input, name or alias in the document)`."""

    async def resolve(info: strawberry.Info[Context, None], input: I) -> Any:
        result = await as_data(_allowed(work, guard, info, input))
        if isinstance(result, (NotAllowed, Absent)):  # what is hidden answers as absent, and may have been tried
            info.context.denied(f"mutation:{info.field_name}", Code(result.code))
        return result

    name = answers.__strawberry_definition__.name  # type: ignore[attr-defined]
    annotations = {
        "info": strawberry.Info,
        "input": Annotated[takes, strawberry.argument(description="What is to be done.")],
    }
    result = result_of(name.removesuffix("Payload") + "Result", answers)
    keyword = inspect.Parameter.KEYWORD_ONLY
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, keyword, annotation=type_) for name, type_ in annotations.items()],
        return_annotation=result,
    )
    resolve.__annotations__ = {**annotations, "return": result}
    return strawberry.mutation(resolver=resolve, description=description, metadata={"guard": guard})


async def _allowed(
    work: Callable[[Context, I, str], Awaitable[Any]],
    guard: FieldGuard,
    info: strawberry.Info[Context, None],
    given: I,
) -> Any:
    require_scope_to_write(info.context.subject, info.field_name)
    await enforce(guard, info.context, given)
    return await work(info.context, given, str(info.path.key))
