"""A dashboard outlives the dataset it is mainly about, which need not be its owner's to delete."""

from alembic import op

revision = "0020_dashboards_outlive_datasets"
down_revision = "0019_schedule_pauses"

_NAME = "fk_dashboards_dataset_id"


def upgrade() -> None:
    op.drop_constraint(_NAME, "dashboards", schema="public")
    op.create_foreign_key(
        _NAME,
        "dashboards",
        "datasets",
        ["dataset_id"],
        ["id"],
        source_schema="public",
        referent_schema="public",
        ondelete="SET NULL",
    )
