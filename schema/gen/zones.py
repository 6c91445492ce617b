"""Checks the names of time zones in arguments."""

from loaders.errors import BadInput
from resolvers.gen.shapes import time_zone


def checked_zone(name: str) -> str:
    """`BadInput` for a zone that IANA does not know."""
    try:
        return time_zone(name)
    except ValueError as error:
        raise BadInput(f"`timeZone` {error}.") from None
