"""The strawberry classes the mapping makes, as attributes of this module: what `strawberry.lazy` looks names up in."""

import sys
from typing import Annotated, Any

import strawberry


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


def lazy(name: str) -> Any:
    """An annotation for the type of that name, which may be made later."""
    return Annotated[name, strawberry.lazy(__name__)]
