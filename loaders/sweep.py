"""Repeats work for as long as a process runs: what other processes have left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from loaders.errors import AxionError

EVERY_S: Final = 1.0

_log = structlog.get_logger(__name__)


async def sweep(move: Callable[[], Awaitable[bool]], *, name: str, every_s: float = EVERY_S) -> None:
    """Calls `move` every `every_s`, and at once again while it reports that there may be more. Runs until cancelled.

    A store that is down is logged under `name` and tried again, and so is a defect, with its traceback: it must not end
    the worker, which has other work. It runs in the worker itself rather than as a job, so that long jobs do not delay
    it.
    """
    while True:
        try:
            while await move():
                pass
        except AxionError as error:
            _log.warning("sweep_failed", of=name, code=error.code.value)
        except Exception:  # noqa: BLE001 - a defect, logged: the worker's other work goes on
            _log.exception("sweep_failed", of=name)
        await asyncio.sleep(every_s)
