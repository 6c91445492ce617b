"""How many bytes the answers of one operation may take, all together: they are in memory until its client has them.

What Postgres answers is JSON already, and counts as it is. What columnar stores answer counts as Arrow until it is
JSON, and then as that. Used in the event loop only, but for `Made`.
"""

from types import TracebackType
from typing import Self

from loaders.errors import PageTooLarge

TREE = 4
"""So many times its text an answer takes that is taken apart for another store's answers to join."""


class Room:
    """`most` bytes; `None` is no bound: of jobs, which hold one answer after the other."""

    __slots__ = ("most", "taken")

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.taken = 0

    def take(self, bytes_: int) -> None:
        """Until the operation ends. `PageTooLarge`, and nothing taken, when there is less room left."""
        taken = self.taken + bytes_
        if self.most is not None and taken > self.most:
            raise too_large(self.most)
        self.taken = taken

    def lent(self) -> "Lent":
        return Lent(self)


class Lent:
    """What is taken within the `with` is given back at its end."""

    __slots__ = ("_room", "_taken")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._room.taken -= self._taken

    def take(self, bytes_: int) -> None:
        self._room.take(bytes_)
        self._taken += bytes_

    def made(self) -> "Made":
        """The room for what is made of the taken bytes and replaces them."""
        most, others = self._room.most, self._room.taken - self._taken
        return Made(most, None if most is None else most - others)


class Made:
    """Counts what is being made, piece by piece: for one thread, which need not be the event loop's."""

    __slots__ = ("_left", "_most")

    def __init__(self, most: int | None, left: int | None) -> None:
        self._most = most
        self._left = left

    def add(self, bytes_: int) -> None:
        """`PageTooLarge` when all of it together is more than there was room for."""
        if self._left is not None and self._most is not None:
            self._left -= bytes_
            if self._left < 0:
                raise too_large(self._most)


def octets(text: str | bytes | None) -> int:
    """The bytes of an answer as it is sent: texts are sent in UTF-8, in which some characters have four."""
    if text is None or isinstance(text, bytes) or text.isascii():
        return len(text or ())
    return len(text.encode())


def too_large(most: int) -> PageTooLarge:
    return PageTooLarge(
        f"The answer of the whole operation is larger than {most} bytes. Ask for fewer rows, leave out columns of long"
        " values, ask in several requests, or read a list as an Arrow stream where its store can."
    )
