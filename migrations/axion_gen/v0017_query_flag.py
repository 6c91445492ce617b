"""Roles may hold the flag to write SQL of one's own over datasets. Of the built-in ones Admin does."""

import sqlalchemy as sa
from alembic import op

revision = "0017_query_flag"
down_revision = "0016_oauth_issuers"


def upgrade() -> None:
    op.add_column(
        "roles",
        sa.Column(
            "has_query_dataset",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether its holders may write SQL of their own where it is assigned.",
        ),
        schema="public",
    )
    op.execute("UPDATE public.roles SET has_query_dataset = true WHERE id = 1")
