"""Permission tuples on their way to OpenFGA (docs/adr/0006)."""

from datetime import datetime

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.columns import IdentityKey, Json


class OpenFgaOutbox(AxionGen):
    __tablename__ = "openfga_outbox"
    __table_args__ = (
        Index("ix_openfga_outbox_object_undelivered", "object", "id", postgresql_where=text("delivered_at IS NULL")),
        Index("ix_openfga_outbox_delivered_at", "delivered_at", postgresql_where=text("delivered_at IS NOT NULL")),
        {
            "schema": "public",
            "comment": "Outbox of permission tuples: written in the transaction of the rows they follow "
            "from, then sent to OpenFGA.",
        },
    )

    id: Mapped[IdentityKey] = mapped_column(
        comment="Key of the entry. Entries of the same object are delivered in ascending order."
    )
    object: Mapped[str] = mapped_column(comment="OpenFGA object of all tuples of the entry, such as `role:100`.")
    deletes: Mapped[Json] = mapped_column(comment="Tuples to delete; at most 100 together with those to write.")
    writes: Mapped[Json] = mapped_column(comment="Tuples to write: user, relation, object and an optional condition.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the rows changed (UTC).")
    next_attempt_at: Mapped[datetime] = mapped_column(
        server_default=text("now() + '00:00:02'::interval"),
        comment="Earliest time at which the worker tries to deliver the entry (UTC); the request "
        "that wrote it tries at once.",
    )
    attempts: Mapped[int] = mapped_column(server_default="0", comment="Number of failed attempts to deliver the entry.")
    last_error: Mapped[str | None] = mapped_column(comment="Error of the last failed attempt.")
    delivered_at: Mapped[datetime | None] = mapped_column(
        comment="When OpenFGA accepted the entry (UTC); null until then."
    )
