"""The caller's row in the table of users that other rows refer to."""

from loaders.postgres.row_writes import insert_unless_there
from loaders.postgres.stored_table import StoredTable
from loaders.postgres.write import Transaction
from resolvers.subject import Subject


async def register_user(within: Transaction, subject: Subject, users: StoredTable, *, key: str) -> None:
    """Inserts a row into `users` whose column `key` has the subject's `sub`, unless it exists."""
    person = {key: subject.id, "email": subject.email, "display_name": subject.display_name}
    await insert_unless_there(within, users, person)
