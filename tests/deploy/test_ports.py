"""Ports stay the same as long as they can."""

import socket
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from deploy.local.paths import StatePaths
from deploy.local.ports import DEMO_GATEWAY, Ports, choose_ports, is_free, read_ports


def _nothing_runs(_part: str) -> bool:
    return False


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        yield server


def test_chosen_ports_are_free_distinct_and_kept(paths: StatePaths) -> None:
    ports = choose_ports(paths, ours=_nothing_runs)

    assert all(is_free(port) for port in asdict(ports).values())
    assert len(set(asdict(ports).values())) == 10
    assert max(asdict(ports).values()) < 32768  # below the ephemeral range
    assert read_ports(paths) == ports
    assert choose_ports(paths, ours=_nothing_runs) == ports


def test_a_taken_port_moves_the_whole_block(paths: StatePaths, listener: socket.socket) -> None:
    ports = choose_ports(paths, ours=_nothing_runs)
    listener.bind(("127.0.0.1", ports.openfga_grpc))
    listener.listen()

    moved = choose_ports(paths, ours=_nothing_runs)
    assert not set(asdict(moved).values()) & set(asdict(ports).values())


def test_a_port_held_by_our_own_part_stays(paths: StatePaths, listener: socket.socket) -> None:
    ports = choose_ports(paths, ours=_nothing_runs)
    listener.bind(("127.0.0.1", ports.openfga_grpc))
    listener.listen()

    assert choose_ports(paths, ours=lambda part: part == "openfga") == ports


def test_a_gateway_served_over_running_stores_moves_none(paths: StatePaths, listener: socket.socket) -> None:
    ports = choose_ports(paths, ours=_nothing_runs)
    listener.bind(("127.0.0.1", ports.gateway))
    listener.listen()

    assert choose_ports(paths, ours=lambda part: part == "postgres") == ports
    assert choose_ports(paths, ours=_nothing_runs) != ports


def test_the_demo_is_where_the_documentation_says(paths: StatePaths) -> None:
    demo = StatePaths("demo", paths.root)
    assert choose_ports(demo, ours=_nothing_runs).gateway == DEMO_GATEWAY
    assert choose_ports(demo, ours=_nothing_runs, gateway=8001).gateway == 8001
    assert choose_ports(demo, ours=_nothing_runs).gateway == 8001


def test_a_block_has_no_port_twice() -> None:
    assert sorted(asdict(Ports.block(100)).values()) == list(range(100, 110))
