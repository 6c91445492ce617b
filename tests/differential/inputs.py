"""Random values of input types, as JSON has them: filters, orders, groups. Operands are values that rows have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias, cast

from graphql import GraphQLInputObjectType, GraphQLSchema, get_named_type
from hypothesis import strategies as st

from loaders.description import Kind
from schema.mapping.object import ColumnField, EdgeField, IdField, ObjectMapping
from tests.differential.oracle.execute import node_id
from tests.differential.oracle.world import World
from tests.differential.rows import DOCS, Data
from tests.differential.tables import TONES

Json: TypeAlias = Any
_PATTERNS = ["%", "_", "%a%", "a\\%b", "a\\_%", "A%", "%É", "", "%\\\\%", "日本%", "__"]
_BOXES = [[-180, -90, 180, 90], [6, 40, 7, 50], [170, -50, -170, 50], [0, 0, 0, 0]]
JSON_VALUES = [
    *DOCS,
    12345678901234567890123,
    {"n": 12345678901234567890123},
    {"a": [1, {"b": None}]},
    {"a": 1},
    {"a": [1]},
    [1],
    1,
    "a",
    [[3]],
    {"deep": {"er": {}}},
]
_PATHS = [["a"], ["a", "0"], ["a", "-1"], ["a", "1", "b"], ["n"], ["x"], ["name"], ["deep", "er", "est"], ["0"], ["-1"]]
_PATHS += [["3", "0"], ["deep"], ["😀"], []]
_INSIDE = ["1", "a", "日本", '{"b": null}', "0.1", "[true, [], {}]", "true", "", "12345678901234567890123"]
_NUMBERS = st.sampled_from(["1", "0.1", "12345678901234567890123", "-2", "1.0"])
POINTS = [[-179.5, -45.5], [6.5, 46.25], [0.0, 0.0]]
RECTANGLES = [
    {"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]]}
    for w, s, e, n in ([-10, -10, 10, 60], [5, 40, 7, 50], [-180, -60, -1, 10], [100, 0.5, 120, 1])
]
_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
DIRECTIONS = ("ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_LAST")
_FRACTIONAL = ("avg", "stddev")
UNEQUAL = (-2.718, 0.577, 1e9)
"""What no estimate is equal to."""


@dataclass(frozen=True, slots=True)
class Inputs:
    draw: st.DrawFn
    schema: GraphQLSchema
    mappings: Mapping[str, ObjectMapping]
    data: Data

    # --- rows ---------------------------------------------------------------------------------------------------------

    def where(self, type_: str, depth: int = 2) -> Json:
        names = self._fields(f"{type_}Filter")
        if depth == 0:
            names = [name for name in names if self._is_flat(type_, name)]
        rich = [name for name in names if self._kind(type_, name) in (Kind.JSON, Kind.GEOMETRY, Kind.ARRAY)]
        chosen = self.draw(st.lists(st.sampled_from(names + 4 * rich), max_size=2, unique=True))
        return {name: self._condition(type_, name, depth) for name in chosen}

    def _kind(self, type_: str, name: str) -> Kind | None:
        mapping = self.mappings[type_]
        declared = mapping.fields.get(name)
        return mapping.table.column(declared.column).type.kind if isinstance(declared, ColumnField) else None

    def _is_flat(self, type_: str, name: str) -> bool:
        return isinstance(self.mappings[type_].fields.get(name), ColumnField | IdField)

    def _condition(self, type_: str, name: str, depth: int) -> Json:
        match name:
            case "and" | "or":
                return [self.where(type_, depth - 1) for _ in range(self.draw(st.integers(0, 2)))]
            case "not":
                return self.where(type_, depth - 1)
        mapping = self.mappings[type_]
        match mapping.fields[name]:
            case IdField():
                ids = [self.id(type_) for _ in range(self.draw(st.integers(1, 3)))]
                return self.draw(st.sampled_from([{"eq": ids[0]}, {"in": ids}, {"in": []}]))
            case ColumnField(column):
                operands = self._operators(get_named_type(self._input(f"{type_}Filter").fields[name].type).name)
                return {op: self._operand(mapping, column, op) for op in operands}
            case EdgeField(target, _, _, many, _):
                if not many:
                    return self.where(target, depth - 1)
                quantifiers = st.lists(st.sampled_from(["some", "every", "none"]), min_size=1, max_size=2, unique=True)
                return {quantifier: self.where(target, depth - 1) for quantifier in self.draw(quantifiers)}
        raise AssertionError(name)

    def _operators(self, filter_: str) -> list[str]:
        return self.draw(st.lists(st.sampled_from(self._fields(filter_)), min_size=1, max_size=2, unique=True))

    def _operand(self, mapping: ObjectMapping, column: str, op: str) -> Json:
        match op:
            case "isNull":
                return self.draw(st.booleans())
            case "like" | "ilike":
                return self.draw(st.sampled_from(_PATTERNS))
            case "bbox":
                return self.draw(st.sampled_from(_BOXES))
            case "intersects" | "within":
                return self.draw(st.sampled_from(RECTANGLES))
            case "dWithin":
                point = {"type": "Point", "coordinates": self.draw(st.sampled_from(POINTS))}
                return {"geometry": point, "metres": self.draw(st.sampled_from([1.0, 3_000_000.0, 25_000_000.0]))}
            case "path":
                return [self._at_path() for _ in range(self.draw(st.integers(0, 2)))]
            case "hasKey":
                return self.draw(st.sampled_from(["a", "deep", "text", "😀", "n"]))
            case "contains" | "containedBy" if mapping.table.column(column).type.kind is Kind.ARRAY:
                return self._items(mapping, column)
            case "contains" | "containedBy":
                return self.draw(st.sampled_from(JSON_VALUES))
            case "in" | "notIn":
                return [self.value(mapping, column) for _ in range(self.draw(st.integers(0, 3)))]
            case _:
                return self.value(mapping, column)

    def _at_path(self) -> Json:
        operators = [op for op in self._fields("JSONPathFilter") if op != "at"]
        chosen = self.draw(st.lists(st.sampled_from(operators), max_size=2, unique=True))
        return {"at": self.draw(st.sampled_from(_PATHS))} | {op: self._inside(op) for op in chosen}

    def _inside(self, op: str) -> Json:
        texts = st.sampled_from(_INSIDE)
        match op:
            case "isNull":
                return self.draw(st.booleans())
            case "like" | "ilike":
                return self.draw(st.sampled_from(_PATTERNS))
            case "in" | "notIn":
                return self.draw(st.lists(texts, max_size=3))
            case "number":
                return {self.draw(st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"])): self.draw(_NUMBERS)}
            case _:
                return self.draw(texts)

    def _items(self, mapping: ObjectMapping, column: str) -> list[Json]:
        """Some of those that stand in the arrays of the column; more often all of one."""
        arrays = [row[column] for row in self.data[mapping.table.name] if row[column]]
        found = [as_json(item) for item in self.draw(st.sampled_from(arrays or [["1"]]))]
        return self.draw(st.one_of(st.just(found), st.lists(st.sampled_from([*found, "7"]), max_size=3)))

    def nearest(self) -> Json:
        axis = [0.0, 0.0, 0.0]
        axis[self.draw(st.integers(0, 2))] = self.draw(st.sampled_from([1.0, -1.0, 1e30, 0.001]))
        return {"mood": {"vector": axis}}

    def value(self, mapping: ObjectMapping, column: str) -> Json:
        """One that stands in the column, as its input has it."""
        if mapping.table.column(column).type.enumeration is not None:
            return self.draw(st.sampled_from(sorted(TONES)))
        rows = self.data[mapping.table.name]
        values = [row[column] for row in rows if row[column] is not None]
        if not values:
            return {Kind.BOOLEAN: True, Kind.INTEGER: 1, Kind.FLOAT: 0.5}.get(
                mapping.table.column(column).type.kind, "1"
            )
        return as_json(self.draw(st.sampled_from(values)))

    def id(self, type_: str) -> str:
        rows = self.data[self.mappings[type_].table.name]
        return node_id(type_, self.draw(st.sampled_from(rows)), World(self.mappings, {}))

    def wrong_id(self, type_: str) -> str:
        others = sorted(set(self.mappings) - {type_})
        return self.draw(
            st.sampled_from(["", "?", "bm90aGluZw", "RGlmZkl0ZW06eA", self.id(self.draw(st.sampled_from(others)))])
        )

    def fault(self, type_: str) -> dict[str, Json]:
        """Arguments of a list that are wrong, or may be."""
        return self.draw(
            st.sampled_from(
                [
                    {"first": -1},
                    {"last": -5},
                    {"first": 1001},
                    {"first": 1, "last": 1},
                    {"after": "no cursor"},
                    {"before": "W10"},
                    {"where": {"not": None}},
                    {"where": {"and": None}},
                    {"where": {"or": [{"id": {"eq": None}}]}},
                    {"where": {"id": {"eq": self.wrong_id(type_)}}},
                    {"where": {"id": {"in": [self.id(type_), self.wrong_id(type_)]}}},
                    {"orderBy": [{self._ordered_by(type_): "SIDEWAYS"}]},
                ]
            )
        )

    def _ordered_by(self, type_: str) -> str:
        fields = self.mappings[type_].fields
        return next(name for name in self._fields(f"{type_}OrderBy") if isinstance(fields[name], ColumnField))

    def order(self, type_: str) -> Json:
        return [self._term(type_, 2) for _ in range(self.draw(st.integers(0, 3)))]

    def _term(self, type_: str, joins: int) -> Json:
        fields = self.mappings[type_].fields
        names = self._fields(f"{type_}OrderBy")
        if not joins:
            names = [name for name in names if isinstance(fields[name], ColumnField)]
        name = self.draw(st.sampled_from(names))
        direction = self.draw(st.sampled_from(DIRECTIONS))
        match fields[name]:
            case EdgeField(many=True):
                return {name: {"count": direction}}
            case EdgeField(target):
                return {name: self._term(target, joins - 1)}
            case _:
                return {name: direction}

    # --- groups -------------------------------------------------------------------------------------------------------

    def group_by(self, type_: str) -> list[dict[str, Json]]:
        values = sorted(cast(Any, self.schema.type_map[f"{type_}GroupField"]).values)
        chosen = self.draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))
        return [{"field": value, **self._bucket(type_, value)} for value in chosen]

    def _bucket(self, type_: str, value: str) -> dict[str, Json]:
        table = self.mappings[type_].table
        kind = table.column(value.lower()).type.kind if table.has_column(value.lower()) else Kind.TEXT
        if kind not in (Kind.TIMESTAMP, Kind.DATE) or self.draw(st.booleans()):
            return {}
        unit = self.draw(st.sampled_from(_UNITS[3:] if kind is Kind.DATE else _UNITS))
        zoned = kind is Kind.TIMESTAMP and self.draw(st.booleans())
        return {"truncate": unit} | ({"timeZone": self.draw(st.sampled_from(ZONES))} if zoned else {})

    def having(self, type_: str, depth: int = 1) -> Json:
        names = [name for name in self._fields(f"{type_}Having") if depth or name not in ("and", "or", "not")]
        chosen = self.draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
        return {name: self._held(type_, name, depth) for name in chosen}

    def _held(self, type_: str, name: str, depth: int) -> Json:
        match name:
            case "and" | "or":
                return [self.having(type_, depth - 1) for _ in range(self.draw(st.integers(0, 2)))]
            case "not":
                return self.having(type_, depth - 1)
            case "count":
                return {self.draw(st.sampled_from(["eq", "gt", "lte"])): self.draw(st.integers(0, 3))}
        figure = cast(GraphQLInputObjectType, get_named_type(self._input(f"{type_}Having").fields[name].type))
        field = self.draw(st.sampled_from(sorted(figure.fields)))
        if name in _FRACTIONAL:
            return {field: {self.draw(st.sampled_from(["lt", "gt"])): self.draw(st.sampled_from(UNEQUAL))}}
        if name == "countDistinct":
            return {field: {self.draw(st.sampled_from(["eq", "gt"])): self.draw(st.integers(0, 3))}}
        operators = self._operators(get_named_type(figure.fields[field].type).name)
        column = cast(ColumnField, self.mappings[type_].fields[field]).column
        return {field: {op: self._operand(self.mappings[type_], column, op) for op in operators}}

    def group_order(self, type_: str, by: list[dict[str, Json]]) -> Json:
        kinds = {
            "KEY": [term["field"] for term in by],
            "COUNT": [None],
            **{name: self._figures(type_, suffix) for name, suffix in _SUFFIXES.items()},
        }
        terms = []
        for _ in range(self.draw(st.integers(0, 2))):
            name = self.draw(st.sampled_from([name for name, fields in sorted(kinds.items()) if fields]))
            field = self.draw(st.sampled_from(kinds[name]))
            direction = self.draw(st.sampled_from([None, *DIRECTIONS]))
            terms.append(
                {"figure": name}
                | ({} if field is None else {"field": field})
                | ({} if direction is None else {"direction": direction})
            )
        return terms

    def _figures(self, type_: str, suffix: str) -> list[str]:
        """The values of `GroupField` that have such figures."""
        made = self.schema.type_map.get(f"{type_}{suffix}")
        fields = self.mappings[type_].fields
        names = [] if made is None else sorted(cast(Any, made).fields)
        return ["ROW_ID" if n == "rowId" else cast(ColumnField, fields[n]).column.upper() for n in names]

    def _input(self, name: str) -> GraphQLInputObjectType:
        return cast(GraphQLInputObjectType, self.schema.type_map[name])

    def _fields(self, name: str) -> list[str]:
        return sorted(self._input(name).fields)


_SUFFIXES = {"COUNT_DISTINCT": "CountDistinct", "SUM": "Sum", "AVG": "Statistic", "MIN": "Extreme", "MAX": "Extreme"}


def as_json(value: Any) -> Json:
    match value:
        case bool() | float() | str():
            return value
        case int():
            return value if -(2**31) <= value < 2**31 else str(value)
        case datetime():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)
