"""Gen's users, whom rows of other tables refer to by their `sub`."""

from typing import Final

from loaders.postgres.stored_table import StoredTable
from loaders.tables.axion_gen.identity import User
from loaders.tables.describe import describe

USERS: Final = StoredTable.of(describe(User, "axion_gen"))
