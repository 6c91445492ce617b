"""Random documents over the test's schema, with the values of their variables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)
from hypothesis import strategies as st

from schema.mapping.object import ColumnField, EdgeField, IdField
from tests.differential.inputs import Inputs, Json

_ROOTS = ("items", "sorts", "notes", "marks", "labels", "traces", "item", "note", "trace", "node")
_ELSEWHERE = ("labels", "traces")
_DEPTH = 3
_FAULTS = 25
"""One in so many places where a document may be wrong is wrong."""


@dataclass(frozen=True, slots=True)
class CursorUse:
    """A variable that takes a cursor of the connection at `path` of an earlier answer: the `place`th, modulo."""

    variable: str
    path: tuple[str, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Drawn:
    text: str
    variables: Mapping[str, Json]
    cursors: tuple[CursorUse, ...]
    faults: int
    """How many things in it may be errors of the caller."""
    seed: int
    """Of the values it is asked anew with."""


@dataclass(slots=True)
class Writing:
    inputs: Inputs
    definitions: list[str] = field(default_factory=list)
    variables: dict[str, Json] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    named: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    """Fragments that are finished, by their type and how deep they go."""
    cursors: list[CursorUse] = field(default_factory=list)
    aliases: int = 0
    faults: int = 0

    @property
    def searchable(self) -> list[str]:
        return [name for name, mapping in self.inputs.mappings.items() if mapping.searchable]

    @property
    def draw(self) -> st.DrawFn:
        return self.inputs.draw

    @property
    def schema(self) -> GraphQLSchema:
        return self.inputs.schema

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == one_in

    def alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}"

    # --- values -------------------------------------------------------------------------------------------------------

    def variable(self, type_: str, value: Json, literal: str | None = None) -> str:
        name = f"v{len(self.definitions)}"
        if literal is not None and self.chance(3):  # the default says it
            self.definitions.append(f"${name}: {type_} = {literal}")
        else:
            self.definitions.append(f"${name}: {type_}")
            self.variables[name] = value
        return f"${name}"

    def value(self, value: Json, type_: GraphQLInputType, *, required: bool = False) -> str:
        """Source text: a literal or a variable, at every depth."""
        if self.chance(4):
            literal = as_literal(value, type_)
            return self.variable(f"{type_}{'!' if required and not is_non_null_type(type_) else ''}", value, literal)
        bare: Any = get_nullable_type(type_)
        if value is not None and is_list_type(bare):
            return "[" + ", ".join(self.value(each, bare.of_type) for each in value) + "]"
        if value is not None and isinstance(bare, GraphQLInputObjectType):
            return "{" + ", ".join(self._field(name, each, bare) for name, each in value.items()) + "}"
        literal = as_literal(value, type_)
        return self.variable(str(type_), value) if literal is None else literal

    def _field(self, name: str, value: Json, type_: GraphQLInputObjectType) -> str:
        return f"{name}: {self.value(value, type_.fields[name].type, required=type_.is_one_of)}"

    def arguments(self, parent: str, name: str, values: Mapping[str, Json]) -> str:
        declared = cast(GraphQLObjectType, self.schema.type_map[parent]).fields[name].args
        given = [f"{each}: {self.value(value, declared[each].type)}" for each, value in values.items()]
        return f"({', '.join(given)})" if given else ""

    def directive(self) -> str:
        if not self.chance(8):
            return ""
        truth = self.draw(st.booleans())
        condition = self.variable("Boolean!", truth, None) if self.draw(st.booleans()) else json.dumps(truth)
        return f" @{self.draw(st.sampled_from(['include', 'skip']))}(if: {condition})"

    # --- objects ------------------------------------------------------------------------------------------------------

    def object(self, type_: str, depth: int, path: tuple[str, ...]) -> str:
        """A selection of a table-backed type. `path` leads there from the root."""
        parts = [self._part(type_, depth, path) for _ in range(self.draw(st.integers(1, 4)))]
        return "{ " + " ".join(parts) + " }"

    def _part(self, type_: str, depth: int, path: tuple[str, ...]) -> str:
        fields = self.inputs.mappings[type_].fields
        edges = [name for name, each in fields.items() if isinstance(each, EdgeField)]
        kinds = ["column", "column", "column", "meta", "spread"] + ["edge"] * (3 if depth and edges else 0)
        match self.draw(st.sampled_from(kinds)):
            case "meta":
                return self.draw(
                    st.sampled_from(["__typename", "id", "t: __typename", "again: id", "... on Node { id }"])
                )
            case "spread" if depth:
                return self._spread(type_, depth - 1, path)
            case "edge":
                name = self.draw(st.sampled_from(edges))
                edge = fields[name]
                assert isinstance(edge, EdgeField)
                if edge.many:
                    return self.connection(type_, name, edge.target, depth - 1, path)
                if self.draw(st.booleans()):  # without an alias: selected twice, the two are merged
                    return f"{name}{self.directive()} {self.object(edge.target, depth - 1, (*path, name))}"
                alias = self.alias()
                return f"{alias}: {name}{self.directive()} {self.object(edge.target, depth - 1, (*path, alias))}"
            case _:
                plain = [name for name, each in fields.items() if isinstance(each, ColumnField | IdField)]
                alias = f"{self.alias()}: " if self.chance(4) else ""
                return f"{alias}{self.draw(st.sampled_from(plain))}{self.directive()}"

    def _spread(self, type_: str, depth: int, path: tuple[str, ...]) -> str:
        match self.draw(st.integers(0, 3)):
            case 0:
                return f"...{self.directive()} {self.object(type_, depth, path)}"
            case 1:
                return f"... on {type_}{self.directive()} {self.object(type_, depth, path)}"
            case 2 if found := self.named.get((type_, depth)):
                return f"...{self.draw(st.sampled_from(found))}{self.directive()}"
            case _:
                name = f"F{len(self.fragments)}"
                self.fragments.append("")
                self.fragments[int(name[1:])] = f"fragment {name} on {type_} {self.object(type_, depth, path)}"
                self.named.setdefault((type_, depth), []).append(name)
                return f"...{name}{self.directive()}"

    # --- connections --------------------------------------------------------------------------------------------------

    def connection(self, parent: str, name: str, target: str, depth: int, path: tuple[str, ...]) -> str:
        alias = self.alias()
        path = (*path, alias)
        values: dict[str, Json] = {}
        if self.draw(st.booleans()):
            values["where"] = self.inputs.where(target)
        if self.draw(st.booleans()):
            values["orderBy"] = self.inputs.order(target)
        backward = self.chance(3)
        if backward or self.draw(st.booleans()):
            values["last" if backward else "first"] = self.draw(st.sampled_from([0, 1, 2, 3, 5, 1000, None]))
        if target in self.searchable and self.chance(4):
            values["nearest"] = self.inputs.nearest()
        if self.chance(_FAULTS):
            self.faults += 1
            values |= self.inputs.fault(target)
        given = self.arguments(parent, name, values)
        parts = [self._connection_part(target, depth, path) for _ in range(self.draw(st.integers(1, 3)))]
        walked = False
        for bound in ("after", "before"):
            if bound not in values and self.chance(3):
                given = f"{given[:-1]}, " if given else "("
                variable = self.variable("String", None)
                self.cursors.append(CursorUse(variable[1:], self._list(path), self.draw(st.integers(0, 20))))
                walked = True
                given += f"{bound}: {variable})"
        if walked:
            parts.append("cursors: edges { cursor }")
        return f"{alias}: {name}{given}{self.directive()} {{ {' '.join(parts)} }}"

    def _list(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Whose cursors a list is given: its own, and now and then another's."""
        others = sorted({use.path for use in self.cursors} - {path})
        if not others or not self.chance(6):
            return path
        self.faults += 1
        return self.draw(st.sampled_from(others))

    def _connection_part(self, target: str, depth: int, path: tuple[str, ...]) -> str:
        match self.draw(st.sampled_from(["nodes", "nodes", "edges", "pageInfo", "totalCount", "aggregate", "meta"])):
            case "nodes":
                return f"nodes{self.directive()} {self.object(target, depth, (*path, 'nodes'))}"
            case "edges":
                node = self.object(target, depth, (*path, "edges", "node"))
                cursor = self.draw(st.sampled_from(["cursor", "__typename", "at: cursor", ""]))
                return f"edges {{ {cursor} node {node} }}"
            case "pageInfo":
                names = ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename"]
                chosen = self.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
                return f"pageInfo {{ {' '.join(chosen)} }}"
            case "totalCount":
                return f"totalCount{self.directive()}"
            case "aggregate":
                return self._aggregate(target)
            case _:
                return "__typename"

    # --- aggregates ---------------------------------------------------------------------------------------------------

    def _aggregate(self, target: str) -> str:
        values: dict[str, Json] = {}
        by = self.inputs.group_by(target) if self.draw(st.booleans()) else []
        if by:
            values["groupBy"] = by
            if self.draw(st.booleans()):
                values["having"] = self.inputs.having(target)
            values["orderBy"] = self.inputs.group_order(target, by)
            if self.chance(3):
                values["first"] = self.draw(st.integers(0, 3))
        given = self.arguments(f"{target}Connection", "aggregate", values)
        parts = [self._figure(target, by) for _ in range(self.draw(st.integers(1, 3)))]
        return f"{self.alias()}: aggregate{given} {{ {' '.join(parts)} }}"

    def _figure(self, target: str, by: list[dict[str, Json]]) -> str:
        fields = cast(GraphQLObjectType, self.schema.type_map[f"{target}Aggregate"]).fields
        name = self.draw(st.sampled_from(sorted(fields)))
        match name:
            case "count":
                return self.draw(st.sampled_from(["count", "n: count __typename"]))
            case "key":
                names = [self._key_field(target, term["field"]) for term in by] or ["__typename"]
                return f"key {{ {' '.join(names)} }}"
        given = ""
        if name == "percentile":
            fraction = self.draw(st.sampled_from([0, 0.25, 0.5, 0.9, 1]))
            given = self.arguments(f"{target}Aggregate", name, {"p": fraction})
        below = cast(GraphQLObjectType, get_named_type(fields[name].type)).fields
        chosen = self.draw(st.lists(st.sampled_from(sorted(below)), min_size=1, max_size=3, unique=True))
        return f"{self.alias()}: {name}{given} {{ {' '.join(chosen)} }}"

    def _key_field(self, target: str, value: str) -> str:
        fields = self.inputs.mappings[target].fields
        if value == "ROW_ID":
            return "rowId"
        return next(
            name
            for name, each in fields.items()
            if name != "rowId" and isinstance(each, ColumnField) and each.column == value.lower()
        )

    # --- roots --------------------------------------------------------------------------------------------------------

    def root(self) -> str:
        name = self.draw(st.sampled_from(_ROOTS))
        if name in _ELSEWHERE:
            around = self.alias()
            return f"{around}: elsewhere {{ __typename {self._root('DiffElsewhere', name, (around,))} }}"
        return self._root("Query", name, ())

    def _root(self, parent: str, name: str, path: tuple[str, ...]) -> str:
        returned = get_named_type(cast(GraphQLObjectType, self.schema.type_map[parent]).fields[name].type).name
        if returned.endswith("Connection"):
            target = returned.removesuffix("Connection")
            return self.connection(parent, name, target, _DEPTH, path)
        target = self.draw(st.sampled_from(self._of_one_row_each())) if name == "node" else returned
        id_ = self.inputs.id(target)
        if self.chance(_FAULTS):
            self.faults += 1
            id_ = self.inputs.wrong_id(target)
        given = self.arguments(parent, name, {"id": id_})
        alias = self.alias()
        below = self.object(target, _DEPTH, (alias,))
        return f"{alias}: {name}{given}{self.directive()} " + (
            f"{{ __typename ... on {target} {below} }}" if name == "node" else below
        )

    def _of_one_row_each(self) -> list[str]:
        """The types of whose ids none is that of several rows, any of which may be answered."""
        return sorted(name for name, mapping in self.inputs.mappings.items() if not mapping.table.apart)

    def document(self) -> Drawn:
        roots = [self.root() for _ in range(self.draw(st.integers(1, 2)))]
        given = f"({', '.join(self.definitions)})" if self.definitions else ""
        text = "\n".join([f"query Random{given} {{ {' '.join(roots)} }}", *self.fragments])
        if self.variables and self.chance(12):
            self.faults += 1
            self.variables[self.draw(st.sampled_from(sorted(self.variables)))] = {"no such": "field"}
        return Drawn(text, self.variables, tuple(self.cursors), self.faults, self.draw(st.integers(0, 2**32)))


def as_literal(value: Json, type_: GraphQLInputType) -> str | None:
    """`None` where a key of a JSON object is no name."""
    bare: Any = get_nullable_type(type_)
    if isinstance(value, str) and isinstance(bare, GraphQLEnumType):
        return str(value)
    match value:
        case list():
            of_type = bare.of_type if is_list_type(bare) else bare
            parts = [as_literal(each, of_type) for each in value]
            return None if None in parts else "[" + ", ".join(map(str, parts)) + "]"
        case dict():
            if not all(name.isascii() and name.isidentifier() for name in value):
                return None
            inner = bare.fields if isinstance(bare, GraphQLInputObjectType) else None
            pairs = {name: as_literal(each, inner[name].type if inner else bare) for name, each in value.items()}
            return None if None in pairs.values() else "{" + ", ".join(f"{n}: {v}" for n, v in pairs.items()) + "}"
        case _:
            return json.dumps(value, ensure_ascii=False)


@st.composite
def documents(draw: st.DrawFn, schema: GraphQLSchema, mappings: Any, data: Any) -> Drawn:
    return Writing(Inputs(draw, schema, mappings, data)).document()
