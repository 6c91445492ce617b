"""The same document with other values of its variables: what is kept for the first must be right for these."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    ListValueNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    type_from_ast,
    visit,
)

from schema.mapping.object import ObjectMapping
from tests.differential.inputs import DIRECTIONS, JSON_VALUES, POINTS, RECTANGLES, UNEQUAL, ZONES, Json, as_json
from tests.differential.oracle.execute import node_id
from tests.differential.oracle.world import World
from tests.differential.rows import BIGS, DAYS, INSTANTS, INTEGERS, PRICES, RATIOS, TEXTS, Data
from tests.differential.tables import ITEMS

_DIGITS = 38
"""More of them ClickHouse does not compare with (loaders/columnar/predicate.py)."""
_POOLS: Mapping[str, list[Any]] = {
    "String": [text for text in TEXTS if not text.endswith("\\")],  # it may be a pattern, where an escape needs a next
    "BigInt": BIGS,
    "Decimal": [
        *(price for price in PRICES if len(format(price, "f").strip("-0").replace(".", "")) <= _DIGITS),
        Decimal(1),
    ],
    "DateTime": INSTANTS,
    "Date": DAYS,
}
_PAGES = (0, 1, 2, 3, 5)
_FRACTIONS = (0.25, 0.5, 0.9, 1)


class Anew:
    """Nothing of it is a mistake of the caller that was none before."""

    def __init__(self, seed: int, schema: GraphQLSchema, mappings: Mapping[str, ObjectMapping], data: Data) -> None:
        self._chance = random.Random(seed)
        self._schema = schema
        self._mappings = mappings
        self._data = data

    def variables(self, text: str, given: Mapping[str, Json], kept: set[str]) -> dict[str, Json]:
        """All that are given, those that are to be `kept` as they are.

        Coordinates are kept too: a vector that is no axis has similarities that are equal by algebra alone.
        """
        document = parse(text)
        (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
        visit(document, coordinates := _Coordinates())
        types = {
            each.variable.name.value: cast(GraphQLInputType, type_from_ast(self._schema, each.type))
            for each in operation.variable_definitions or ()
        }
        kept = kept | {name for name in coordinates.names if get_named_type(types[name]).name == "Float"}
        return {name: value if name in kept else self._value(value, types[name]) for name, value in given.items()}

    def _value(self, value: Json, type_: GraphQLInputType) -> Json:
        bare: Any = get_nullable_type(type_)
        match bare:
            case _ if value is None:
                return None
            case _ if is_list_type(bare):
                return self._list(value, bare.of_type)
            case GraphQLInputObjectType():
                if not isinstance(value, dict) or not value.keys() <= bare.fields.keys():
                    return value
                return {name: self._value(below, bare.fields[name].type) for name, below in value.items()}
            case GraphQLEnumType(name="SortOrder") if value in DIRECTIONS:
                return self._chance.choice(DIRECTIONS)
            case GraphQLEnumType():
                return value
            case _ if isinstance(value, dict) and bare.name != "JSON" and "type" not in value:  # a mistake
                return value
            case _:
                return self._leaf(value, bare.name)

    def _list(self, value: Json, item: GraphQLInputType) -> Json:
        bare: Any = get_nullable_type(item)
        if not isinstance(value, list) or bare.name == "Float":  # a box, a vector
            return value
        if isinstance(bare, GraphQLInputObjectType | GraphQLEnumType) or not value:
            return [self._value(each, item) for each in value]
        return [self._value(self._chance.choice(value), item) for _ in range(self._chance.randrange(4))]

    def _leaf(self, value: Json, name: str) -> Json:
        match name:
            case "Boolean":
                return self._chance.random() < 0.5
            case "Int":
                return self._chance.choice(_PAGES if 0 <= value <= 1_000 else INTEGERS)
            case "Float" if value in UNEQUAL or abs(value) > 1_000:
                return value
            case "Float":
                return self._chance.choice(_FRACTIONS if 0 <= value <= 1 else RATIOS)
            case "String" if value in ZONES:
                return self._chance.choice(ZONES)
            case "GeoJSON":
                points = [{"type": "Point", "coordinates": each} for each in POINTS]
                return self._chance.choice(RECTANGLES if value["type"] == "Polygon" else points)
            case "UUID":
                return str(self._chance.choice([row["id"] for row in self._data[ITEMS.name]]))
            case "ID":
                return self._id(value)
            case "JSON":
                return self._chance.choice(JSON_VALUES)
            case _:
                return as_json(self._chance.choice(_POOLS[name]))

    def _id(self, value: str) -> str:
        """Of the same type, where it is the id of a row."""
        world = World(self._mappings, {})
        for name, mapping in self._mappings.items():
            ids = [node_id(name, row, world) for row in self._data[mapping.table.name]]
            if value in ids:
                return self._chance.choice(ids)
        return value


class _Coordinates(Visitor):
    """The variables that stand in lists."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_list_value(self, node: ListValueNode, *_: object) -> None:
        self.names |= {value.name.value for value in node.values if isinstance(value, VariableNode)}
