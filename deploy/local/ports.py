"""Chooses the ports of a stack: the same ones every time, unless another program uses them.

The blocks are below Linux's ephemeral range (32768 and up), where any outgoing connection may use a port.
"""

import json
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self

from deploy.local.errors import StackError
from deploy.local.paths import StatePaths

_BLOCK = 10
_BLOCKS = 40
_FIRST = {"demo": 15400, "test": 15500}
_OTHERS = 15600
DEMO_GATEWAY = 8000


@dataclass(frozen=True, slots=True)
class Ports:
    gateway: int
    postgres: int
    clickhouse: int
    openfga: int
    openfga_grpc: int
    objects: int
    flight_sql: int
    bigquery: int
    bigquery_grpc: int
    impala: int

    @classmethod
    def block(cls, first: int, *, gateway: int | None = None) -> Self:
        return cls(gateway or first, *range(first + 1, first + _BLOCK))


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose_ports(paths: StatePaths, *, ours: Callable[[str], bool], gateway: int | None = None) -> Ports:
    """The ports kept from the last run as long as they are free or held by our own running part; else a free block.

    `ours(part)` says whether that part of this stack runs. The demo's gateway stays on 8000 (or `gateway`), free or
    not: its address is in the documentation and in tokens, so a conflict is reported when the gateway is started. Nor
    does a taken gateway's port move stores that run: it is most likely `axion serve` over them.
    """
    kept = read_ports(paths)
    fixed = gateway or (kept.gateway if kept else None) or (DEMO_GATEWAY if paths.name == "demo" else None)
    if kept is not None and _usable(kept, ours, skip_gateway=paths.name == "demo" or _stores_run(ours)):
        chosen = Ports(**{**asdict(kept), "gateway": fixed or kept.gateway})
    else:
        chosen = _free_block(
            _FIRST.get(paths.name, _OTHERS), gateway=fixed if paths.name == "demo" or gateway else None
        )
    paths.ports.write_text(json.dumps(asdict(chosen), indent=1))
    return chosen


def read_ports(paths: StatePaths) -> Ports | None:
    """The ports of the last run; None before the first. Ports that a newer version added are taken from the
    same block.
    """
    try:
        kept = json.loads(paths.ports.read_text())
    except FileNotFoundError:
        return None
    return Ports(**{**asdict(Ports.block(kept["postgres"] - 1)), **kept})


def _usable(ports: Ports, ours: Callable[[str], bool], *, skip_gateway: bool) -> bool:
    by_part = asdict(ports)
    return all(
        is_free(port) or ours(part.removesuffix("_grpc"))
        for part, port in by_part.items()
        if not (skip_gateway and part == "gateway")
    )


def _stores_run(ours: Callable[[str], bool]) -> bool:
    return any(ours(part) for part in ("postgres", "clickhouse", "openfga", "objects"))


def _free_block(first: int, *, gateway: int | None) -> Ports:
    for start in range(first, first + _BLOCK * _BLOCKS, _BLOCK):
        if all(is_free(port) for port in range(start, start + _BLOCK)):
            return Ports.block(start, gateway=gateway)
    raise StackError(f"no free block of {_BLOCK} ports from {first} on: stop what listens there (`ss -ltnp`)")
