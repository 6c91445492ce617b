"""The API explains itself, and everything that can be read is guarded."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_specified_scalar_type,
)

from resolvers.permissions.guards import Public
from schema.build import build, graphql_schema
from schema.mapping.object import OBJECTS, policies
from tests.system.client import Client


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema(build())


def _parts(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or name in ("ID", "Int", "Float", "String", "Boolean"):
            continue
        yield name, type_
        match type_:
            case GraphQLObjectType() | GraphQLInterfaceType():
                for field_name, field in type_.fields.items():
                    yield f"{name}.{field_name}", field
                    for argument_name, argument in field.args.items():
                        yield f"{name}.{field_name}({argument_name}:)", argument
            case GraphQLInputObjectType():
                for field_name, input_field in type_.fields.items():
                    yield f"{name}.{field_name}", input_field
            case GraphQLEnumType():
                for value_name, value in type_.values.items():
                    yield f"{name}.{value_name}", value


def test_everything_is_described(schema: GraphQLSchema) -> None:
    parts = list(_parts(schema))
    assert len(parts) > 500
    assert [name for name, part in parts if not (part.description or "").strip()] == []


def test_every_scalar_names_its_specification(schema: GraphQLSchema) -> None:
    custom = [
        type_
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLScalarType) and not is_specified_scalar_type(type_)
    ]
    assert len(custom) > 5
    assert [type_.name for type_ in custom if not (type_.specified_by_url or "").startswith("https://")] == []


def test_every_mutation_takes_an_input_of_its_own(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    taken = {name: get_named_type(field.args["input"].type).name for name, field in schema.mutation_type.fields.items()}
    assert taken == {name: f"{name[0].upper()}{name[1:]}Input" for name in taken}


def test_every_table_is_guarded() -> None:
    guards = policies()
    assert OBJECTS
    for name, mapping in OBJECTS.items():
        assert not isinstance(guards[mapping.table], Public), name


async def test_clients_know_where_directives_may_stand(client: Client) -> None:
    """graphql-js 16 knows the places of the specification of 2021; what it reads from here is parsed again."""
    answer = await client.ask("{ __schema { directives { name locations } } }", user=None)
    found = {place for directive in answer.data["__schema"]["directives"] for place in directive["locations"]}
    assert "ENUM_VALUE" in found
    assert "DIRECTIVE_DEFINITION" not in found


async def test_the_served_schema_is_this_one(client: Client, schema: GraphQLSchema) -> None:
    answer = await client.ask("{ __schema { types { name } } }", user=None)
    assert {type_["name"] for type_ in answer.data["__schema"]["types"]} == set(schema.type_map)
