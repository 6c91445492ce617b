"""The strawberry classes that the mapping generates, as attributes of this module, where `strawberry.lazy` looks names
up.
"""

import sys
from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any, Optional

import strawberry
from strawberry.annotation import StrawberryAnnotation


def register(name: str, cls: type) -> type:
    """Makes `cls` known as `name`. Raises if the name is taken, which is a mistake in the declarations."""
    module = sys.modules[__name__]
    if hasattr(module, name):
        raise ValueError(f"two GraphQL types are named {name}")
    setattr(module, name, cls)
    return cls


def list_of(annotation: Any) -> Any:
    """`list[...]` of a type that is known only at run time."""
    return list[annotation]


@cache
def lazy(name: str) -> Any:
    """An annotation for the type of that name, which may be generated later."""
    return Annotated[name, strawberry.lazy(__name__)]


def make_input(
    name: str,
    fields: Mapping[str, tuple[Any, str]],
    description: str,
    *,
    one_of: bool = False,
    required: Collection[str] = (),
) -> type:
    """Registers a strawberry input from an annotation and a description for each GraphQL name. Fields are optional
    unless `required`.

    The attributes of a value are named `attribute(GraphQL name)` and are `strawberry.UNSET` where they are not given.
    """
    members: dict[str, tuple[Any, Any]] = {}
    for field, (annotation, text) in fields.items():
        if field in required:
            members[field] = annotation, strawberry.field(name=field, description=text)
        else:
            default = strawberry.field(name=field, description=text, default=strawberry.UNSET)
            members[field] = Optional[annotation], default
    cls = _class(name, members)
    return register(name, strawberry.input(cls, name=name, description=description, one_of=one_of))


def make_type(name: str, fields: Mapping[str, Any], description: str) -> type:
    """Registers a strawberry type whose rows are answered by a `Read`, from an annotation and a description for each
    GraphQL name, or a strawberry field whose resolver declares its type.
    """
    members: dict[str, tuple[Any, Any]] = {}
    for field, given in fields.items():
        if isinstance(given, tuple):
            annotation, text = given
            members[field] = (
                annotation,
                strawberry.field(name=field, description=text, metadata={"mapping": "connection"}),
            )
        else:
            members[field] = None, given
    return register(name, strawberry.type(_class(name, members), name=name, description=description))


def attribute(field: str) -> str:
    """A Python attribute name for a GraphQL field, which is never one of Python's keywords."""
    return f"f_{field}"


@cache
def annotated(annotation: Any) -> StrawberryAnnotation:
    """The annotation as strawberry stores it. Fields of the same type share one, so that it is evaluated once."""
    return StrawberryAnnotation(annotation, namespace=vars(sys.modules[__name__]))


def _class(name: str, members: Mapping[str, tuple[Any, Any]]) -> type:
    annotations = {attribute(field): annotated(type_) for field, (type_, _) in members.items() if type_ is not None}
    values = {attribute(field): value for field, (_, value) in members.items()}
    return type(name, (), {"__module__": __name__, "__annotations__": annotations, **values})
