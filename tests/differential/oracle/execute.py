"""Documents over rows in memory, by graphql-core's own executor."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
    validate,
)

from schema.mapping.object import ScoreField
from tests.differential.oracle.aggregates import Figure, Group, figure, groups, key
from tests.differential.oracle.filters import key_of, read_id
from tests.differential.oracle.orders import Nearness
from tests.differential.oracle.pages import Page, cursor, page
from tests.differential.oracle.shown import Cursor, Estimate, shown
from tests.differential.oracle.world import World
from tests.differential.oracle.wrong import DENIED, wrong
from tests.differential.rows import Row
from tests.differential.tables import TONES

_PARSE: Mapping[str, Callable[[Any], Any]] = {
    "BigInt": int,
    "Decimal": Decimal,
    "DateTime": datetime.fromisoformat,
    "Date": date.fromisoformat,
    "UUID": UUID,
}


@dataclass(frozen=True, slots=True)
class Object:
    """`near`: what the rows of its list are near to."""

    type: str
    row: Row
    near: Nearness | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The namespace."""


@dataclass(frozen=True, slots=True)
class Edge:
    page: Page
    node: Object


@dataclass(frozen=True, slots=True)
class PageInfo:
    page: Page


@dataclass(frozen=True, slots=True)
class GroupKey:
    group: Group


@dataclass(frozen=True, slots=True)
class Asking:
    """One execution: the visible rows, and the cursors that were answered before."""

    world: World
    cursors: Mapping[str, Cursor]


def oracle_schema(sdl: str) -> GraphQLSchema:
    """Scalars come in as Python's values, and leave as they are. Members of the enum are words."""
    schema = build_schema(sdl)
    tone = schema.type_map["DiffTone"]
    assert isinstance(tone, GraphQLEnumType)
    for name, member in tone.values.items():
        member.value = TONES[name]
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLScalarType) and type_.name in _PARSE:
            type_.coerce_input_value = _PARSE[type_.name]
    cursor_type, estimate = GraphQLScalarType("Cursor"), GraphQLScalarType("Estimate")
    for name, type_ in schema.type_map.items():
        for field, declared in getattr(type_, "fields", {}).items():
            if field in ("cursor", "startCursor", "endCursor"):
                declared.type = cursor_type
            elif name.endswith("Statistic") or field == "score":
                declared.type = estimate
    return schema


def answer(
    schema: GraphQLSchema, document: str, variables: Mapping[str, Any], asking: Asking, *, faulty: bool
) -> ExecutionResult:
    """`faulty` documents are validated first. What is refused before it is executed has errors without paths."""
    parsed = parse(document)
    if faulty and validate(schema, parsed):
        return ExecutionResult(None, [wrong("an invalid document", "GRAPHQL_VALIDATION_FAILED")])
    result = execute_sync(
        schema,
        parsed,
        context_value=asking,
        variable_values=dict(variables),
        field_resolver=_resolve,
        type_resolver=lambda source, *_: source.type,
    )
    if result.data is None and all(error.path is None for error in result.errors or ()):
        return ExecutionResult(None, [wrong("wrong variables")])
    return result


def _resolve(source: Any, info: GraphQLResolveInfo[Asking], **arguments: Any) -> Any:
    name, asking = info.field_name, info.context
    match source:
        case None | Elsewhere():
            return _root(name, info, arguments)
        case Object():
            return _of_row(source, name, arguments, asking)
        case Page():
            return _of_page(source, name, arguments, asking)
        case Edge(around, node):
            return node if name == "node" else cursor(around, node.row, asking.world)
        case PageInfo(shown_page):
            return _of_page_info(shown_page, name, asking.world)
        case Group():
            return _of_group(source, name, arguments)
        case GroupKey(group):
            if name not in group.key:
                raise wrong("not what groups are made by")
            return key(group, name, asking.world)
        case Figure():
            return figure(source, name, asking.world)
    raise AssertionError(source)


def _root(name: str, info: GraphQLResolveInfo[Asking], arguments: dict[str, Any]) -> Any:
    world, returned = info.context.world, get_named_type(info.return_type).name
    if name == "elsewhere":
        return Elsewhere()
    if returned.endswith("Connection"):
        type_ = returned.removesuffix("Connection")
        return page(world.rows[type_], type_, arguments, world, info.context.cursors)
    node_id = arguments["id"]
    type_ = read_id(node_id)[0] if name == "node" else returned
    if type_ not in world.mappings:
        raise wrong("the id of nothing", "INVALID_ID")
    row = world.by_id(type_, key_of(node_id, type_))
    return None if row is None else Object(type_, row)


def _of_row(source: Object, name: str, arguments: dict[str, Any], asking: Asking) -> Any:
    world, type_, row = asking.world, source.type, source.row
    if isinstance(world.mappings[type_].fields[name], ScoreField):
        return None if source.near is None else Estimate(source.near.of(row) or 0.0)
    if name == "id":
        return node_id(type_, row, world)
    if (column := world.column(type_, name)) is not None:
        if world.hides(type_, row, column[0]):
            raise wrong("denied", DENIED)
        return shown(row[column[0]], column[1])
    edge = world.edge(type_, name)
    assert edge is not None
    related = world.related(row, edge)
    if edge.many:
        return page(related, edge.target, arguments, world, asking.cursors)
    return Object(edge.target, related[0]) if related else None


def _of_page(shown_page: Page, name: str, arguments: dict[str, Any], asking: Asking) -> Any:
    objects = [Object(shown_page.type, row, shown_page.near) for row in shown_page.rows]
    match name:
        case "nodes":
            return objects
        case "edges":
            return [Edge(shown_page, each) for each in objects]
        case "pageInfo":
            return PageInfo(shown_page)
        case "totalCount":
            return len(shown_page.matching)
        case _:
            return groups(shown_page.matching, shown_page.type, arguments, asking.world)


def _of_page_info(shown_page: Page, name: str, world: World) -> bool | Cursor | None:
    match name:
        case "hasNextPage":
            return shown_page.has_next
        case "hasPreviousPage":
            return shown_page.has_previous
        case _ if not shown_page.rows:
            return None
        case _:
            return cursor(shown_page, shown_page.rows[0 if name == "startCursor" else -1], world)


def _of_group(group: Group, name: str, arguments: dict[str, Any]) -> Any:
    match name:
        case "count":
            return len(group.rows)
        case "key":
            return GroupKey(group) if group.key else None
        case _:
            return Figure(group, name, arguments.get("p"))


def node_id(type_: str, row: Row, world: World) -> str:
    text = f"{type_}:{'|'.join(map(str, world.key(type_, row)))}"
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
