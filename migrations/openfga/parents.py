"""Which parent tuples the catalog calls for: `system -> datasource -> dataset` (reference/axion-gen-data-model.txt).

Those of tables are not among them: a question about a table carries its dataset (`loaders.openfga.parents`).
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.parents import dataset_parent, datasource_parent
from loaders.openfga.tuples import RelationTuple
from loaders.tables.axion_gen.catalog import Dataset, DataSource


async def parent_tuples(connection: AsyncConnection) -> list[RelationTuple]:
    """One per data source and dataset; memory is theirs, not that of their tables."""
    sources = await connection.execute(select(DataSource.name).order_by(DataSource.name))
    datasets = await connection.execute(
        select(Dataset.id, DataSource.name)
        .join(DataSource, Dataset.data_source_id == DataSource.id)
        .order_by(Dataset.id)
    )
    return [
        *(datasource_parent(name) for (name,) in sources),
        *(dataset_parent(guid, datasource=name) for guid, name in datasets),
    ]


async def stored(fga: OpenFga, parents: set[str], ledger: Ledger) -> set[RelationTuple]:
    """What is below these parents already; one question per parent, paged."""
    return {
        tuple_
        for parent in sorted(parents)
        async for tuple_ in fga.read(object_=_below(parent), relation="parent", user=parent, ledger=ledger)
    }


def _below(parent: str) -> str:
    """The type of the children, as OpenFGA's Read wants it: `type:`."""
    return "datasource:" if parent == names.SYSTEM else "dataset:"
