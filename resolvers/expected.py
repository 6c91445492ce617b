"""Optimistic concurrency: a row is changed only if it is still as the caller has read it."""

from datetime import datetime

from loaders.errors import Conflict
from loaders.read import Value


class ChangedSince(Conflict):
    """The row was changed since the caller read it."""


def require_unchanged(updated_at: Value, expected: datetime | None) -> None:
    """Raises `ChangedSince` unless the row's `updated_at`, read under its lock, is the one that the caller expects, if
    any. It is None for a row that does not exist.
    """
    if expected is not None and updated_at != expected:
        message = "The row was changed since you read it. Read it again, and decide anew."
        raise ChangedSince(message, field="expectedUpdatedAt")
