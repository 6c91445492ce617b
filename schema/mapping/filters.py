"""`where`: generates the input types of a table-backed type, and turns their values into predicates of a `Read`."""

import math
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache, partial
from typing import Any, cast
from uuid import UUID

import strawberry

from loaders.description import Kind, Table
from loaders.encode.node_id import decode_node_id, split_key
from loaders.encode.number import exact_text
from loaders.encode.value import decode_value
from loaders.errors import BadInput, InvalidId
from loaders.read import Among, And, Col, Compare, Exists, Expression, JsonPath, Not, Op, Or, Predicate, Slot, Value
from resolvers.geojson import check_geometry
from schema.mapping import types
from schema.mapping.enums import stored
from schema.mapping.kinds import OPERATORS, filter_type
from schema.mapping.object import OBJECTS, ColumnField, EdgeField, IdField, ObjectMapping, join, joinable
from schema.mapping.unknown import not_true
from schema.mapping.variables import decide, take

MAX_IDS = 1_000
"""Of one `in`: as many as a page has rows."""
_DECODED = 4 * MAX_IDS
"""Ids that stay decoded: a list is used in several places of a document, and looked at more than once in each."""

IdFilter = types.make_input(
    "IDFilter",
    {
        "eq": (strawberry.ID, "This global id."),
        "in": (list[strawberry.ID], "One of these global ids: at most 1,000."),
    },
    "Filter for global ids.",
)


def make_filter(mapping: ObjectMapping) -> None:
    """Registers `{type}Filter` and `{type}ManyFilter`."""
    own = types.lazy(f"{mapping.name}Filter")
    fields: dict[str, tuple[Any, str]] = {
        "and": (types.list_of(own), "All of these conditions hold."),
        "or": (types.list_of(own), "At least one of these conditions holds."),
        "not": (own, "This condition does not hold."),
    }
    for name, field in mapping.fields.items():
        match field:
            case IdField():
                fields[name] = (IdFilter, "Condition on the global id.")
            case ColumnField(column):
                fields[name] = (filter_type(mapping.table.column(column).type), f"Condition on `{name}`.")
            case EdgeField(target, _, _, many, _) if joinable(mapping, target):
                suffix = "ManyFilter" if many else "Filter"
                fields[name] = (types.lazy(target + suffix), f"Condition on the related `{name}`.")
    types.make_input(
        f"{mapping.name}Filter", fields, f"Filter for `{mapping.name}` rows. All given conditions must hold."
    )
    quantified = {
        "some": (own, "At least one related row satisfies this filter."),
        "every": (own, "Every related row satisfies this filter; also true without related rows."),
        "none": (own, "No related row satisfies this filter."),
    }
    types.make_input(
        f"{mapping.name}ManyFilter",
        quantified,
        f"Filter by related `{mapping.name}` rows. All given conditions must hold.",
    )


# --- values -----------------------------------------------------------------------------------------------------------


def predicate(where: Mapping[str, Any] | None, mapping: ObjectMapping) -> Predicate | None:
    """The predicate of a coerced `where` value; `None` if it sets no condition. Raises `BadInput` for a null that has
    no meaning.
    """
    terms: list[Predicate] = []
    for name, value in (where or {}).items():
        if value is None:
            raise BadInput(f"`{name}` in `where` of {mapping.name} is null. Leave it out, or use `isNull`.")
        match name:
            case "and":
                terms.append(And(tuple(_all(value, mapping))))
            case "or":
                terms.append(Or(tuple(_all(value, mapping))))
            case "not":
                terms += [Not(term) for term in _all([value], mapping)]
            case _:
                terms += _field(name, value, mapping)
    return And(tuple(terms)) if len(terms) > 1 else terms[0] if terms else None


def _all(values: list[Mapping[str, Any]], mapping: ObjectMapping) -> list[Predicate]:
    return [predicate(value, mapping) or And(()) for value in values]


def _field(name: str, value: Mapping[str, Any], mapping: ObjectMapping) -> list[Predicate]:
    match mapping.fields[name]:
        case IdField():
            operands = _operands(name, value).items()
            return [has_id(ids, mapping) if op == "eq" else has_id_of(ids, mapping) for op, ids in operands]
        case ColumnField(column):
            return comparisons(name, Col(column), mapping.table.column(column).type.kind, value)
        case EdgeField() as edge:
            target = OBJECTS[edge.target]
            if not edge.many:
                return [Exists(join(edge), predicate(value, target))]
            return [_quantified(q, predicate(v, target), edge) for q, v in _operands(name, value).items()]
    raise AssertionError(f"{name} cannot be filtered")


def comparisons(name: str, expression: Expression, kind: Kind, operands: Mapping[str, Any]) -> list[Predicate]:
    """The conditions of a filter of that kind on a value; `name` is how errors refer to it."""
    found: list[Predicate] = []
    for operator, value in _operands(name, operands).items():
        if operator == "path":
            assert isinstance(expression, Col)
            found += [each for at in value for each in _at_path(name, expression.name, at)]
        else:
            op = OPERATORS[kind][operator]
            found.append(_constant(op, value) or Compare(expression, op, _operand(op, value, kind)))
    return found


def _constant(op: Op, value: Any) -> Predicate | None:
    """The result of `in` or `notIn` with an empty list: false or true for every row, also where the value is null."""
    if op not in (Op.IN, Op.NOT_IN) or decide(value, bool):
        return None
    return Or(()) if op is Op.IN else And(())


