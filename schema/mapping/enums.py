"""Python enums of the lower layers as GraphQL enums, every value described."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry


def described_enum(enum: type[Enum], name: str, description: str, meanings: Mapping[Any, str]) -> Any:
    """The enum under a GraphQL name. `KeyError` where `meanings` leaves a member out."""
    made: Any = strawberry.enum(enum, name=name, description=description)
    for value in made.__strawberry_definition__.values:
        value.description = meanings[enum[value.name]]
    return made
