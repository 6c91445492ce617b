"""Relationship tuples and questions about them, as values."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from loaders.openfga.api import Json, nonsense
from loaders.openfga.store import text

EXPIRY = "not_expired"

_OBJECT = re.compile(r"[^\s:#]+:[^\s:#]+")
_MAX_OBJECT = 256
"""Characters; of a subject OpenFGA counts bytes."""
MAX_SUBJECT = 512
_MAX_RELATION = 50


@dataclass(frozen=True, slots=True)
class RelationTuple:
    """`user` has `relation` on `object`, until `expires_at` (aware) where the model allows an end."""

    user: str
    relation: str
    object: str
    expires_at: datetime | None = None

    def key(self) -> Json:
        return {"user": self.user, "relation": self.relation, "object": self.object}

    def to_json(self) -> Json:
        if self.expires_at is None:
            return self.key()
        context = {"expires_at": rfc3339(self.expires_at)}
        return {**self.key(), "condition": {"name": EXPIRY, "context": context}}

    @classmethod
    def from_json(cls, key: Json) -> "RelationTuple":
        condition = key.get("condition")
        expires_at = None
        if condition is not None:
            if not isinstance(condition, dict) or condition.get("name") != EXPIRY:
                raise nonsense()
            expires_at = instant(text(condition.get("context") or {}, "expires_at"))
        return cls(text(key, "user"), text(key, "relation"), text(key, "object"), expires_at)


@dataclass(frozen=True, slots=True)
class Check:
    """Asks whether the subject has `relation` on `object`. Names are made by `names`.

    `parent` is a parent object that the caller knows from the object's name (the dataset of `table:{dataset}/{name}`),
    so that an object whose parent tuple is not written yet is still decided by what is above it. It must never come
    from a client.
    """

    relation: str
    object: str
    parent: str | None = None

    @property
    def askable(self) -> bool:
        """Whether OpenFGA would accept the check. One that it does not accept would fail the whole batch."""
        return is_object(self.object) and 0 < len(self.relation) <= _MAX_RELATION

    def to_json(self, subject: str, *, correlation_id: str, context: Json) -> Json:
        item: Json = {
            "tuple_key": {"user": subject, "relation": self.relation, "object": self.object},
            "context": context,
            "correlation_id": correlation_id,
        }
        if self.parent is not None:
            parent = {"user": self.parent, "relation": "parent", "object": self.object}
            item["contextual_tuples"] = {"tuple_keys": [parent]}
        return item


def instant(value: str) -> datetime:
    """Parses an instant as OpenFGA writes it; anything else is an unusable answer."""
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise nonsense() from error


def is_object(name: str) -> bool:
    return len(name) <= _MAX_OBJECT and _OBJECT.fullmatch(name) is not None


def is_subject(name: str) -> bool:
    """Whether tuples can name it as their user. A tuple that OpenFGA never takes holds up all later ones of its object
    (loaders/openfga/outbox.py), those that take permissions back included.
    """
    return len(name.encode()) <= MAX_SUBJECT and _OBJECT.fullmatch(name) is not None


def rfc3339(instant: datetime) -> str:
    """UTC with microseconds. `ValueError` for a naive datetime, which is a caller's mistake."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is not an instant")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
