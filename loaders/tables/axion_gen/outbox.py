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
        {"schema": "public", "comment": "Permission tuples written with the rows they follow from, for OpenFGA."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Sequence of the entry: those of one object are delivered by it.")
    object: Mapped[str] = mapped_column(comment="Object of all tuples of the entry, such as `role:100`.")
    deletes: Mapped[Json] = mapped_column(comment="Tuples to delete, before those to write; at most 100 in all.")
    writes: Mapped[Json] = mapped_column(comment="Tuples to write: user, relation, object, perhaps a condition.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the rows changed (UTC).")
    next_attempt_at: Mapped[datetime] = mapped_column(
        server_default=text("now() + '00:00:02'::interval"),
        comment="From when on the worker delivers it (UTC); before, the request that made it does.",
    )
    attempts: Mapped[int] = mapped_column(server_default="0", comment="How often delivery has failed.")
    last_error: Mapped[str | None] = mapped_column(comment="Why it failed last.")
    delivered_at: Mapped[datetime | None] = mapped_column(comment="When OpenFGA took it (UTC); null if it has not.")
