"""What a declaration is refused for, and what follows from it."""

from typing import Any

import pytest
import sqlalchemy as sa
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, is_non_null_type

from resolvers.permissions.guards import Public
from schema.build import build, graphql_schema
from schema.mapping.declare import column, table_type
from schema.mapping.object import OBJECTS


def _table(*columns: sa.Column[Any]) -> sa.Table:
    return sa.Table("things", sa.MetaData(), sa.Column("id", sa.BigInteger, primary_key=True), *columns)


def _declare(table: sa.Table, **fields: Any) -> None:
    known = dict(OBJECTS)
    try:
        table_type(table, store="axion_gen", guard=Public("a test"))(type("TestThing", (), {"__doc__": "A.", **fields}))
    finally:
        OBJECTS.clear()
        OBJECTS.update(known)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "password_hash",
        "api_token",
        "secret",
        "client_secret",
        "config_encrypted",
        "config_nonce",
        "auth_tag",
    ],
)
def test_a_column_that_looks_secret_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"things.{name} looks secret"):
        _declare(_table(sa.Column(name, sa.Text, comment="Said.")), **{name: column()})
    assert "TestThing" not in OBJECTS


def test_a_column_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match=r"things\.name has neither a comment nor a description"):
        _declare(_table(sa.Column("name", sa.Text)), name=column())


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="things has no column name"):
        _declare(_table(), name=column("A name."))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema(build())


def test_every_type_follows_from_its_declaration(schema: GraphQLSchema) -> None:
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    for name, mapping in OBJECTS.items():
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        assert node in type_.interfaces
        assert set(type_.fields) == set(mapping.fields)
        for suffix in ("Connection", "Edge", "Filter", "OrderBy"):
            assert name + suffix in schema.type_map
        order = schema.type_map[f"{name}OrderBy"]
        assert isinstance(order, GraphQLInputObjectType)
        assert order.is_one_of


def test_no_column_of_a_key_of_encryption_is_exposed(schema: GraphQLSchema) -> None:
    names = {name for type_ in schema.type_map.values() for name in getattr(type_, "fields", {})}
    assert not {name for name in names if "encrypted" in name.lower() or "nonce" in name.lower()}


def test_only_rows_of_the_same_database_are_part_of_a_filter(schema: GraphQLSchema) -> None:
    filters = schema.type_map["SenseTrackLogFilter"]
    assert isinstance(filters, GraphQLInputObjectType)
    assert {"organization", "frameBatches"} <= set(filters.fields)
    assert not {"track", "frames"} & set(filters.fields)


def test_every_figure_but_a_count_may_be_null(schema: GraphQLSchema) -> None:
    required = set()
    for name, type_ in schema.type_map.items():
        for suffix in ("CountDistinct", "Sum", "Statistic", "Extreme"):
            if isinstance(type_, GraphQLObjectType) and name in {known + suffix for known in OBJECTS}:
                required |= {suffix == "CountDistinct" for f in type_.fields.values() if is_non_null_type(f.type)}
    assert required == {True}
