"""What nobody foresaw: logged with its traceback, and masked."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway.http.body import HungUp
from gateway.http.refusal import Refusal

_log = structlog.get_logger(__name__)


class Broken(Exception):
    """The gateway itself failed before anything was sent, and has logged why."""


@contextmanager
def unbroken(request_id: str) -> Iterator[None]:
    """Nothing but what the client shall be told leaves this: the rest is logged, and masked as `Broken`."""
    try:
        yield
    except (HungUp, Refusal):
        raise
    except Exception as error:
        _log.exception("request_failed", request_id=request_id)
        raise Broken from error
