"""The names of time zones that a client may give."""

from functools import cache
from zoneinfo import available_timezones

_OF_THE_HOST = frozenset(("localtime", "Factory"))
"""Files beside those of zones: what the machine is set to, and what says that nobody has set it."""


@cache
def time_zones() -> frozenset[str]:
    """The names of the IANA database's time zones."""
    return frozenset(available_timezones()) - _OF_THE_HOST
