"""Gen's users: created before they own anything, changed, activated and deactivated by system administrators."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loaders.errors import BadInput, Conflict
from loaders.gen.roles import LockedUser, held, is_held, lock_held
from loaders.gen.stored import USERS
from loaders.openfga import names
from loaders.openfga.roles import assignee
from loaders.openfga.tuples import MAX_SUBJECT, is_subject
from loaders.postgres import row_writes
from loaders.postgres.stored_table import Key
from loaders.postgres.write import Transaction, transaction
from loaders.tables.axion_gen.identity import ADMIN_ROLE_ID
from resolvers.context import Context
from resolvers.expected import require_unchanged
from resolvers.gen.granting import Granting, granting
from resolvers.gen.role_assignments import locked_user
from resolvers.gen.roles import locked_role
from resolvers.gen.store import STORE
from resolvers.idempotency import MutationRequest, once
from resolvers.names import checked_name

_MAX_SUBJECT = 255
"""OpenID Connect Core, section 2: a `sub` has at most 255 ASCII characters."""


@dataclass(frozen=True, slots=True)
class UserCreate:
    subject: str
    email: str | None = None
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class UserUpdate:
    """`patch` has the columns to change among `email`, `display_name` and `is_active`; None means null.

    `expected_updated_at` is the value that the caller has read.
    """

    id: int
    patch: Mapping[str, Any]
    expected_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """The user, and the objects in OpenFGA whose permissions changed."""

    id: int
    objects: tuple[str, ...]


async def create_user(context: Context, asked: MutationRequest, input_: UserCreate) -> int:
    """Creates an active user without roles, to whom roles can be assigned. `Conflict` when there is one already."""
    await context.verdicts.require_admin()
    values = {
        "external_auth_id": _subject(input_.subject),
        **_texts({"email": input_.email, "display_name": input_.display_name}),
    }
    async with transaction(context.stores.postgres[STORE], context.ledger) as within:

        async def work() -> Key:
            try:
                return await row_writes.insert(within, USERS, values)
            except Conflict as error:
                message = "There is a user with this `externalAuthId` already. Choose that one from `gen { users }`."
                raise Conflict(message, field="externalAuthId") from error

        (user_id,) = await once(context, within, asked, about=USERS.table, work=work)
    assert isinstance(user_id, int)
    return user_id


async def update_user(context: Context, asked: MutationRequest, input_: UserUpdate) -> Changed:
    """A user who is not active keeps the roles, without their permissions. `NotFound`; `Conflict` for the last active
    user with the role Admin, and when the user was changed since it was read.
    """
    await context.verdicts.require_admin()
    if not input_.patch:
        raise BadInput("Nothing is to be changed. Give at least one field.")
    patch = {**input_.patch, **_texts(input_.patch)}
    async with granting(context) as change:

        async def work() -> Key:
            user, roles = await _locked(change.within, input_)
            require_unchanged(user.updated_at, input_.expected_updated_at)
            key = await row_writes.update(change.within, USERS, (input_.id,), patch)
            if patch.get("is_active", user.is_active) != user.is_active:
                await _grant(change, user.subject, roles, is_active=not user.is_active)
            return key

        (user_id,) = await once(context, change.within, asked, about=USERS.table, work=work)
        assert isinstance(user_id, int)
        if "is_active" in patch:  # also for a repeated mutation, so a retry delivers
            change.objects.update(map(names.role, await held(change.within, user_id)))
    return Changed(user_id, tuple(change.objects))


async def _locked(within: Transaction, input_: UserUpdate) -> tuple[LockedUser, frozenset[int]]:
    """The user, and the roles that stay held until the transaction ends. Roles are locked first, as by assignments; the
    lock of the role Admin serializes those who leave it.
    """
    if "is_active" in input_.patch:
        await locked_role(within, ADMIN_ROLE_ID)
    roles = await lock_held(within, input_.id)
    user = await locked_user(within, input_.id, for_update=True)
    if await held(within, input_.id) != roles:
        raise Conflict("The user's roles are being changed right now. Try again.")
    return user, roles


async def _grant(change: Granting, subject: str, roles: Collection[int], *, is_active: bool) -> None:
    """Grants the roles' permissions to a user who became active, or takes them back."""
    if ADMIN_ROLE_ID in roles and not await is_held(change.within, ADMIN_ROLE_ID):
        raise Conflict("This is the last active user with the role Admin. Give it to another one first.")
    tuples = [assignee(role, subject) for role in sorted(roles)]
    await change.note(writes=tuples if is_active else (), deletes=() if is_active else tuples)


def _texts(values: Mapping[str, Any]) -> dict[str, str | None]:
    """The texts among the values, checked."""
    fields = {"email": "email", "display_name": "displayName"}
    return {
        column: None if values[column] is None else checked_name(values[column], field=field)
        for column, field in fields.items()
        if column in values
    }


def _subject(text: str) -> str:
    """As it is, since tokens must have the very same. `BadInput`."""
    if not text or text != text.strip() or not text.isprintable() or len(text) > _MAX_SUBJECT:
        raise BadInput(
            f"`externalAuthId` must be printable text of 1 to {_MAX_SUBJECT} characters without space at its ends.",
            field="externalAuthId",
        )
    if not is_subject(names.user(text)):
        raise BadInput(
            f"`externalAuthId` is longer than the {MAX_SUBJECT} bytes that OpenFGA takes: `%`, `:`, `#`, `*` and "
            "space are three there.",
            field="externalAuthId",
        )
    return text
