"""`where`: generates the input types of a table-backed type, and turns their values into predicates of a `Read`."""

import math
from collections.abc import Mapping
from enum import Enum
from functools import partial
from typing import Any, cast

import strawberry

from loaders.description import Kind
from loaders.encode.number import exact_text
from loaders.errors import BadInput
from loaders.read import And, Col, Compare, Exists, Expression, JsonPath, Not, Op, Or, Predicate, Value, conjunction
from resolvers.geojson import check_geometry
from schema.mapping import types
from schema.mapping.enums import stored
from schema.mapping.ids import has_id, has_id_of
from schema.mapping.kinds import OPERATORS, filter_type
from schema.mapping.object import OBJECTS, ColumnField, EdgeField, IdField, ObjectMapping, join, joinable
from schema.mapping.unknown import not_true
from schema.mapping.variables import decide, take

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
    return conjunction(terms)


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
        case Op.CONTAINS | Op.CONTAINED_BY:
            return _json_text(value) if kind is Kind.JSON else tuple(value)
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
