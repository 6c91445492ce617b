"""Ports of this machine for servers of the tests' own."""

import socket
from contextlib import ExitStack


def free_ports(count: int) -> tuple[int, ...]:
    """That many different ports: all are held until all are known."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return tuple(listener.getsockname()[1] for listener in listeners)


def free_port() -> int:
    return free_ports(1)[0]
