"""What a resolver is given: who asks, the opened stores, the request's ledger and verdicts. Plain data."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from loaders.errors import Code
from loaders.ledger import Ledger
from resolvers.cost import Budget

if TYPE_CHECKING:
    from loaders.failure import Failure
    from loaders.stores import Stores
    from resolvers.capture import Capture
    from resolvers.gen.loaders import GenLoaders
    from resolvers.permissions.recheck import Rechecks
    from resolvers.permissions.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class Subject:
    """The authenticated caller. `id` is the OIDC `sub` (`users.external_auth_id`), in OpenFGA `user:{id}`."""

    id: str
    kind: Literal["user", "anonymous"] = "user"
    user_id: int | None = None
    email: str | None = None
    display_name: str | None = None
    scopes: frozenset[str] | None = None
    """Of an API key: all it may be used for (`resolvers.permissions.scopes`). None for those who signed in."""

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"


ANONYMOUS = Subject(id="", kind="anonymous")


class Denials(Protocol):
    """`subject_id` is empty for nobody signed in; `resource` names the field or object that was denied."""

    def denied(self, subject_id: str, request_id: str, resource: str, code: Code) -> None: ...


@dataclass(slots=True)
class Context:
    """Lives for one operation (for a subscription: for one event)."""

    subject: Subject
    request_id: str
    stores: "Stores"
    verdicts: "Verdicts"
    ledger: Ledger
    max_page: int = 1_000
    last_event_id: str | None = None
    """What an SSE client sent as `Last-Event-ID`: where a subscription is resumed."""
    idempotency_key: str | None = None
    """What the client sent as `Idempotency-Key`: a retried mutation returns its first answer."""
    budget: Budget = field(default_factory=Budget)
    """What the operation's reads may still cost."""
    rechecks: "Rechecks | None" = None
    """Asks again while a subscription is open."""
    capture: "Capture | None" = None
    """Set when the answer is to be an Arrow stream."""
    failures: "list[Failure]" = field(default_factory=list)
    """Crossings into other stores that failed inside compiled answers; the transport reports them among the errors."""
    denials: "Denials | None" = None
    """Who is told of denied operations, for the audit log."""
    gen: "GenLoaders | None" = None
    """What Gen has loaded for this operation; `resolvers.gen.loaders.gen_loaders` makes it."""

    def denied(self, resource: str, code: Code) -> None:
        """Into the audit log."""
        if self.denials is not None:
            self.denials.denied(self.subject.id, self.request_id, resource, code)
