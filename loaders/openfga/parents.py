"""The parent tuples whoever creates a data source or a dataset writes with it: `system -> datasource -> dataset`.

Those of tables are written when they are first listed; a question about one may carry its dataset (`Check.parent`).
"""

from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple


def datasource_parent(name: str) -> RelationTuple:
    return RelationTuple(names.SYSTEM, "parent", names.datasource(name))


def dataset_parent(guid: object, *, datasource: str) -> RelationTuple:
    return RelationTuple(names.datasource(datasource), "parent", names.dataset(guid))