def _at_path(name: str, column: str, operands: Mapping[str, Any]) -> list[Predicate]:
    """Conditions on what stands at a path inside a JSON column, as text and as a number."""
    path = cast("tuple[str, ...]", take(operands["at"], tuple))
    as_text = {each: value for each, value in operands.items() if each not in ("at", "number")}
    found = comparisons(name, JsonPath(column, path), Kind.TEXT, as_text)
    if "number" not in operands:
        return found
    number = _operands(name, {"number": operands["number"]})["number"]
    return [*found, *comparisons(name, JsonPath(column, path, number=True), Kind.NUMERIC, number)]


def _operands(name: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    for operator, operand in value.items():
        if operand is None:
            raise BadInput(f"`{operator}` of `{name}` is null. Leave it out, or use `isNull`.")
    return value


def _quantified(quantifier: str, where: Predicate | None, edge: EdgeField) -> Predicate:
    match quantifier:
        case "some":
            return Exists(join(edge), where)
        case "none":
            return Not(Exists(join(edge), where))
        case _:
            return Not(Exists(join(edge), not_true(where))) if where is not None else And(())


def _operand(op: Op, value: Any, kind: Kind) -> Value:
    return decide(value, bool) if op is Op.IS_NULL else take(value, partial(_value, op, kind))


def _value(op: Op, kind: Kind, value: Any) -> Value:
    match op:
        case Op.IN | Op.NOT_IN:
            if None in value:
                raise BadInput("A list of values holds a null. Use `isNull` beside `in`.")
            return tuple(map(stored, value)) if value and isinstance(value[0], Enum) else tuple(value)
        case Op.BBOX:
            if len(value) != 4:
                raise BadInput("`bbox` takes four numbers: west, south, east, north.")
            _, south, _, north = value
            if not all(map(math.isfinite, value)) or south > north:
                raise BadInput("`bbox` takes finite degrees, and its south is not north of its north.")
            return tuple(value)
        case Op.INTERSECTS | Op.WITHIN:
            return _geometry(value)
        case Op.DWITHIN:
            if not 0 <= value["metres"] < math.inf:
                raise BadInput("`metres` of `dWithin` is a distance: 0 or more.")
            return (_geometry(value["geometry"]), value["metres"])
        case Op.CONTAINS | Op.CONTAINED_BY if kind is Kind.JSON:
            return _json_text(value)
        case _:
            return stored(value)


def _geometry(text: str) -> str:
    try:
        check_geometry(text)
    except ValueError as error:
        raise BadInput(f"A GeoJSON value of the filter {error}.") from error
    return text


def _json_text(value: Any) -> str:
    try:
        text = exact_text(value)
        text.encode()
    except (RecursionError, UnicodeEncodeError) as error:
        raise BadInput("A JSON value to compare with is nested too deep, or has half of a surrogate pair.") from error
    return text


def has_id(node_id: Any, mapping: ObjectMapping) -> Predicate:
    """The condition that selects the row with this global id. Raises `InvalidId` for an id of another type; a key that
    no row can have matches nothing.
    """
    parts = [take(node_id, partial(_part, mapping.name, place)) for place in range(len(mapping.table.key))]
    terms = tuple(Compare(Col(c), Op.EQ, v) for c, v in zip(mapping.table.key, parts, strict=True))
    return terms[0] if len(terms) == 1 else And(terms)


def has_id_of(ids: Any, mapping: ObjectMapping) -> Predicate:
    """The condition that selects the rows with these global ids, as `has_id`. Raises `BadInput` for too many ids."""
    if len(mapping.table.key) == 1:
        return Compare(Col(mapping.table.key[0]), Op.IN, take(ids, partial(_single_keys, mapping.name)))
    rows = cast("tuple[tuple[Value, ...], ...] | Slot", take(ids, partial(_keys, mapping.name)))
    return Among(mapping.table.key, rows)


def _part(type_name: str, place: int, node_id: str) -> Value:
    return _key(node_id, type_name)[place]


def _single_keys(type_name: str, ids: list[str]) -> tuple[Value, ...]:
    return tuple(key for (key,) in _keys(type_name, ids))


def _keys(type_name: str, ids: list[str]) -> tuple[tuple[Value, ...], ...]:
    if len(ids) > MAX_IDS:
        raise BadInput(
            f"`in` holds {len(ids)} ids, and at most {MAX_IDS} are looked up at once. Ask for them in parts."
        )
    return tuple(_key(node_id, type_name) for node_id in ids)


@lru_cache(_DECODED)
def _key(node_id: str, type_name: str) -> tuple[Value, ...]:
    return row_key(node_id, OBJECTS[type_name])


def row_key(node_id: str, mapping: ObjectMapping) -> tuple[Value, ...]:
    """The key in a global id of a row of `mapping`. Raises `InvalidId`, which shows the id as it was `given`."""
    try:
        type_name, text = decode_node_id(node_id)
        if type_name != mapping.name:
            raise InvalidId(f"The id is one of a {type_name}, and a {mapping.name} is asked for.")
        return parse_key(text, mapping.table)
    except InvalidId as error:
        raise InvalidId(str(error), given=node_id) from error


def uuid_key(node_id: str, type_name: str) -> UUID:
    """`row_key` of a type whose key is one UUID."""
    (key,) = row_key(node_id, OBJECTS[type_name])
    assert isinstance(key, UUID)
    return key


def integer_key(node_id: str, type_name: str) -> int:
    """`row_key` of a type whose key is one integer."""
    (key,) = row_key(node_id, OBJECTS[type_name])
    assert isinstance(key, int)
    return key


def parse_key(text: str, table: Table) -> tuple[Value, ...]:
    try:
        parts = split_key(text, len(table.key))
        return tuple(decode_value(part, table.column(name).type) for name, part in zip(table.key, parts, strict=True))
    except ValueError as error:
        raise InvalidId("The id does not fit its type. Pass an `id` exactly as a query returned it.") from error
