"""GraphQL enums: Python enums of the lower layers, and the words of columns, every value described."""

import re
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, cast

import strawberry

from loaders.description import Enumeration
from schema.mapping import types

_ENUMS: dict[str, Any] = {}
"""Those that columns may be of, by their GraphQL names."""


def described_enum(enum: type[Enum], name: str, description: str, meanings: Mapping[Any, str]) -> Any:
    """The enum under a GraphQL name. `KeyError` where `meanings` leaves a member out."""
    made: Any = strawberry.enum(enum, name=name, description=description)
    for value in made.__strawberry_definition__.values:
        value.description = meanings[enum[value.name]]
    _ENUMS[name] = made
    return made


def enum_of_words(words: Collection[str], name: str, description: str, meanings: Mapping[str, str]) -> Any:
    """An enum of the words that a column may hold: `notIn` is `NOT_IN`. `ValueError` unless each has a meaning."""
    if set(words) != meanings.keys():
        raise ValueError(f"{name} is of {', '.join(sorted(words))}, and has meanings of {', '.join(sorted(meanings))}")
    members = cast(type[Enum], Enum(name, {value_name(word): word for word in words}, module=types.__name__))
    return types.register(name, described_enum(members, name, description, {members(w): meanings[w] for w in words}))


def value_name(word: str) -> str:
    return re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", word).upper()


def enumeration(enum: Any) -> Enumeration:
    """What a column of this enum holds, and the names its words are shown by."""
    definition = enum.__strawberry_definition__
    return Enumeration(definition.name, tuple((str(value.value), value.name) for value in definition.values))


def enum_of(enumerated: Enumeration) -> Any:
    return _ENUMS[enumerated.name]


def stored(value: Any) -> Any:
    """The word of a member, as the column holds it. Any other value is its own."""
    return value.value if isinstance(value, Enum) else value
