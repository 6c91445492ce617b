"""Where a role's flags hold (reference/axion-gen-data-model.txt, "Authorization tuples"; docs/adr/0006)."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.columns import Uuid7Key

NAMES_ITS_RESOURCE = """CASE resource_type
    WHEN 'system' THEN num_nonnulls(data_source_id, dataset_id, table_name) = 0
    WHEN 'datasource' THEN data_source_id IS NOT NULL AND num_nonnulls(dataset_id, table_name) = 0
    WHEN 'dataset' THEN dataset_id IS NOT NULL AND num_nonnulls(data_source_id, table_name) = 0
    WHEN 'table' THEN num_nonnulls(dataset_id, table_name) = 2 AND data_source_id IS NULL
    ELSE false END"""


class RoleAssignment(AxionGen):
    __tablename__ = "role_assignments"
    __table_args__ = (
        UniqueConstraint(
            "role_id",
            "resource_type",
            "data_source_id",
            "dataset_id",
            "table_name",
            name="uq_role_assignments_resource",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(NAMES_ITS_RESOURCE, name="resource"),
        Index("ix_role_assignments_data_source_id", "data_source_id"),
        Index("ix_role_assignments_dataset_id", "dataset_id"),
        {
            "schema": "public",
            "comment": "Resources that roles are assigned to. A role's flags apply to the resource and "
            "to everything below it.",
        },
    )

    id: Mapped[Uuid7Key] = mapped_column(comment="Key of the assignment (UUIDv7).")
    role_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.roles.id", ondelete="CASCADE"), comment="The role that is assigned."
    )
    resource_type: Mapped[str] = mapped_column(
        comment="Type of the resource: `system`, `datasource`, `dataset` or `table`."
    )
    data_source_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.data_sources.id"), comment="The data source, if the resource is one; null otherwise."
    )
    dataset_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("public.datasets.id"),
        comment="The dataset, if the resource is one or a table of it; null otherwise.",
    )
    table_name: Mapped[str | None] = mapped_column(
        comment="Name of the table within the dataset, if the resource is one; null otherwise."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was assigned (UTC).")
