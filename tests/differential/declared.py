"""The API over the test's tables, declared as docs/add-a-table.md says, and its schema."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from loaders.read import Join
from resolvers.permissions.guards import Own, Public, Visible, Whole
from schema.build import build, graphql_schema
from schema.mapping import types
from schema.mapping.declare import column, make_types, score, table_type, to_many, to_one
from schema.mapping.enums import enum_of_words
from schema.mapping.install import install
from schema.mapping.object import OBJECTS, ObjectMapping
from schema.scalars import SCALARS
from tests.differential.tables import FAR, ITEMS, LABELS, MARKS, NEAR, NOTES, SORTS, TONES, clickhouse_table

CLICKHOUSE_DATABASE = f"differential_{secrets.token_hex(6)}"
"""Of this run, as the scratch database is."""
TEAM = Visible("team", "can_view", "team")
OWNER = Own("owner_id", "user_id")
SHELF = Whole("can_view", "shelf:labels")
TONE = enum_of_words(TONES.values(), "DiffTone", "How loud.", {word: f"It is {word}." for word in TONES.values()})


@dataclass(frozen=True, slots=True)
class Api:
    """`mappings` are the declared types by name; `sdl` is all that the oracle's schema is made from."""

    schema: GraphQLSchema
    sdl: str
    mappings: Mapping[str, ObjectMapping]


@contextmanager
def declared() -> Iterator[Api]:
    """The declarations are among the process's types for as long as this is open, and beside the product's own."""
    build()  # which takes all that is declared: it must not take these
    own = _api()
    OBJECTS.update(own.mappings)
    try:
        yield own
    finally:
        for name in own.mappings:
            del OBJECTS[name]


@cache
def _api() -> Api:
    known = set(OBJECTS)
    _declare()
    mappings = {name: mapping for name, mapping in OBJECTS.items() if name not in known}
    make_types(mappings.values())
    from tests.differential.query import DiffQuery  # its arguments are those of the declared types

    built = strawberry.Schema(
        query=DiffQuery,
        types=[getattr(types, name) for name in mappings],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    install(graphql_schema(built))
    for name in mappings:
        del OBJECTS[name]
    return Api(graphql_schema(built), built.as_str(), mappings)


def _exposed(table: sa.Table, *hidden: str) -> dict[str, object]:
    return {
        each.name: column(enum=TONE if each.name == "tone" else None)
        for each in table.columns
        if each.name not in hidden
    }


def _declare() -> None:
    traces = clickhouse_table(CLICKHOUSE_DATABASE)
    _type("DiffItem", ITEMS, NEAR, TEAM)(
        **_exposed(ITEMS, "id"),
        parent=to_one("DiffItem", local="parent_id", description="What it lies in."),
        children=to_many("DiffItem", remote="parent_id", description="What lies in it."),
        sort=to_one("DiffSort", local="sort_id", description="Its sort."),
        notes=to_many("DiffNote", remote="item_id", description="What is noted of it."),
        marks=to_many("DiffMark", remote="item_id", description="How it is marked."),
        label=to_one("DiffLabel", local="label_code", description="Its label, of another store."),
        traces=to_many("DiffTrace", remote="item_id", description="Its traces, in ClickHouse."),
        score=score("How near it is.", of="mood"),
    )
    to_item = Join(OBJECTS["DiffItem"].table, local=("item_id",), remote=("id",))
    team_of_item = Visible("team", "can_view", "team", via=(to_item,))
    _type("DiffSort", SORTS, NEAR, OWNER)(
        **_exposed(SORTS, "id"),
        items=to_many("DiffItem", remote="sort_id", description="What is of this sort."),
    )
    _type("DiffNote", NOTES, NEAR, team_of_item)(
        **_exposed(NOTES),
        item=to_one("DiffItem", local="item_id", description="What it is about."),
    )
    _type("DiffMark", MARKS, NEAR, team_of_item, key=("id",))(
        **_exposed(MARKS, "id"),
        item=to_one("DiffItem", local="item_id", description="What it marks."),
    )
    _type("DiffLabel", LABELS, FAR, SHELF)(
        **_exposed(LABELS, "code"),
        items=to_many("DiffItem", remote="label_code", local="code", description="What has it, in another store."),
    )
    _type("DiffTrace", traces, "clickhouse", Public("Whoever sees nothing else sees these."))(
        **_exposed(traces, "id"),
        item=to_one("DiffItem", local="item_id", description="What left it, in Postgres."),
        siblings=to_many("DiffTrace", remote="item_id", local="item_id", description="Traces of the same item."),
    )


def _type(
    name: str,
    table: sa.Table,
    store: str,
    guard: Visible | Own | Whole | Public,
    *,
    key: tuple[str, ...] | None = None,
) -> Callable[..., None]:
    def make(**fields: object) -> None:
        table_type(table, store=store, guard=guard, key=key)(type(name, (), {"__doc__": f"A {name}.", **fields}))

    return make
