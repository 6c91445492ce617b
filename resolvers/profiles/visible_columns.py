"""What stored profiles may show: nothing of columns that curation hides now, or whose table it hides, and no figures of
columns that the table's schedule excludes now.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from loaders.jobs.job import JsonObject
from resolvers.context import Context


async def columns_shown(context: Context, dataset_id: UUID, table: str) -> Callable[[str], bool]:
    """Whether the column of a name may be shown. One statement for all datasets requested together.

    Profiles are stored with all columns, and hidden ones are left out when they are read, so that they reappear once
    curation shows them again.
    """
    place = await asyncio.shield(context.gen.places.load(dataset_id))
    return lambda column: place is not None and place.shows(table, column)


async def figures_shown(context: Context, dataset_id: UUID, table: str) -> Callable[[str], bool]:
    """Whether figures and samples of a column may be shown: the column is shown, and the table's schedule does not
    exclude it.

    So a column that is excluded now shows nothing, whenever it was profiled. Two statements for all datasets requested
    together.
    """
    shown, excluded = await asyncio.gather(
        columns_shown(context, dataset_id, table), asyncio.shield(context.gen.excluded.load(dataset_id))
    )
    return lambda column: shown(column) and (table, column) not in excluded


def named(found: Mapping[str, Any], shown: Callable[[str], bool]) -> JsonObject:
    """Keeps the shown columns of a mapping by column name."""
    return {name: value for name, value in found.items() if shown(name)}


def described(columns: Sequence[JsonObject], shown: Callable[[str], bool]) -> list[JsonObject]:
    """Keeps the shown columns of a list that `Profile.columns_json` wrote."""
    return [column for column in columns if shown(str(column["name"]))]
