"""The table `audit_outbox`, which every database whose changes are audited has alike."""

from datetime import datetime

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.sql.schema import SchemaItem

from loaders.tables.columns import BigInt, Json, Uuid7Key


class AuditOutboxTable:
    """A mixin of declarative classes."""

    __tablename__ = "audit_outbox"

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the entry (UUIDv7), the same in ClickHouse.")
    organization_id: Mapped[BigInt] = mapped_column(
        server_default=text("0"), comment="Organization it happened in; 0 for the platform itself."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it happened (UTC).")
    actor: Mapped[str] = mapped_column(comment="Who did it, as OpenFGA names subjects; empty for nobody signed in.")
    action: Mapped[str] = mapped_column(comment="What was done.")
    resource: Mapped[str] = mapped_column(comment="To what: an object of OpenFGA, or a field of the API.")
    request_id: Mapped[str] = mapped_column(comment="Request that did it.")
    context: Mapped[Json] = mapped_column(server_default=text("'{}'"), comment="Further facts of the action.")

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem | dict[str, str], ...]:
        return (
            Index("ix_audit_outbox_created_at", "created_at"),
            {
                "schema": "public",
                "comment": "Audit entries on their way to ClickHouse, written in the transaction they tell of.",
            },
        )
