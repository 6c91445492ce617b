"""Random documents over the mapping, each with two sets of variables that differ in values only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from hypothesis import strategies as st

from schema.build import build, graphql_schema
from schema.mapping.object import OBJECTS, ColumnField, EdgeField, IdField

ROOTS = {
    "gen": {"dataSources": "GenDataSource", "datasets": "GenDataset"},
    "sense": {
        "organizations": "SenseOrganization",
        "trackLogs": "SenseTrackLog",
        "holds": "SenseHold",
        "tracks": "SenseTrack",
    },
    "aura": {"workspaces": "AuraWorkspace"},
}
SCALARS: Mapping[str, list[Any]] = {
    "String": ["", "north", "%o%", "S", "no\\th", "é", "x' OR 1=1"],
    "ID": ["U2Vuc2VPcmdhbml6YXRpb246MQ", "U2Vuc2VPcmdhbml6YXRpb246Mg", "bm9uc2Vuc2U"],
    "Int": [0, 1, 2, 7],
    "Float": [0.0, -1.5, 1e9, 46.5],
    "Boolean": [True, False],
    "BigInt": ["1", "2", "9223372036854775807"],
    "DateTime": ["2020-01-01T00:00:00Z", "2026-06-01T12:00:00+02:00"],
    "Date": ["2026-01-31"],
    "Decimal": ["1.5", "0"],
    "UUID": ["00000000-0000-0000-0000-000000000001", "ffffffff-ffff-4fff-bfff-ffffffffffff"],
    "JSON": [{"a": 1}, [], "x", 3],
    "GeoJSON": [{"type": "Point", "coordinates": [6.1, 46.2]}],
    "H3Index": ["8a1fb46622dffff"],
    "Base64": ["AAAA"],
}


_PARTS = (
    "nodes NODE",
    "edges { cursor node NODE }",
    "totalCount nodes NODE",
    "__typename totalCount",
    "pageInfo { hasNextPage endCursor } n: nodes NODE",
)


@dataclass(frozen=True, slots=True)
class Drawn:
    text: str
    variables: tuple[dict[str, Any], dict[str, Any]]


def _leads_on(type_: GraphQLInputType) -> bool:
    """Whether it is a condition or an order of other rows."""
    named = get_named_type(type_)
    return isinstance(named, GraphQLInputObjectType) and (named.is_one_of or bool({"and", "some"} & set(named.fields)))


@dataclass(slots=True)
class _Writing:
    draw: st.DrawFn
    definitions: list[str] = field(default_factory=list)
    variables: tuple[dict[str, Any], dict[str, Any]] = field(default_factory=lambda: ({}, {}))

    def argument(self, type_: GraphQLInputType, *, required: bool = False) -> str:
        """Source text of a value: a literal or a variable, at every depth."""
        if self.draw(st.booleans()):
            name = f"v{len(self.definitions)}"
            self.definitions.append(f"${name}: {type_}{'!' if required else ''}")
            shape = self.draw(st.integers(0, 2**32))
            for values in self.variables:
                values[name] = self._value(type_, shape)
            return f"${name}"
        bare: Any = get_nullable_type(type_)
        if is_list_type(bare):
            return "[" + ", ".join(self.argument(bare.of_type) for _ in range(self.draw(st.integers(0, 2)))) + "]"
        if isinstance(bare, GraphQLInputObjectType):
            fields = self._some(sorted(bare.fields), one=bare.is_one_of)
            return (
                "{"
                + ", ".join(
                    f"{name}: {self.argument(bare.fields[name].type, required=bare.is_one_of)}" for name in fields
                )
                + "}"
            )
        if isinstance(bare, GraphQLEnumType):
            return str(self.draw(st.sampled_from(sorted(bare.values))))
        return _literal(self.draw(st.sampled_from(SCALARS[bare.name])))

    def _value(self, type_: GraphQLInputType, shape: int) -> Any:
        """A value of a variable: `shape` decides its dicts and lists, so that they are the same in both sets."""
        bare: Any = get_nullable_type(type_)
        if is_list_type(bare):
            return [self._value(bare.of_type, shape // 3) for _ in range(shape % 3)]
        if isinstance(bare, GraphQLInputObjectType):
            names = sorted(bare.fields)
            if shape < 50 and "and" in names:
                names = [name for name in names if name not in ("and", "or", "not")]
            if not shape:  # nothing decides any more, and relations lead in circles
                names = [name for name in names if not _leads_on(bare.fields[name].type)] or names
            name = names[shape % len(names)]
            return {name: self._value(bare.fields[name].type, shape // len(names))}
        if isinstance(bare, GraphQLEnumType):
            return self.draw(st.sampled_from(sorted(bare.values)))
        return self.draw(st.sampled_from(SCALARS[bare.name]))

    def _some(self, names: list[str], *, one: bool = False) -> list[str]:
        return self.draw(st.lists(st.sampled_from(names), min_size=int(one), max_size=1 if one else 2, unique=True))

    def directive(self) -> str:
        if self.draw(st.integers(0, 5)):
            return ""
        kind = self.draw(st.sampled_from(["include", "skip"]))
        name = f"v{len(self.definitions)}"
        self.definitions.append(f"${name}: Boolean!")
        for values in self.variables:
            values[name] = self.draw(st.booleans())
        return f" @{kind}(if: ${name})"

    def connection(self, parent: str, name: str, target: str, depth: int, alias: str) -> str:
        schema = graphql_schema(build())
        parent_type: Any = schema.type_map[parent]
        arguments = []
        for argument in self._some(["where", "orderBy", "first"]):
            arguments.append(f"{argument}: {self.argument(parent_type.fields[name].args[argument].type)}")
        given = f"({', '.join(arguments)})" if arguments else ""
        part = self.draw(st.sampled_from(_PARTS))
        if "NODE" in part:
            part = part.replace("NODE", self.node(target, depth))
        return f"{alias}: {name}{given}{self.directive()} {{ {part} }}"

    def node(self, target: str, depth: int) -> str:
        mapping = OBJECTS[target]
        parts = ["__typename"]
        plain = [name for name, each in mapping.fields.items() if isinstance(each, ColumnField | IdField)]
        parts += [f"{name}{self.directive()}" for name in self._some(plain)]
        edges = [(name, each) for name, each in mapping.fields.items() if isinstance(each, EdgeField)]
        if depth and edges:
            name, edge = self.draw(st.sampled_from(edges))
            if edge.many:
                parts.append(self.connection(target, name, edge.target, depth - 1, f"e{depth}"))
            else:
                parts.append(f"e{depth}: {name} {self.node(edge.target, depth - 1)}")
        return "{ " + " ".join(parts) + " }"


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(each)}" for name, each in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


@st.composite
def documents(draw: st.DrawFn) -> Drawn:
    writing = _Writing(draw)
    roots = []
    for place in range(draw(st.integers(1, 2))):
        space = draw(st.sampled_from(sorted(ROOTS)))
        name = draw(st.sampled_from(sorted(ROOTS[space])))
        query: Any = graphql_schema(build()).query_type
        parent = get_named_type(query.fields[space].type).name
        connection = writing.connection(parent, name, ROOTS[space][name], draw(st.integers(0, 3)), f"r{place}")
        roots.append(f"{space} {{ {connection} }}")
    given = f"({', '.join(writing.definitions)})" if writing.definitions else ""
    return Drawn(f"query Random{given} {{ {' '.join(roots)} }}", writing.variables)
