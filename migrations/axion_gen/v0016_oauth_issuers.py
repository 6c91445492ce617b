"""Who answers for an API of others, and where its tokens are revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0016_oauth_issuers"
down_revision = "0015_profile_schedules"

_URL = "{} ~ '^https?://[^/?#@[:space:]]+([/?#][^[:space:]]*)?$'"


def upgrade() -> None:
    for name, comment in (
        ("issuer", "Who its answers must name as `iss` (RFC 9207), to the letter; null when it sends none."),
        ("revocation_url", "OAuth 2 revocation endpoint (RFC 7009), where tokens end; null when it has none."),
    ):
        op.add_column("external_apis", sa.Column(name, sa.Text(), comment=comment), schema="public")
        op.create_check_constraint(f"ck_external_apis_{name}", "external_apis", _URL.format(name), schema="public")
