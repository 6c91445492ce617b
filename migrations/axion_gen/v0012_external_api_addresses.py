"""Addresses of external APIs hold no user name and no password."""

from alembic import op

revision = "0012_external_api_addresses"
down_revision = "0011_external_apis"


def upgrade() -> None:
    for column in ("base_url", "authorization_url", "token_url"):
        name = f"ck_external_apis_{column}"
        op.drop_constraint(name, "external_apis", schema="public")
        address = f"{column} ~ '^https?://[^/?#@[:space:]]+([/?#][^[:space:]]*)?$'"
        op.create_check_constraint(name, "external_apis", address, schema="public")
