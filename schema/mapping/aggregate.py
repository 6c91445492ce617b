"""Builds an `Aggregate` from the selection of an `aggregate` field and its arguments. Pure."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from graphql import FieldNode, GraphQLObjectType
from strawberry.utils.str_converters import to_camel_case

from loaders.description import Kind
from loaders.errors import BadInput, PageTooLarge
from loaders.expression import expression_type, measure_type
from loaders.read import (
    Aggregate,
    AggregateFunction,
    And,
    Bucket,
    Col,
    Expression,
    Figures,
    GroupOrder,
    Having,
    Literal,
    Measure,
    Not,
    Or,
    Predicate,
    Unit,
    figure,
)
from loaders.time_zones import time_zones
from schema.mapping.aggregate_types import MAX_GROUPS, MAX_LISTED_GROUPS
from schema.mapping.collect import Document
from schema.mapping.figures import FAMILIES, FUNCTIONS, STATISTIC, columns_of, enum_name, groupable
from schema.mapping.filters import comparisons
from schema.mapping.object import ObjectMapping
from schema.mapping.orders import check_terms, direction_of
from schema.mapping.variables import decide

_TYPENAME = "__typename"
_ROWS = Measure(AggregateFunction.COUNT)


def aggregate(
    document: Document, mapping: ObjectMapping, nodes: list[FieldNode], arguments: Mapping[str, Any], *, listed: bool
) -> Aggregate:
    """Raises `BadInput` where the arguments contradict each other or the selection, and `PageTooLarge` beyond
    `MAX_GROUPS`.

    `listed`: the aggregate is evaluated for each row of a list, so without `first` it may have only few groups.
    """
    groups = _groups(arguments.get("groupBy") or [], mapping)
    order = _order(arguments.get("orderBy") or [], groups, mapping)
    selected = document.collect(f"{mapping.name}Aggregate", nodes)
    limit = _first(arguments.get("first"))
    bound = MAX_LISTED_GROUPS if listed and limit is None else MAX_GROUPS
    return Aggregate(
        tuple(groups.values()),
        tuple((key, _entry(document, mapping, below, groups)) for key, below in selected.items()),
        limit=limit,
        having=_having(arguments.get("having"), mapping, grouped=bool(groups)),
        bound=bound if groups else None,
        order=order,
    )


# --- what is selected -------------------------------------------------------------------------------------------------


def _entry(
    document: Document, mapping: ObjectMapping, nodes: list[FieldNode], groups: Mapping[str, Expression]
) -> Measure | Literal | Figures:
    match nodes[0].name.value:
        case "__typename":
            return Literal(f"{mapping.name}Aggregate")
        case "count":
            return _ROWS
        case "key":
            return _key(document, mapping, nodes, groups) if groups else Literal(None)
        case "percentile":
            return _figures(
                document, mapping, nodes, AggregateFunction.PERCENTILE, _fraction(document, mapping, nodes[0])
            )
        case name:
            return _figures(document, mapping, nodes, FUNCTIONS[name], None)


def _key(
    document: Document, mapping: ObjectMapping, nodes: list[FieldNode], groups: Mapping[str, Expression]
) -> Figures:
    name = f"{mapping.name}GroupKey"
    entries: list[tuple[str, Expression | Measure | Literal]] = []
    for key, (first, *_) in document.collect(name, nodes).items():
        field = first.name.value
        if field != _TYPENAME and field not in groups:
            raise BadInput(f"`{field}` of `key` is not what groups are made by. Add it to `groupBy`, or leave it out.")
        entries.append((key, Literal(name) if field == _TYPENAME else groups[field]))
    return Figures(tuple(entries))


def _figures(
    document: Document,
    mapping: ObjectMapping,
    nodes: list[FieldNode],
    function: AggregateFunction,
    fraction: float | None,
) -> Figures:
    family = next((each for each in FAMILIES if nodes[0].name.value in each.functions), STATISTIC)
    name, columns = f"{mapping.name}{family.suffix}", columns_of(mapping)
    entries: list[tuple[str, Expression | Measure | Literal]] = []
    for key, (first, *_) in document.collect(name, nodes).items():
        field = first.name.value
        shown = Literal(name) if field == _TYPENAME else Measure(function, Col(columns[field]), fraction)
        entries.append((key, shown))
    return Figures(tuple(entries))


def _fraction(document: Document, mapping: ObjectMapping, node: FieldNode) -> float:
    type_ = document.schema.type_map[f"{mapping.name}Aggregate"]
    assert isinstance(type_, GraphQLObjectType)
    fraction: float = decide(document.arguments(type_.fields["percentile"], node)["p"], float)
    if not 0 <= fraction <= 1:
        raise BadInput(f"`p` of `percentile` is {fraction}; it lies between 0 and 1.")
    return fraction


# --- what makes a group -----------------------------------------------------------------------------------------------


def _groups(terms: list[Mapping[str, Any]], mapping: ObjectMapping) -> dict[str, Expression]:
    """The expressions to group by, keyed by the field of `key` that shows them."""
    named = {enum_name(field, column): field for field, column in groupable(mapping).items()}
    groups: dict[str, Expression] = {}
    for term in terms:
        field = named[_name(term["field"])]
        if field in groups:
            raise BadInput(f"`groupBy` names `{field}` twice, and the key has one place for it. Name it once.")
        groups[field] = _group(field, groupable(mapping)[field], term, mapping)
    return groups


def _group(field: str, column: str, term: Mapping[str, Any], mapping: ObjectMapping) -> Expression:
    unit, given = term.get("truncate"), term.get("timeZone")
    zone = None if given is None else decide(given, str)
    if unit is None:
        if zone is not None:
            raise BadInput(f"`timeZone` of `{field}` says nothing without `truncate`. Give both, or neither.")
        return Col(column)
    kind = mapping.table.column(column).type.kind
    if kind not in (Kind.TIMESTAMP, Kind.DATE):
        raise BadInput(f"`{field}` is neither an instant nor a date, so it cannot be truncated.")
    if zone is not None and kind is Kind.DATE:
        raise BadInput(f"`{field}` is a date, which is the same in every zone. Leave `timeZone` out.")
    if zone is not None and zone not in time_zones():
        raise BadInput(f"{zone[:60]!r} is no time zone of the IANA database, such as Europe/Berlin.")
    bucket = Bucket(column, Unit[_name(unit)], zone or "UTC")
    expression_type(bucket, mapping.table)
    return bucket


def _name(value: Any) -> str:
    spelled: str = decide(value, _spelled)
    return spelled


def _spelled(value: Any) -> str:
    return value.name if isinstance(value, Enum) else str(value)


def _first(given: Any) -> int | None:
    first: int | None = None if given is None else decide(given, int)
    if first is not None and first < 0:
        raise BadInput(f"`first` is {first}; it must not be negative.")
    if first is not None and first > MAX_GROUPS:
        raise PageTooLarge(
            f"`first` is {first}, and at most {MAX_GROUPS} groups are answered. Use `where` or fewer groups."
        )
    return first


# --- order ------------------------------------------------------------------------------------------------------------


def _order(
    terms: list[Mapping[str, Any]], groups: Mapping[str, Expression], mapping: ObjectMapping
) -> tuple[GroupOrder, ...]:
    if terms and not groups:
        raise BadInput("`orderBy` of `aggregate` is an order of groups. Give `groupBy`, or leave it out.")
    check_terms(terms)
    named = {enum_name(field, column): field for field, column in groupable(mapping).items()}
    found: list[GroupOrder] = []
    for term in terms:
        spelled, direction = term.get("field"), term.get("direction")
        field = None if spelled is None else named[_name(spelled)]
        by = _ordered(_name(term["figure"]), field, groups, mapping)
        descending, nulls = (False, None) if direction is None else decide(direction, direction_of)
        found.append(GroupOrder(by, descending, nulls))
    return tuple(found)


def _ordered(
    figure_name: str, field: str | None, groups: Mapping[str, Expression], mapping: ObjectMapping
) -> Expression | Measure:
    if figure_name == "COUNT":
        if field is not None:
            raise BadInput("`COUNT` is of rows and takes no `field`. `COUNT_DISTINCT` does.")
        return _ROWS
    if field is None:
        raise BadInput(f"An order by `{figure_name}` needs a `field`.")
    if figure_name == "KEY":
        if field not in groups:
            raise BadInput(f"`{field}` is not what groups are made by. Add it to `groupBy`, or order by another.")
        return groups[field]
    function = to_camel_case(figure_name.lower())
    family = next(each for each in FAMILIES if function in each.functions)
    if field not in family.columns(mapping):
        raise BadInput(f"`{field}` has no `{function}`. Order by a field that has.")
    return Measure(FUNCTIONS[function], Col(columns_of(mapping)[field]))


# --- having -----------------------------------------------------------------------------------------------------------


def _having(conditions: Mapping[str, Any] | None, mapping: ObjectMapping, *, grouped: bool) -> Having | None:
    if conditions is None:
        return None
    if not grouped:
        raise BadInput("`having` chooses among groups. Give `groupBy`, or leave it out.")
    measures: dict[Measure, Col] = {}
    where = _all_of(conditions, mapping, measures)
    return Having(tuple(measures), where)


def _all_of(conditions: Mapping[str, Any], mapping: ObjectMapping, measures: dict[Measure, Col]) -> Predicate:
    terms: list[Predicate] = []
    for name, value in conditions.items():
        if value is None:
            raise BadInput(f"`{name}` in `having` of {mapping.name} is null. Leave it out, or use `isNull`.")
        match name:
            case "and":
                terms.append(And(tuple(_all_of(each, mapping, measures) for each in value)))
            case "or":
                terms.append(Or(tuple(_all_of(each, mapping, measures) for each in value)))
            case "not":
                terms.append(Not(_all_of(value, mapping, measures)))
            case "count":
                terms += _compared(_ROWS, name, value, mapping, measures)
            case _:
                terms += _compared_columns(name, value, mapping, measures)
    return And(tuple(terms))


def _compared_columns(
    name: str, value: Mapping[str, Any], mapping: ObjectMapping, measures: dict[Measure, Col]
) -> list[Predicate]:
    columns = columns_of(mapping)
    terms: list[Predicate] = []
    for field, operands in value.items():
        if operands is None:
            raise BadInput(f"`{field}` in `{name}` of `having` is null. Leave it out, or use `isNull`.")
        terms += _compared(Measure(FUNCTIONS[name], Col(columns[field])), field, operands, mapping, measures)
    return terms


def _compared(
    measure: Measure, name: str, operands: Mapping[str, Any], mapping: ObjectMapping, measures: dict[Measure, Col]
) -> list[Predicate]:
    column = measures.setdefault(measure, Col(figure(len(measures))))
    return comparisons(name, column, measure_type(measure, mapping.table).kind, operands)
