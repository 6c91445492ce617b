"""Makes the context of one operation: its caller, the opened stores, and a ledger and verdicts of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.settings import Limits
from loaders.ledger import Ledger
from loaders.room import Room
from loaders.stores import Stores
from resolvers.context import Context, Denials
from resolvers.cost import Budget
from resolvers.permissions.recheck import Rechecks
from resolvers.permissions.verdicts import Authority, Memory, Verdicts
from resolvers.subject import Subject


@dataclass(frozen=True, slots=True)
class Contexts:
    """A context does not outlive its operation; each event of a subscription has its own."""

    stores: Stores
    authority: Authority
    limits: Limits
    memory: Memory | None = None
    denials: Denials | None = None
    rechecks: Rechecks | None = None

    def __call__(self, subject: Subject, request_id: str, last_event_id: str | None = None) -> Context:
        ledger = Ledger(room=Room(self.limits.max_answer_bytes))
        return Context(
            subject=subject,
            request_id=request_id,
            stores=self.stores,
            verdicts=Verdicts(subject, self.authority, ledger, memory=self.memory),
            ledger=ledger,
            max_page=self.limits.max_page,
            budget=Budget(self.limits.max_rows, scanned_bytes=self.limits.max_scanned_bytes),
            last_event_id=last_event_id,
            denials=self.denials,
            rechecks=self.rechecks,
        )


NewContext = Callable[[Subject, str, str | None], Context]
