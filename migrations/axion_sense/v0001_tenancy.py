"""Users, organizations, roles, memberships and the versions of the authorization model."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0001_tenancy"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Key of the user."),
        sa.Column(
            "external_auth_id",
            sa.Text(),
            nullable=False,
            comment="Subject (`sub`) of the identity provider's tokens; unique.",
        ),
        sa.Column("email", sa.Text(), comment="E-mail address, as the identity provider gave it."),
        sa.Column("display_name", sa.Text(), comment="Name to show to others."),
        sa.Column(
            "is_active", sa.Boolean(), server_default=sa.true(), nullable=False, comment="Whether the user may sign in."
        ),
        sa.Column(
            "profile_data",
            JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Free profile attributes, filterable by path.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("external_auth_id", name="uq_users_external_auth_id"),
        schema="public",
        comment="People who sign in to the platform, one row per OIDC subject.",
    )
    op.create_index(
        "ix_users_profile_data",
        "users",
        ["profile_data"],
        schema="public",
        postgresql_using="gin",
        postgresql_ops={"profile_data": "jsonb_path_ops"},
    )

    op.create_table(
        "organizations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Key of the organization."),
        sa.Column("name", sa.Text(), nullable=False, comment="Full name of the organization."),
        sa.Column("code", sa.Text(), nullable=False, comment="Short code of the organization; unique."),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sa.UniqueConstraint("code", name="uq_organizations_code"),
        schema="public",
        comment="Tenants of the platform: every track, hold and task belongs to one.",
    )

    op.create_table(
        "roles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Key of the role."),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the role; unique."),
        sa.Column("inherits_from_id", sa.BigInteger(), comment="Role whose permissions this one includes."),
        sa.ForeignKeyConstraint(["inherits_from_id"], ["public.roles.id"], name="fk_roles_inherits_from_id"),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("name", name="uq_roles_name"),
        schema="public",
        comment="Roles a member may hold in an organization.",
    )
    op.create_index("ix_roles_inherits_from_id", "roles", ["inherits_from_id"], schema="public")

    op.create_table(
        "user_org",
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="The member."),
        sa.Column(
            "organization_id", sa.BigInteger(), nullable=False, comment="The organization the user is a member of."
        ),
        sa.Column("expires_at", TIMESTAMP(timezone=True), comment="When the membership ends (UTC); null never ends."),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["public.organizations.id"], name="fk_user_org_organization_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["public.users.id"], name="fk_user_org_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "organization_id", name="pk_user_org"),
        schema="public",
        comment="Membership of a user in an organization.",
    )
    op.create_index("ix_user_org_organization_id", "user_org", ["organization_id"], schema="public")

    op.create_table(
        "user_org_role",
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="The member who holds the role."),
        sa.Column("organization_id", sa.BigInteger(), nullable=False, comment="The organization the role is held in."),
        sa.Column("role_id", sa.BigInteger(), nullable=False, comment="The role held."),
        sa.ForeignKeyConstraint(["role_id"], ["public.roles.id"], name="fk_user_org_role_role_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id", "organization_id"],
            ["public.user_org.user_id", "public.user_org.organization_id"],
            name="fk_user_org_role_user_id_organization_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "organization_id", "role_id", name="pk_user_org_role"),
        schema="public",
        comment="Roles a member holds in an organization.",
    )
    op.create_index("ix_user_org_role_role_id", "user_org_role", ["role_id"], schema="public")

    op.create_table(
        "openfga_model_versions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Key of the upload."),
        sa.Column("store_id", sa.Text(), nullable=False, comment="OpenFGA store the model was written to."),
        sa.Column("authorization_model_id", sa.Text(), nullable=False, comment="Id OpenFGA gave the model."),
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="SHA-256 of model.json, 64 hexadecimal digits in lower case."
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the model was uploaded (UTC).",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_openfga_model_versions"),
        schema="public",
        comment="Authorization models uploaded to OpenFGA; the newest row is the active one.",
    )
    op.create_index("ix_openfga_model_versions_created_at", "openfga_model_versions", ["created_at"], schema="public")
