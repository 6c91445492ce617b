"""Statements and OpenFGA calls of one document while its rows grow a hundredfold, from the request's own ledger."""

from typing import Any

import orjson

from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.load import ask, post
from tests.benchmarks.world import World

_LEVELS = 3


def _document(first: int) -> str:
    return f"""{{ sense {{ organizations(first: {first}) {{ nodes {{ rowId trackLogs(first: {first}) {{ nodes {{ rowId
      frameBatches(first: {first}) {{ nodes {{ rowId }} }} }} }} }} }} }} }}"""


async def constant(world: World) -> list[Figure]:
    """2 x 2 x 2 rows against 10 x 10 x 10: 14 and 1,110 rows."""
    async with world.gateway() as gateway:
        await _calls(gateway.port, world.admin, 2)  # the process finds OpenFGA's store and model once
        cold, few, many = [await _calls(gateway.port, world.member, first) for first in (10, 2, 10)]
    statements = [sum(n for store, n in calls.items() if store != "openfga") for calls in (many, few)]
    asked = cold["openfga"]  # no verdict was kept yet
    return [
        Figure(
            "statements of a document, 1,110 rows",
            statements[0],
            "statements",
            theirs=statements[1],
            peer="14 rows",
            ratio=statements[0] / statements[1],
            goal=Goal("at most", 1.0),
        ),
        Figure(
            "OpenFGA calls of a document, 1,110 rows, no verdict kept",
            asked,
            "calls",
            theirs=_LEVELS,
            peer="its levels",
            ratio=asked / _LEVELS,
            goal=Goal("at most", 1.0),
        ),
    ]


async def _calls(port: int, token: str, first: int) -> dict[str, int]:
    request = post(_document(first), token=token).replace(b"\r\n\r\n", b"\r\nx-axion-stores: 1\r\n\r\n", 1)
    answer: dict[str, Any] = orjson.loads(await ask(port, request))
    return {store: usage["statements"] for store, usage in answer["extensions"]["stores"].items()}
