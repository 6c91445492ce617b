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
        server_default=text("0"), comment="Organization that the action belongs to; 0 for the platform itself."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the action happened (UTC).")
    actor: Mapped[str] = mapped_column(
        comment="Who acted, as an OpenFGA subject; empty for the worker and for anonymous callers."
    )
    action: Mapped[str] = mapped_column(comment="Name of the action, such as `denied` or `api_key.created`.")
    resource: Mapped[str] = mapped_column(comment="Target of the action: an OpenFGA object, or a field of the API.")
    request_id: Mapped[str] = mapped_column(comment="Id of the request; empty if the worker acted.")
    context: Mapped[Json] = mapped_column(
        server_default=text("'{}'"), comment="Further details of the action, as an object."
    )

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem | dict[str, str], ...]:
        return (
            Index("ix_audit_outbox_created_at", "created_at"),
            {
                "schema": "public",
                "comment": "Outbox of audit entries: written in the transaction that they describe, then "
                "moved to ClickHouse.",
            },
        )
