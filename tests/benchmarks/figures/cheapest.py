"""`{ __typename }` from the gateway against strawberry's own ASGI app, one process on one core each."""

from typing import Any

from tests.benchmarks.alternate import alternate
from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.figures.lists import throughput
from tests.benchmarks.load import post, target
from tests.benchmarks.world import World


async def cheapest(world: World) -> list[Figure]:
    request = (post("{ __typename }"),)

    def check(data: Any) -> None:
        if data != {"__typename": "Query"}:
            raise AssertionError(data)

    async with world.gateway() as gateway, world.strawberry() as strawberry:
        sides = {
            "ours": throughput(await target(gateway.port, request, check)),
            "theirs": throughput(await target(strawberry.port, request, check)),
        }
        measured = await alternate(sides, world.effort)
    return [
        Figure.of_pairs(
            "the cheapest document, anonymous",
            measured["ours"],
            measured["theirs"],
            unit="requests/s",
            peer="strawberry's ASGI app, its caches on",
            goal=Goal("at least", 2.0),
        )
    ]
