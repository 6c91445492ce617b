"""What impyla does on its own, such as on garbage collection."""

import gc
from typing import Any

from loaders.warehouses.impala_session import _Cursor


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
