"""The caller as a row of the users that other rows refer to."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase

from loaders.postgres.write import Transaction
from resolvers.subject import Subject


async def register_user(
    within: Transaction, subject: Subject, users: type[DeclarativeBase] | sa.Table, *, key: str
) -> None:
    """A row of `users` whose column `key` holds the subject's `sub`, where there is none yet."""
    person = {key: subject.id, "email": subject.email, "display_name": subject.display_name}
    await within.rows(insert(users).values(person).on_conflict_do_nothing())
