"""Documents of every way in, found in the schema, so that a new type or edge is asked for without being named here."""

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import GraphQLObjectType, get_named_type

from schema.build import build, graphql_schema
from schema.mapping.object import OBJECTS, EdgeField
from schema.mapping.roots import ConnectionRoot, Namespace, ObjectRoot

SCHEMA = graphql_schema(build())


@dataclass(frozen=True, slots=True)
class Way:
    """A root field over `target`, below `path`."""

    path: tuple[str, ...]
    field: str
    target: str

    def document(self, arguments: str, selection: str) -> str:
        field = f"it: {self.field}({arguments}) {{ {selection} }}"
        for name in reversed(self.path):
            field = f"{name} {{ {field} }}"
        takes = "$ids: [ID!]" if "$ids" in arguments else "$id: ID!"
        return f"query Asked({takes}) {{ {field} }}"


def _ways(type_: GraphQLObjectType, path: tuple[str, ...]) -> Iterator[tuple[object, Way]]:
    for name, field in type_.fields.items():
        metadata = field.extensions["strawberry-definition"].metadata
        mapping = metadata.get("mapping") or metadata.get("namespace")
        match mapping:
            case Namespace():
                below = get_named_type(field.type)
                assert isinstance(below, GraphQLObjectType)
                yield from _ways(below, (*path, name))
            case ConnectionRoot(target) | ObjectRoot(target):
                yield mapping, Way(path, name, target)


assert SCHEMA.query_type is not None
_ROOTS = list(_ways(SCHEMA.query_type, ()))
SEARCH = "search"
"""The one list that takes more than a list does: what is searched for, and where."""
LISTS = [way for mapping, way in _ROOTS if isinstance(mapping, ConnectionRoot) and way.field != SEARCH]
OBJECTS_BY_ID = [way for mapping, way in _ROOTS if isinstance(mapping, ObjectRoot)]


def edges(type_: str) -> dict[str, EdgeField]:
    return {name: field for name, field in OBJECTS[type_].fields.items() if isinstance(field, EdgeField)}


def below(type_: str) -> str:
    """The ids behind each edge of the rows."""
    shown = (
        f"{name}(first: 100) {{ totalCount nodes {{ id }} }}" if edge.many else f"{name} {{ id }}"
        for name, edge in edges(type_).items()
    )
    return f"... on {type_} {{ id {' '.join(shown)} }}"
