"""The table `idempotency_keys`, which every database whose rows the API writes has alike."""

from datetime import datetime

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.sql.schema import SchemaItem

from loaders.tables.columns import Json


class IdempotencyKeyTable:
    """A mixin of declarative classes."""

    __tablename__ = "idempotency_keys"

    subject: Mapped[str] = mapped_column(primary_key=True, comment="Subject (`sub`) of the caller.")
    key: Mapped[str] = mapped_column(primary_key=True, comment="What the caller sent as `Idempotency-Key`.")
    mutation: Mapped[str] = mapped_column(primary_key=True, comment="Name of the mutation, such as `senseHoldCreate`.")
    response_key: Mapped[str] = mapped_column(
        primary_key=True, comment="Alias or name of the mutation in its document, which can contain it several times."
    )
    input_sha256: Mapped[str] = mapped_column(comment="SHA-256 of the input, 64 hexadecimal digits in lower case.")
    row_key: Mapped[Json] = mapped_column(
        server_default=text("'[]'"),
        comment="Primary key of the row that the mutation was about, one text per column; empty if none.",
    )
    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When the mutation was done (UTC); a day later the row is removed."
    )

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem | dict[str, str], ...]:
        return (
            Index("ix_idempotency_keys_created_at", "created_at"),
            {
                "schema": "public",
                "comment": "Mutations sent with an `Idempotency-Key`, recorded in the transaction of their change.",
            },
        )
