"""The caller of a request."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Subject:
    """The authenticated caller. `id` is the OIDC `sub` (`users.external_auth_id`), in OpenFGA `user:{id}`."""

    id: str
    kind: Literal["user", "anonymous"] = "user"
    user_id: int | None = None
    email: str | None = None
    display_name: str | None = None
    scopes: frozenset[str] | None = None
    """The scopes of an API key, which limit its use (`resolvers.permissions.scopes`). None for users who signed in."""

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"


ANONYMOUS = Subject(id="", kind="anonymous")
