"""The arguments of every connection, as a resolver signature from which strawberry generates the SDL.

The functions are never called: `schema/mapping/install.py` replaces them by compiled resolvers, which read the
arguments as graphql-core has coerced them.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Optional

import strawberry

from schema.mapping import types
from schema.mapping.object import OBJECTS

_PAGE = {
    "first": "Maximum number of rows from the start: 50 if neither `first` nor `last` is given, 1,000 at most.",
    "after": "Only rows after this cursor.",
    "last": "Maximum number of rows from the end.",
    "before": "Only rows before this cursor.",
}


def argument(annotation: Any, description: str) -> Any:
    """The annotation of an argument with its description."""
    return Annotated[annotation, strawberry.argument(description=description)]


def optional(annotation: Any, description: str) -> Any:
    return argument(Optional[annotation], description)


def connection_arguments(target: str, extra: dict[str, tuple[Any, str]] | None = None) -> Callable[..., Any]:
    """The signature of a connection of `target`: `where`, `orderBy`, the page arguments, and `nearest` if the target
    has a column of vectors.

    The target must have been declared before.
    """
    nearest = {}
    if target in OBJECTS and OBJECTS[target].searchable:
        nearest["nearest"] = optional(
            types.lazy(f"{target}Nearest"),
            "Only rows with this vector, the most similar first; `orderBy` breaks ties. `score` tells how similar.",
        )
    annotations = nearest | {
        "where": optional(types.lazy(f"{target}Filter"), "Only rows that satisfy this filter."),
        "order_by": optional(
            types.list_of(types.lazy(f"{target}OrderBy")),
            "Sort terms, the most significant first. Ties are broken by the primary key.",
        ),
        "first": optional(int, _PAGE["first"]),
        "after": optional(str, _PAGE["after"]),
        "last": optional(int, _PAGE["last"]),
        "before": optional(str, _PAGE["before"]),
    }
    required = {name: argument(type_, text) for name, (type_, text) in (extra or {}).items()}
    return signature(required, annotations, Optional[types.lazy(f"{target}Connection")])


def signature(required: dict[str, Any], optional: dict[str, Any], returns: Any) -> Callable[..., Any]:
    def declared(**_: Any) -> Any:
        raise AssertionError("replaced by schema/mapping/install.py")

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword, annotation=type_) for name, type_ in required.items()]
    parameters += [
        inspect.Parameter(name, keyword, annotation=type_, default=strawberry.UNSET) for name, type_ in optional.items()
    ]
    declared.__signature__ = inspect.Signature(parameters, return_annotation=returns)  # type: ignore[attr-defined]
    declared.__annotations__ = {**required, **optional, "return": returns}
    declared.__module__ = types.__name__
    return declared
