"""Assembles the declarations to the one schema, built once per process."""

from functools import lru_cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

import schema.declarations  # noqa: F401 - importing it declares every table-backed type
from schema.directives import describe_directives
from schema.guards import unguarded
from schema.mapping import types
from schema.mapping.declare import make_types
from schema.mapping.install import install
from schema.mapping.object import OBJECTS
from schema.scalars import SCALARS


@lru_cache(maxsize=1)
def build() -> strawberry.Schema:
    """Builds the schema and installs the compiled resolvers."""
    make_types(OBJECTS.values())
    from schema.mutation import Mutation
    from schema.query import Query
    from schema.subscription import Subscription

    built = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[getattr(types, name) for name in OBJECTS],
        config=StrawberryConfig(scalar_map=SCALARS, enable_experimental_incremental_execution=True),
    )
    describe_directives(graphql_schema(built))
    install(graphql_schema(built))
    if names := unguarded(graphql_schema(built)):
        raise RuntimeError(f"nothing says who may use {', '.join(names)}: give each a guard (docs/add-a-guard.md)")
    return built


def graphql_schema(built: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema behind a strawberry schema."""
    return built._schema


def sdl() -> str:
    """The SDL as committed in `schema/schema.graphql`."""
    return build().as_str() + "\n"
