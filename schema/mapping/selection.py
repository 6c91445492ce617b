"""Builds a `Read` from a GraphQL selection. Pure; no values of rows are involved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import FieldNode, GraphQLObjectType

from loaders.read import (
    Col,
    Compare,
    Computed,
    Connection,
    ConnectionPart,
    CosineSimilarity,
    EdgePart,
    Edges,
    Field,
    Literal,
    NodeId,
    Nodes,
    Op,
    OrderBy,
    Predicate,
    Read,
    Related,
    TotalCount,
    conjunction,
)
from schema.mapping.aggregate import aggregate
from schema.mapping.collect import Document
from schema.mapping.filters import predicate
from schema.mapping.nearest import similarity
from schema.mapping.object import (
    OBJECTS,
    ColumnField,
    EdgeField,
    IdField,
    ObjectMapping,
    ResolvedField,
    ScoreField,
    join,
)
from schema.mapping.orders import order
from schema.mapping.page import page, page_info
from schema.mapping.splice import Open

OWN_ID = "$own id"
"""No response key, and no column a resolver may require."""
_TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class Built:
    """A read, and where resolvers still have to run in its answer (`None`: nowhere)."""

    read: Read
    open: Open | None


@dataclass(frozen=True, slots=True)
class Selection:
    """Builds reads from one document. `similarity` is what `score` fields show, inside a list with `nearest`.

    `max_page` bounds every page; `None` is for streams, whose lists have no limit of their own. `listed` is true below
    a list, where everything is evaluated for each of its rows.
    """

    document: Document
    max_page: int | None
    similarity: CosineSimilarity | None = None
    listed: bool = False

    def one(self, mapping: ObjectMapping, nodes: list[FieldNode], where: Predicate | None) -> Built:
        """Reads the object selected by `nodes`: the first row that matches, or null."""
        fields, open_ = self._fields(mapping, nodes)
        return Built(Read(mapping.table, fields=fields, where=where), open_)

    def known(self, mapping: ObjectMapping, nodes: list[FieldNode], where: Predicate) -> Built:
        """Reads the objects selected by `nodes` for all rows that match, as `nodes` of a connection, each with
        `OWN_ID`.
        """
        fields, open_ = replace(self, listed=True)._fields(mapping, nodes)
        own_id = Field(OWN_ID, NodeId(mapping.name, mapping.table.key))
        connection = Connection((("nodes", Nodes((*fields, own_id))),))
        return Built(Read(mapping.table, connection=connection, where=where), open_)

    def connection(
        self,
        mapping: ObjectMapping,
        nodes: list[FieldNode],
        arguments: Mapping[str, Any],
        *,
        where: Predicate | None = None,
    ) -> Built:
        """Reads the connection selected by `nodes`. The arguments are coerced; `where` comes from a resolver."""
        asked = predicate(arguments.get("where"), mapping)
        terms = order(arguments.get("orderBy"), mapping)
        searched = similarity(arguments.get("nearest"), mapping)
        if searched is not None:
            terms = (OrderBy(searched, descending=True, nulls_first=False), *terms)
            if mapping.table.column(searched.column).nullable:  # an index of vectors does not hold the rows without one
                asked = conjunction((asked, Compare(Col(searched.column), Op.IS_NULL, False)))
        read = Read(
            mapping.table,
            where=conjunction((where, asked)),
            order=terms,
            page=page(arguments, terms, mapping.table, max_page=self.max_page),
        )
        name = f"{mapping.name}Connection"
        entries: list[tuple[str, ConnectionPart]] = []
        below: dict[str, Open] = {}
        for key, selected in self.document.collect(name, nodes).items():
            part, open_ = replace(self, similarity=searched)._part(mapping, name, selected)
            entries.append((key, part))
            if open_ is not None:
                below[key] = open_
        return Built(replace(read, connection=Connection(tuple(entries))), Open(name, below) if below else None)

    def _part(
        self, mapping: ObjectMapping, connection: str, nodes: list[FieldNode]
    ) -> tuple[ConnectionPart, Open | None]:
        match nodes[0].name.value:
            case "__typename":
                return Literal(connection), None
            case "nodes":
                fields, open_ = replace(self, listed=True)._fields(mapping, nodes)
                return Nodes(fields), open_
            case "edges":
                return self._edges(mapping, nodes)
            case "pageInfo":
                return page_info(self.document, nodes), None
            case "totalCount":
                return TotalCount(), None
            case "aggregate":
                arguments = self._arguments(connection, nodes[0])
                return aggregate(self.document, mapping, nodes, arguments, listed=self.listed), None
            case name:
                raise AssertionError(f"{connection} has no field {name}")

    def _edges(self, mapping: ObjectMapping, nodes: list[FieldNode]) -> tuple[Edges, Open | None]:
        entries: list[tuple[str, EdgePart | Literal | Nodes]] = []
        below: dict[str, Open] = {}
        for key, selected in self.document.collect(f"{mapping.name}Edge", nodes).items():
            match selected[0].name.value:
                case "__typename":
                    entries.append((key, Literal(f"{mapping.name}Edge")))
                case "cursor":
                    entries.append((key, EdgePart.CURSOR))
                case _:
                    fields, open_ = replace(self, listed=True)._fields(mapping, selected)
                    entries.append((key, Nodes(fields)))
                    if open_ is not None:
                        below[key] = open_
        return Edges(tuple(entries)), Open(f"{mapping.name}Edge", below) if below else None

    def _fields(self, mapping: ObjectMapping, nodes: list[FieldNode]) -> tuple[tuple[Field, ...], Open | None]:
        fields: list[Field] = []
        below: dict[str, Open] = {}
        required: dict[str, None] = {}
        open_here = False
        for key, selected in self.document.collect(mapping.name, nodes).items():
            name = selected[0].name.value
            declared = mapping.fields.get(name)
            match declared:
                case _ if name == _TYPENAME:
                    fields.append(Field(key, Literal(mapping.name)))
                case IdField():
                    fields.append(Field(key, NodeId(mapping.name, mapping.table.key)))
                case ColumnField(column):
                    fields.append(Field(key, Computed(Col(column))))
                case ScoreField(column):
                    searched = self.similarity if self.similarity and self.similarity.column == column else None
                    fields.append(Field(key, Computed(searched) if searched else Literal(None)))
                case EdgeField():
                    related, open_ = self._edge(mapping, declared, selected)
                    fields.append(Field(key, related))
                    if open_ is not None:
                        below[key] = open_
                case ResolvedField(columns):
                    open_here = True
                    required |= dict.fromkeys(columns)
                case None:
                    raise AssertionError(f"{mapping.name} has no field {name}")
        fields += [Field("$" + column, Computed(Col(column))) for column in required]
        return tuple(fields), Open(mapping.name, below) if below or open_here else None

    def _edge(self, mapping: ObjectMapping, edge: EdgeField, nodes: list[FieldNode]) -> tuple[Related, Open | None]:
        target = OBJECTS[edge.target]
        if not edge.many:
            built = replace(self, similarity=None).one(target, nodes, None)
            return Related(join(edge), built.read), built.open
        arguments = self._arguments(mapping.name, nodes[0])
        built = self.connection(target, nodes, arguments)
        return Related(join(edge), built.read), built.open

    def _arguments(self, parent: str, node: FieldNode) -> dict[str, Any]:
        type_ = self.document.schema.type_map[parent]
        assert isinstance(type_, GraphQLObjectType)
        return self.document.arguments(type_.fields[node.name.value], node)
