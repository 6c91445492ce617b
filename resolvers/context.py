"""What resolvers are given: the caller, the opened stores, the request's ledger and verdicts. Plain data."""

from dataclasses import dataclass, field
from typing import Protocol

from loaders.errors import Code
from loaders.failure import Failure
from loaders.ledger import Ledger
from loaders.stores import Stores
from resolvers.capture import Capture
from resolvers.cost import Budget
from resolvers.gen.loaders import GenLoaders
from resolvers.permissions.recheck import Rechecks
from resolvers.permissions.verdicts import Verdicts
from resolvers.subject import Subject


class Denials(Protocol):
    """`subject_id` is empty for anonymous callers; `resource` names the field or object that was denied."""

    def denied(self, subject_id: str, request_id: str, resource: str, code: Code) -> None: ...


@dataclass(slots=True)
class Context:
    """Lives for one operation, or for one event of a subscription."""

    subject: Subject
    request_id: str
    stores: Stores
    verdicts: Verdicts
    ledger: Ledger
    max_page: int = 1_000
    last_event_id: str | None = None
    """What an SSE client sent as `Last-Event-ID`: where a subscription is resumed."""
    idempotency_key: str | None = None
    """What the client sent as `Idempotency-Key`: a retried mutation returns its first answer."""
    budget: Budget = field(default_factory=Budget)
    """What the operation's reads may still cost."""
    rechecks: Rechecks | None = None
    """Asks again while a subscription is open."""
    capture: Capture | None = None
    """Set when the answer is to be an Arrow stream."""
    failures: list[Failure] = field(default_factory=list)
    """Crossings into other stores that failed inside compiled answers; the transport reports them among the errors."""
    denials: Denials | None = None
    """Who is told of denied operations, for the audit log."""
    _gen: GenLoaders | None = field(default=None, init=False)

    @property
    def gen(self) -> GenLoaders:
        """What Gen has loaded for this operation. Must be asked for inside the running loop."""
        if self._gen is None:
            self._gen = GenLoaders.of(self.stores, self.ledger)
        return self._gen

    def forget_loaded(self) -> None:
        """To be called after a write, so that what it may have changed is loaded again."""
        self._gen = None

    def denied(self, resource: str, code: Code) -> None:
        """Reports a denial to the audit log."""
        if self.denials is not None:
            self.denials.denied(self.subject.id, self.request_id, resource, code)
