"""Users, roles and the versions of the authorization model."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001_identity"
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
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the user was added (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the user was last changed (UTC).",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("external_auth_id", name="uq_users_external_auth_id"),
        schema="public",
        comment="People who use Gen, one row per OIDC subject.",
    )

    op.create_table(
        "roles",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Key of the role; 1 is Admin, 2 is Analyst.",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the role; unique."),
        sa.Column("description", sa.Text(), comment="What the role is for."),
        sa.Column("parent_role_id", sa.BigInteger(), comment="Role whose permissions this one inherits."),
        sa.Column(
            "is_built_in",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the platform made the role; such a role cannot be removed.",
        ),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the role was made (UTC).",
        ),
        sa.Column(
            "updated_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the role was last changed (UTC).",
        ),
        sa.ForeignKeyConstraint(["parent_role_id"], ["public.roles.id"], name="fk_roles_parent_role_id"),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("name", name="uq_roles_name"),
        schema="public",
        comment="Roles of Gen: the built-in Admin (1) and Analyst (2), and custom ones.",
    )
    op.create_index("ix_roles_parent_role_id", "roles", ["parent_role_id"], schema="public")

    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="Who holds the role."),
        sa.Column("role_id", sa.BigInteger(), nullable=False, comment="The role held."),
        sa.Column(
            "created_at",
            TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When the role was given (UTC).",
        ),
        sa.ForeignKeyConstraint(["role_id"], ["public.roles.id"], name="fk_user_roles_role_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["public.users.id"], name="fk_user_roles_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "role_id", name="pk_user_roles"),
        schema="public",
        comment="Roles a user holds.",
    )
    op.create_index("ix_user_roles_role_id", "user_roles", ["role_id"], schema="public")

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
