"""Takes apart an operation that consists of reads of tables only: the reads, and the JSON text around their answers.
Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_object_type,
)
from strawberry.types.field import StrawberryField

from loaders.read import Read
from schema.mapping.collect import Document
from schema.mapping.node import NodeRoot
from schema.mapping.roots import ConnectionRoot, Namespace, ObjectRoot
from schema.mapping.selection import Selection


class Uncomposable(Exception):
    """The operation contains something other than reads: a field with a resolver, introspection, a mutation."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer of a root read belongs: its path in the data, and the AST nodes for its errors' locations."""

    path: tuple[str, ...]
    nodes: tuple[FieldNode, ...]


@dataclass(slots=True)
class Composed:
    """`texts` are the JSON before, between and after the answers of `reads`; `places` are the places of these
    answers.
    """

    texts: list[str] = field(default_factory=lambda: [""])
    places: list[Place] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)


def compose(document: Document, operation: OperationDefinitionNode, *, max_page: int) -> Composed:
    """Raises `Uncomposable`, and whatever building a read raises."""
    query = document.schema.query_type
    if operation.operation is not OperationType.QUERY or query is None:
        raise Uncomposable
    composed = Composed()
    _object(query, [operation], (), Selection(document, max_page=max_page), composed)
    return composed


def _object(
    type_: GraphQLObjectType,
    nodes: Iterable[FieldNode | OperationDefinitionNode],
    path: tuple[str, ...],
    selection: Selection,
    composed: Composed,
) -> None:
    separator = "{"
    for key, selected in selection.document.collect(type_.name, nodes).items():
        composed.texts[-1] += f"{separator}{orjson.dumps(key).decode()}:"
        separator = ","
        _field(type_, selected, (*path, key), selection, composed)
    composed.texts[-1] += "{}" if separator == "{" else "}"


def _field(
    parent: GraphQLObjectType, nodes: list[FieldNode], path: tuple[str, ...], selection: Selection, composed: Composed
) -> None:
    name = nodes[0].name.value
    if name == "__typename":
        composed.texts[-1] += f'"{parent.name}"'
        return
    declared = parent.fields.get(name)
    if declared is None:  # __schema and __type
        raise Uncomposable
    match mapped(declared):
        case Namespace():
            below = get_named_type(declared.type)
            assert is_object_type(below)
            _object(below, nodes, path, selection, composed)
        case ConnectionRoot() | ObjectRoot() | NodeRoot() as root:
            built = root.build(selection, nodes, selection.document.arguments(declared, nodes[0]))
            if built.open is not None:
                raise Uncomposable
            composed.reads.append(built.read)
            composed.places.append(Place(path, tuple(nodes)))
            composed.texts.append("")
        case _:
            raise Uncomposable


def mapped(declared: GraphQLField) -> object:
    """What the mapping declared for a field: a `Namespace`, a root that builds a read, or a function; `None` for other
    fields.
    """
    definition = declared.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField):
        return None
    return definition.metadata.get("namespace") or definition.metadata.get("mapping")
