"""Mutations: one `input`, and a union of the payload and the failures that are part of the answer."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from loaders.errors import BadInput, Code, InvalidId
from resolvers.context import Context
from resolvers.idempotency import MutationRequest
from resolvers.permissions.fields import FieldGuard, enforce
from resolvers.permissions.scopes import require_scope_to_write
from resolvers.written import check_text
from schema.errors import Absent, NotAllowed, as_data, result_of

I = TypeVar("I")  # noqa: E741 - the input
V = TypeVar("V")


def mutation(
    work: Callable[[Context, I], Awaitable[Any]],
    *,
    takes: type[I],
    answers: type,
    guard: FieldGuard,
    each_time: str,
    description: str,
) -> Any:
    """The field that runs `work(context, input)`, which returns an instance of `answers` or raises.

    `work` is not called unless the guard agrees. The mutation ignores `Idempotency-Key` and is done each time;
    `each_time` is the reason. All other mutations are an `idempotent_mutation`.
    """

    async def done(context: Context, given: I, _: MutationRequest) -> Any:
        return await work(context, given)

    return _field(done, takes, answers, guard, description, each_time=each_time)


def idempotent_mutation(
    work: Callable[[Context, I, MutationRequest], Awaitable[Any]],
    *,
    takes: type[I],
    answers: type,
    guard: FieldGuard,
    description: str,
) -> Any:
    """As `mutation`, but runs `work(context, input, asked)` once for each `Idempotency-Key`; `asked` is what identifies
    the request.
    """
    return _field(work, takes, answers, guard, description, each_time=None)


def _field(
    work: Callable[[Context, I, MutationRequest], Awaitable[Any]],
    takes: type[I],
    answers: type,
    guard: FieldGuard,
    description: str,
    *,
    each_time: str | None,
) -> Any:
    async def resolve(info: strawberry.Info[Context, None], input: I) -> Any:
        result = await as_data(_allowed(work, guard, info, input))
        if isinstance(result, (NotAllowed, Absent)):  # what is hidden answers as absent, and may have been tried
            info.context.denied(f"mutation:{info.field_name}", Code(result.code))
        return result

    name = answers.__strawberry_definition__.name  # type: ignore[attr-defined]
    annotations = {
        "info": strawberry.Info,
        "input": Annotated[takes, strawberry.argument(description="The input of the mutation.")],
    }
    result = result_of(name.removesuffix("Payload") + "Result", answers)
    keyword = inspect.Parameter.KEYWORD_ONLY
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, keyword, annotation=type_) for name, type_ in annotations.items()],
        return_annotation=result,
    )
    resolve.__annotations__ = {**annotations, "return": result}
    metadata = {"guard": guard, **({} if each_time is None else {"each_time": each_time})}
    return strawberry.mutation(resolver=resolve, description=description, metadata=metadata)


async def _allowed(
    work: Callable[[Context, I, MutationRequest], Awaitable[Any]],
    guard: FieldGuard,
    info: strawberry.Info[Context, None],
    given: I,
) -> Any:
    require_scope_to_write(info.context.subject, info.field_name)
    _require_text(given)
    try:
        await enforce(guard, info.context, given)
        done = await work(info.context, given, MutationRequest(info.field_name, str(info.path.key), _sent(given)))
    except InvalidId as error:
        raise _of_field(error, given) from error
    info.context.forget_loaded()  # as the payload is read next, and perhaps another mutation is done
    return done


def _of_field(error: InvalidId, given: Any) -> InvalidId:
    """The error with the name of the only input field whose id it can be about."""
    holding = [name for name, value in _sent_by_name(given) if error.given is not None and value == error.given]
    if error.field is not None or len(holding) != 1:
        return error
    return InvalidId(f"`{holding[0]}`: {error}", field=holding[0])


def _require_text(given: Any) -> None:
    """Raises `BadInput` with the field whose text no store would accept, before any store is asked."""
    for name, value in _sent_by_name(given):
        if name == "patch":
            _require_text(value)
            continue
        try:
            check_text(_sent(value))
        except ValueError as error:
            raise BadInput(f"`{name}` {error}.", field=name) from None


def _sent_by_name(given: Any) -> list[tuple[str, Any]]:
    """The fields of the input by their GraphQL names."""
    fields_ = given.__strawberry_definition__.fields
    return [
        (each.graphql_name or to_camel_case(each.python_name), getattr(given, each.python_name)) for each in fields_
    ]


def as_json(given: Any) -> Any:
    """An input as the client has sent it: nested objects by GraphQL names, without what was left out."""
    if hasattr(given, "__strawberry_definition__"):
        return {name: as_json(value) for name, value in _sent_by_name(given) if value is not strawberry.UNSET}
    return [as_json(each) for each in given] if isinstance(given, list) else given


def sent(value: V | None) -> V | None:
    """The value of an input field for which null and left out mean the same."""
    return None if value is strawberry.UNSET else value


def _sent(given: Any) -> Any:
    """What the client has given, inputs as dictionaries. Null is kept apart from left out."""
    if is_dataclass(given):
        values = {field.name: getattr(given, field.name) for field in fields(given)}
        return {name: _sent(value) for name, value in values.items() if value is not strawberry.UNSET}
    return [_sent(each) for each in given] if isinstance(given, list) else given
