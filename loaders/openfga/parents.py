"""The parent tuples written by whoever creates a data source or a dataset: `system -> datasource -> dataset`.

Those of tables are written when a table is first listed; a check of one may carry its dataset (`Check.parent`).
"""

from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple


def datasource_parent(name: str) -> RelationTuple:
    return RelationTuple(names.SYSTEM, "parent", names.datasource(name))


def dataset_parent(guid: object, *, datasource: str) -> RelationTuple:
    return RelationTuple(names.datasource(datasource), "parent", names.dataset(guid))
