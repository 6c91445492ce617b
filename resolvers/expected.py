"""Optimistic concurrency: a row is changed as the caller has read it, or not at all."""

from datetime import datetime

from loaders.errors import Conflict
from loaders.read import Value


class ChangedSince(Conflict):
    """The row is not as the caller has read it any more."""


def require_unchanged(updated_at: Value, expected: datetime | None) -> None:
    """`ChangedSince` unless the row's `updated_at`, read under its lock, is what the caller has read, if anything.

    It is None for a row that is not there.
    """
    if expected is not None and updated_at != expected:
        message = "The row was changed since you read it. Read it again, and decide anew."
        raise ChangedSince(message, field="expectedUpdatedAt")
