"""Everything that Gen stores can be reached: each type has a list, and each foreign key an edge."""

from collections.abc import Iterator

import pytest

from loaders.tables.databases import model_of
from resolvers.permissions.guards import Own
from schema.build import build, graphql_schema
from schema.mapping.object import OBJECTS, ColumnField, EdgeField, ObjectMapping

build()
GEN = {name: mapping for name, mapping in OBJECTS.items() if name.startswith("Gen")}
BY_TABLE = {mapping.table.name: name for name, mapping in GEN.items()}


def _references() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The foreign keys to rows that are types. Of what only its owner sees, the owner is the caller."""
    for name, mapping in GEN.items():
        for key in model_of(mapping.table).foreign_key_constraints:
            local = tuple(column.name for column in key.columns)
            owned = isinstance(mapping.guard, Own) and mapping.guard.personal and local == (mapping.guard.column,)
            if key.referred_table.name in BY_TABLE and not owned:
                yield name, local


def _guarded(mapping: ObjectMapping) -> set[str]:
    fields = mapping.fields.values()
    return {each.column for each in fields if isinstance(each, ColumnField) and each.guard is not None}


@pytest.mark.parametrize(("name", "local"), list(_references()))
def test_a_reference_is_an_edge(name: str, local: tuple[str, ...]) -> None:
    """But for columns that are for administrators: an edge would tell them."""
    edges = {each.local for each in GEN[name].fields.values() if isinstance(each, EdgeField)}
    assert edges & {local, local[-1:]} or set(local) <= _guarded(GEN[name])


@pytest.mark.parametrize("name", list(GEN))
def test_a_type_is_listed(name: str) -> None:
    query = graphql_schema(build()).type_map["GenQuery"]
    assert f"{name}Connection" in {str(field.type).rstrip("!") for field in query.fields.values()}  # type: ignore[attr-defined]
