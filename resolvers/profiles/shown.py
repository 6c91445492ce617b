"""What profiles still tell of columns: nothing of those that curation hides by now, or whose table it hides, and no
figures of those that the table's schedule excludes by now."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from loaders.jobs.job import JsonObject
from resolvers.context import Context


async def columns_shown(context: Context, dataset_id: UUID, table: str) -> Callable[[str], bool]:
    """Whether a column of that name is told of. One statement for all datasets that are asked for at one moment.

    A profile is of the columns there were: they are left out of what is read, so that they are back once curation
    shows them again.
    """
    place = await asyncio.shield(context.gen.places.load(dataset_id))
    return lambda column: place is not None and place.shows(table, column)


async def figures_told(context: Context, dataset_id: UUID, table: str) -> Callable[[str], bool]:
    """Whether figures and samples of a column are told: it is shown, and the table's schedule does not exclude it.

    So what is excluded by now tells nothing of itself, whenever it was profiled. Two statements for all datasets that
    are asked for at one moment.
    """
    shown, excluded = await asyncio.gather(
        columns_shown(context, dataset_id, table), asyncio.shield(context.gen.excluded.load(dataset_id))
    )
    return lambda column: shown(column) and (table, column) not in excluded


def named(found: Mapping[str, Any], shown: Callable[[str], bool]) -> JsonObject:
    """Of what is kept by the columns' names."""
    return {name: value for name, value in found.items() if shown(name)}


def described(columns: Sequence[JsonObject], shown: Callable[[str], bool]) -> list[JsonObject]:
    """Of the columns as `Profile.columns_json` wrote them."""
    return [column for column in columns if shown(str(column["name"]))]
