"""The table `openfga_model_versions`, which every database with OpenFGA's verdicts over its rows has alike."""

from datetime import datetime

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.sql.schema import SchemaItem

from loaders.tables.columns import IdentityKey


class OpenFgaModelVersionTable:
    """A mixin of declarative classes."""

    __tablename__ = "openfga_model_versions"

    id: Mapped[IdentityKey] = mapped_column(comment="Key of the upload.")
    store_id: Mapped[str] = mapped_column(comment="OpenFGA store the model was written to.")
    authorization_model_id: Mapped[str] = mapped_column(comment="Id OpenFGA gave the model.")
    sha256: Mapped[str] = mapped_column(comment="SHA-256 of model.json, 64 hexadecimal digits in lower case.")
    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When the model was uploaded (UTC)."
    )

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem | dict[str, str], ...]:
        return (
            Index("ix_openfga_model_versions_created_at", "created_at"),
            {
                "schema": "public",
                "comment": "Authorization models uploaded to OpenFGA; the newest row is the active one.",
            },
        )
