"""Masks unexpected errors: they are logged with their traceback and raised as `Broken`."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway.http.body import HungUp
from gateway.http.refusal import Refusal

_log = structlog.get_logger(__name__)


class Broken(Exception):
    """The gateway failed before anything was sent, and has logged why."""


@contextmanager
def unbroken(request_id: str) -> Iterator[None]:
    """A context manager that lets through only what the client may be told; other errors are logged and become
    `Broken`.
    """
    try:
        yield
    except (HungUp, Refusal):
        raise
    except Exception as error:
        _log.exception("request_failed", request_id=request_id)
        raise Broken from error
