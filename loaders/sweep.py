"""What is repeated for as long as a process runs: moving on what others have left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from loaders.errors import AxionError

EVERY_S: Final = 1.0

_log = structlog.get_logger(__name__)


async def sweep(move: Callable[[], Awaitable[bool]], *, name: str, every_s: float = EVERY_S) -> None:
    """Until cancelled: `move` every `every_s`, and at once again while it says there may be more.

    A store that is down is logged under `name` and tried again. In the worker itself and not as a job of its queue, so
    that long jobs keep nothing waiting.
    """
    while True:
        try:
            while await move():
                pass
        except AxionError as error:
            _log.warning("sweep_failed", of=name, code=error.code.value)
        await asyncio.sleep(every_s)
