"""Work that holds the event loop for milliseconds, such as compiling a statement, a piece at a time."""

import asyncio


class Turns:
    """The turns of one request. A document may need a hundred new statements; between two of them the loop serves
    others.
    """

    __slots__ = ("_one",)

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def next(self) -> None:
        """Returns when the loop has run all other ready tasks since the last turn."""
        async with self._one:
            await asyncio.sleep(0)
