"""Checks that a column to be hidden exists: hiding a name that no column has would have no effect."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from loaders.errors import BadInput, StoreError, UnknownTable
from loaders.read import Value
from resolvers.context import Context
from resolvers.gen.tables import describe_whole

_log = structlog.get_logger(__name__)


async def check_curation(context: Context, values: Mapping[str, Value]) -> None:
    """Raises `BadInput` for a hidden column that the table does not have, ignoring case.

    If the table cannot be described now, or the caller does not see it, its columns are unknown; the override then
    takes effect once there is a column of that name. Failures of stores are logged.
    """
    column = values.get("column_name")
    if not values.get("is_hidden") or column is None:
        return
    name = str(values["table_name"])
    try:
        table = await describe_whole(context, UUID(str(values["dataset_id"])), name)
    except UnknownTable as error:
        raise BadInput(str(error), field="tableName") from error
    except StoreError as error:
        _log.warning("curation_not_checked", store=error.store, code=error.code.value)
        return
    if table is None or table.has_column(str(column)) or column in table.unread:
        return
    alike = [each.name for each in table.columns if each.name.lower() == str(column).lower()]
    instead = f"Give {alike[0]!r}." if alike else "List its `columns`."
    raise BadInput(
        f"Table {name} has no column {str(column)!r}, so nothing would be hidden. {instead}", field="columnName"
    )
