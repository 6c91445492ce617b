"""Nested list, flat list and point look-up: against PostGraphile 5, and with the guards against without."""

import functools
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from loaders.encode.node_id import encode_node_id
from tests.benchmarks.alternate import Side, alternate
from tests.benchmarks.figure import Figure, Goal
from tests.benchmarks.load import Check, Target, load, post, target
from tests.benchmarks.world import World

CONNECTIONS = 8
PEER = "PostGraphile 5"

NESTED = """{ sense { organizations(first: 20) { nodes { rowId name trackLogs(first: 20) { nodes { rowId createdAt
  frameBatches(first: 5) { nodes { rowId status } } } } } } } }"""
NESTED_PEER = """{ allOrganizations(first: 20) { nodes { rowId name roadDataTrackLogsByOrganizationId(first: 20) {
  nodes { rowId createdAt roadDataFrameBatchesByTrackId(first: 5) { nodes { rowId status } } } } } } }"""
FLAT = "{ sense { trackLogs(first: 10000) { nodes { rowId createdAt s3LogKey } } } }"
FLAT_PEER = "{ allRoadDataTrackLogs(first: 10000) { nodes { rowId createdAt s3LogKey } } }"


def nodes(data: Any, *path: str) -> list[Any]:
    """The `nodes` of the connection at a path."""
    connection = functools.reduce(lambda value, key: value[key], path, data)
    found: list[Any] = connection["nodes"]
    return found


def _is(expected: int, found: int) -> None:
    if found != expected:
        raise AssertionError(f"{found} rows instead of {expected}")


def check_nested(root: tuple[str, ...], logs: str, batches: str) -> Check:
    def check(data: Any) -> None:
        organizations = nodes(data, *root)
        _is(20, len(organizations))
        _is(400, sum(len(nodes(organization, logs)) for organization in organizations))
        below = (log for organization in organizations for log in nodes(organization, logs))
        _is(2_000, sum(len(nodes(log, batches)) for log in below))

    return check


def check_flat(*root: str) -> Check:
    return lambda data: _is(10_000, len(nodes(data, *root)))


def throughput(at: Target, connections: int = CONNECTIONS) -> Side:
    async def side(seconds: float) -> float:
        return (await load(at, connections=connections, seconds=seconds)).per_second

    return side


@dataclass(frozen=True, slots=True)
class _Servers:
    gateway: int
    unguarded: int
    postgraphile: int


async def lists(world: World) -> list[Figure]:
    async with AsyncExitStack() as stack:
        servers = _Servers(
            (await stack.enter_async_context(world.gateway())).port,
            (await stack.enter_async_context(world.unguarded())).port,
            (await stack.enter_async_context(world.postgraphile())).port,
        )
        figures = []
        ours = (post(NESTED, token=world.member),)
        check = check_nested(("sense", "organizations"), "trackLogs", "frameBatches")
        theirs = check_nested(
            ("allOrganizations",), "roadDataTrackLogsByOrganizationId", "roadDataFrameBatchesByTrackId"
        )
        sides = {
            "guarded": throughput(await target(servers.gateway, ours, check)),
            "unguarded": throughput(await target(servers.unguarded, ours, check)),
            "peer": throughput(await target(servers.postgraphile, (post(NESTED_PEER),), theirs)),
        }
        figures += _figures("nested list 20 x 20 x 5", await alternate(sides, world.effort), goal=3.0)

        ours = (post(FLAT, token=world.member),)
        sides = {
            "guarded": throughput(await target(servers.gateway, ours, check_flat("sense", "trackLogs"))),
            "unguarded": throughput(await target(servers.unguarded, ours, check_flat("sense", "trackLogs"))),
            "peer": throughput(
                await target(servers.postgraphile, (post(FLAT_PEER),), check_flat("allRoadDataTrackLogs"))
            ),
        }
        figures += _figures("flat list of 10,000", await alternate(sides, world.effort), goal=3.0)
        return figures + await _point(world, servers)


async def _point(world: World, servers: _Servers) -> list[Figure]:
    """64 organizations in turn. PostGraphile verifies the same token and hands its claims to Postgres; and without."""
    chosen = world.organizations[:64]
    ids = [encode_node_id("SenseOrganization", (str(id_),)) for id_ in chosen]
    ours = [
        post(f'{{ sense {{ organization(id: "{id_}") {{ rowId name code }} }} }}', token=world.member) for id_ in ids
    ]
    plain = [f'{{ organizationByRowId(rowId: "{id_}") {{ rowId name code }} }}' for id_ in chosen]

    def ours_found(data: Any) -> None:
        _is(3, len(data["sense"]["organization"]))

    def theirs_found(data: Any) -> None:
        _is(3, len(data["organizationByRowId"]))

    signed_in = [post(document, token=world.member) for document in plain]
    anonymous = [post(document) for document in plain]
    sides = {
        "guarded": throughput(await target(servers.gateway, ours, ours_found)),
        "unguarded": throughput(await target(servers.unguarded, ours, ours_found)),
        "peer": throughput(await target(servers.postgraphile, signed_in, theirs_found)),
        "anonymous peer": throughput(await target(servers.postgraphile, anonymous, theirs_found)),
    }
    measured = await alternate(sides, world.effort)
    without = Figure.of_pairs(
        "point look-up by id, signed in",
        measured["guarded"],
        measured["anonymous peer"],
        unit="requests/s",
        peer=f"{PEER} without any sign-in",
        goal=None,
    )
    return [*_figures("point look-up by id, signed in", measured, goal=1.5), without]


def _figures(name: str, measured: Mapping[str, tuple[float, ...]], *, goal: float) -> list[Figure]:
    def time(side: str) -> list[float]:
        return [1000 * CONNECTIONS / per_second for per_second in measured[side]]

    return [
        Figure.of_pairs(
            name, measured["guarded"], measured["peer"], unit="requests/s", peer=PEER, goal=Goal("at least", goal)
        ),
        Figure.of_pairs(
            f"{name}, guards off",
            measured["unguarded"],
            measured["peer"],
            unit="requests/s",
            peer=PEER,
            goal=None,
        ),
        Figure.of_pairs(
            f"{name}, guards on",
            time("guarded"),
            time("unguarded"),
            unit="ms",
            peer="guards off",
            goal=Goal("at most", 1.2),
        ),
    ]
