"""A token that a connection made anew has replaced is kept until the connection ends, and is revoked then."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0021_replaced_tokens"
down_revision = "0020_dashboards_outlive_datasets"

_TABLE = "external_api_revocation_tokens"


def upgrade() -> None:
    op.alter_column(
        _TABLE,
        "id",
        comment="Key of the connection that ended, or of the replacement.",
        existing_comment="Key of the connection that ended.",
        schema="public",
    )
    op.alter_column(
        _TABLE,
        "revocation_id",
        nullable=True,
        comment="Where it is revoked; null while its connection lasts.",
        existing_comment="Where it is revoked.",
        schema="public",
    )
    op.add_column(
        _TABLE,
        sa.Column(
            "account_id", UUID(), comment="The connection it was replaced in, which lasts; null once that ended."
        ),
        schema="public",
    )
    op.create_foreign_key(
        f"fk_{_TABLE}_account_id",
        _TABLE,
        "user_external_api_tokens",
        ["account_id"],
        ["id"],
        source_schema="public",
        referent_schema="public",
        ondelete="CASCADE",
    )
    op.create_check_constraint(
        f"ck_{_TABLE}_one", _TABLE, "num_nonnulls(revocation_id, account_id) = 1", schema="public"
    )
    op.create_index(f"ix_{_TABLE}_account_id", _TABLE, ["account_id"], schema="public")
