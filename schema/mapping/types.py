"""The strawberry classes the mapping makes, as attributes of this module: what `strawberry.lazy` looks names up in."""

import sys
from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any, Optional

import strawberry
from strawberry.annotation import StrawberryAnnotation


def register(name: str, cls: type) -> type:
    """Makes `cls` known as `name`; a name taken twice is a mistake in the declarations."""
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
    """An annotation for the type of that name, which may be made later."""
    return Annotated[name, strawberry.lazy(__name__)]


def make_input(
    name: str,
    fields: Mapping[str, tuple[Any, str]],
    description: str,
    *,
    one_of: bool = False,
    required: Collection[str] = (),
) -> type:
    """Registers a strawberry input: an annotation and a description by GraphQL name, optional but for the `required`.

    A value's attributes are `attribute(GraphQL name)`, `strawberry.UNSET` where it is not given.
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
    """Registers a strawberry type whose rows a `Read` answers: an annotation and a description by GraphQL name.

    In place of the two, a strawberry field whose resolver declares what it returns.
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
    """An attribute's name that is no word of Python's, whatever the GraphQL field is called."""
    return f"f_{field}"


@cache
def annotated(annotation: Any) -> StrawberryAnnotation:
    """The annotation as strawberry keeps it, one for all fields that are of this type: each is evaluated once."""
    return StrawberryAnnotation(annotation, namespace=vars(sys.modules[__name__]))


def _class(name: str, members: Mapping[str, tuple[Any, Any]]) -> type:
    annotations = {attribute(field): annotated(type_) for field, (type_, _) in members.items() if type_ is not None}
    values = {attribute(field): value for field, (_, value) in members.items()}
    return type(name, (), {"__module__": __name__, "__annotations__": annotations, **values})
