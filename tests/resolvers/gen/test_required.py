import pytest

from loaders.errors import FilterRequired
from loaders.read import And, Col, Compare, Never, Not, Op, Or, Predicate
from loaders.warehouses.places import TableFilter
from resolvers.gen.required import require_filters


def on(op: Op, value: object = 1, column: str = "day") -> Compare:
    return Compare(Col(column), op, value)


def demand(operator: str, *, is_required: bool = True) -> TableFilter:
    return TableFilter("flights", "day", "number", operator, None, is_required)


RANGE = And((on(Op.GTE), on(Op.LT, 2)))


@pytest.mark.parametrize(
    ("operator", "where"),
    [
        ("eq", on(Op.EQ)),
        ("eq", on(Op.IN, (1, 2))),
        ("in", And((on(Op.NE), on(Op.EQ)))),
        ("between", RANGE),
        ("between", on(Op.EQ)),
        ("between", Or((RANGE, on(Op.EQ)))),
        ("between", And((on(Op.GT), Or((on(Op.LT), And((on(Op.LTE), on(Op.NE)))))))),
        ("gte", on(Op.GT)),
        ("lt", on(Op.LTE)),
        ("like", on(Op.STARTS_WITH, "a")),
        ("isNull", on(Op.IS_NULL, False)),
        ("ne", on(Op.NOT_IN, (1,))),
    ],
)
def test_narrowed(operator: str, where: Predicate) -> None:
    require_filters(where, [demand(operator)])


@pytest.mark.parametrize(
    ("operator", "where"),
    [
        ("eq", None),
        ("eq", RANGE),
        ("eq", on(Op.EQ, column="month")),
        ("between", on(Op.GTE)),
        ("between", Or((RANGE, on(Op.GTE)))),
        ("between", Or((on(Op.GTE), on(Op.LT)))),
        ("between", Or(())),
        ("between", Not(RANGE)),
        ("between", Not(Not(RANGE))),
        ("between", Never()),
        ("isNull", on(Op.EQ)),
        ("like", on(Op.NE)),
    ],
)
def test_not_narrowed(operator: str, where: Predicate | None) -> None:
    with pytest.raises(FilterRequired, match="'day'"):
        require_filters(where, [demand(operator)])
    require_filters(where, [demand(operator, is_required=False)])
