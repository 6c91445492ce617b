"""The built-in roles Admin (1) and Analyst (2); custom roles are numbered from 100."""

import sqlalchemy as sa
from alembic import op

revision = "0003_built_in_roles"
down_revision = "0002_catalog"


def upgrade() -> None:
    roles = sa.table(
        "roles",
        sa.column("id", sa.BigInteger()),
        sa.column("name", sa.Text()),
        sa.column("description", sa.Text()),
        sa.column("is_built_in", sa.Boolean()),
        schema="public",
    )
    op.bulk_insert(
        roles,
        [
            {"id": 1, "name": "Admin", "description": "Manages data sources, datasets and roles.", "is_built_in": True},
            {"id": 2, "name": "Analyst", "description": "Reads the datasets it is given.", "is_built_in": True},
        ],
    )
    op.execute("ALTER TABLE public.roles ALTER COLUMN id RESTART WITH 100")
