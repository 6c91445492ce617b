"""What impyla does on its own, such as on garbage collection, and how much of an answer it is given."""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from thrift.transport.TTransport import TBufferedTransport

from loaders.errors import StoreQueryFailed
from loaders.warehouses.impala_errors import store_error
from loaders.warehouses.impala_session import _Cursor
from loaders.warehouses.impala_socket import AnswerTooLarge, MeasuredSocket


class Recorded:
    """A session as its cursor sees it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.asked.append(name)


def test_a_collected_cursor_asks_nobody() -> None:
    """A silent server would hold up whichever thread collects it, the event loop's among them, for a minute."""
    session = Recorded()
    cursor = _Cursor(session)
    del cursor
    gc.collect()
    assert session.asked == []


def test_a_closed_cursor_ends_its_session() -> None:
    session = Recorded()
    _Cursor(session).close()
    assert session.asked == ["close"]


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that answers what it is sent a thousand times over."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(ConnectionError):
                while asked := connection.recv(64):
                    connection.sendall(asked * 1_000)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
    thread.join(10)


def test_each_answer_may_be_as_long_as_the_limit(echo: int) -> None:
    measured = MeasuredSocket("127.0.0.1", echo, limit=10_000)
    transport = TBufferedTransport(measured)
    transport.open()
    for _ in range(3):
        transport.write(b"x" * 10)
        transport.flush()
        assert transport.readAll(10_000) == b"x" * 10_000
    transport.close()


def test_a_longer_one_is_not_read_to_its_end(echo: int) -> None:
    """Nor is anything after it: what is left of it would be taken for the next answer."""
    measured = MeasuredSocket("127.0.0.1", echo, limit=10_000)
    transport = TBufferedTransport(measured)
    transport.open()
    transport.write(b"x" * 11)
    transport.flush()
    with pytest.raises(AnswerTooLarge) as caught:
        transport.readAll(11_000)
    assert not measured.isOpen()
    with pytest.raises(AnswerTooLarge):
        transport.open()
    told = store_error("s", caught.value)
    assert type(told) is StoreQueryFailed
    assert "more than 128 MiB" in str(told)
