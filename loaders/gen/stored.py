"""Gen's tables whose rows are written one by one (`loaders/postgres/row_writes.py`)."""

from typing import Final

from loaders.postgres.stored_table import StoredTable
from loaders.tables.axion_gen.base import AxionGen
from loaders.tables.axion_gen.catalog import Dataset, DataSource
from loaders.tables.axion_gen.dashboards import Dashboard
from loaders.tables.axion_gen.identity import Role, User, UserRole
from loaders.tables.axion_gen.profile_schedules import TableProfileSchedule
from loaders.tables.describe import describe


def _stored(model: type[AxionGen]) -> StoredTable:
    return StoredTable.of(describe(model, "axion_gen"))


USERS: Final = _stored(User)
"""Rows of other tables refer to them by `external_auth_id`, their `sub`."""

ROLES: Final = _stored(Role)
USER_ROLES: Final = _stored(UserRole)
DATA_SOURCES: Final = _stored(DataSource)
DATASETS: Final = _stored(Dataset)
DASHBOARDS: Final = _stored(Dashboard)
SCHEDULES: Final = _stored(TableProfileSchedule)
