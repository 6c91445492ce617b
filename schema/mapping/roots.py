"""Root fields of table-backed types: a connection, and one row by id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

import orjson
import strawberry
from graphql import FieldNode, GraphQLResolveInfo

from loaders.read import Predicate
from resolvers.answer import answer, answer_tree, guarded, source_of
from resolvers.context import Context
from resolvers.permissions.restrictions import require_reader
from schema.mapping import types
from schema.mapping.arguments import argument, connection_arguments, signature
from schema.mapping.ids import has_id
from schema.mapping.install import document
from schema.mapping.object import OBJECTS, ObjectMapping, policies
from schema.mapping.selection import Built, Selection
from schema.mapping.splice import rows


@dataclass(frozen=True, slots=True)
class ConnectionRoot:
    """Resolves to the connection of all visible rows that match the arguments."""

    target: str

    def build(self, selection: Selection, nodes: list[FieldNode], arguments: Mapping[str, Any]) -> Built:
        return selection.connection(OBJECTS[self.target], nodes, arguments)

    async def __call__(self, _: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
        require_reader_of(self.target, info)
        return await run(self.build(selection(info), info.field_nodes, arguments), info)


@dataclass(frozen=True, slots=True)
class ObjectRoot:
    """Resolves to the row with the given global id, or null: a hidden row answers like an absent one."""

    target: str

    def build(self, selection: Selection, nodes: list[FieldNode], arguments: Mapping[str, Any]) -> Built:
        mapping = OBJECTS[self.target]
        return selection.one(mapping, nodes, has_id(arguments["id"], mapping))

    async def __call__(self, _: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> Any:
        require_reader_of(self.target, info)
        return await run(self.build(selection(info), info.field_nodes, arguments), info)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A field that only groups others: an object without data, never null."""


def namespace(resolver: Callable[[], Any], description: str) -> Any:
    return strawberry.field(resolver=resolver, description=description, metadata={"namespace": Namespace()})


def connection_root(target: str, description: str) -> Any:
    return strawberry.field(
        resolver=connection_arguments(target), description=description, metadata={"mapping": ConnectionRoot(target)}
    )


def object_root(target: str, description: str) -> Any:
    return strawberry.field(
        resolver=signature({"id": argument(strawberry.ID, "Global id of the row.")}, {}, Optional[types.lazy(target)]),
        description=description,
        metadata={"mapping": ObjectRoot(target)},
    )


def require_reader_of(target: str, info: GraphQLResolveInfo[Any]) -> None:
    """Checks that the caller may read at all, before any work is done on the arguments."""
    mapping = OBJECTS[target]
    require_reader({mapping.table: mapping.guard}, info.context.verdicts)


def selection(info: GraphQLResolveInfo[Any]) -> Selection:
    context: Context = info.context
    max_page = None if context.capture is not None else context.max_page
    return Selection(document(info), max_page=max_page)


async def run_one(mapping: ObjectMapping, where: Predicate, info: GraphQLResolveInfo[Any]) -> Any:
    return await run(selection(info).one(mapping, info.field_nodes, where), info)


async def run(built: Built, info: GraphQLResolveInfo[Any]) -> Any:
    """The answer of a read as the executor accepts it: spliced as a whole, or as rows where resolvers still have to
    run.
    """
    context: Context = info.context
    on_the_way = built.open is not None and built.read.connection is None  # an object whose resolvers lead to the list
    if context.capture is not None and not on_the_way:
        context.capture.take(await guarded(built.read, context, policies()), source_of(built.read, context))
        return None
    if built.open is None:
        text, failures = await answer(built.read, context, policies())
        value: Any = None if text is None else orjson.Fragment(text)
    else:
        tree, failures = await answer_tree(built.read, context, policies())
        value = None if tree is None else rows(tree, built.open)
    at = tuple(info.path.as_list())
    context.failures += [replace(failure, path=at + failure.path) for failure in failures]
    return value
