"""What the tests of agreement ask of one table: conditions and orders of every form, one by one and at random."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from loaders.encode.value import SORTABLE
from loaders.read import (
    Among,
    And,
    Col,
    Compare,
    CountOf,
    Exists,
    JsonPath,
    Never,
    Not,
    Op,
    Or,
    OrderBy,
    Predicate,
    SortKey,
    Through,
)
from tests.loaders.postgres.rows import (
    DATA,
    KID_ROW,
    KID_TOYS,
    KIDS_OF_N,
    ROW_CHILDREN,
    ROW_KIDS,
    ROW_PARENT,
    ROWS,
    START,
    row_id,
)

VALUES: dict[str, list[object]] = {
    "id": [row_id(3), row_id(8), UUID(int=0)],
    "n": [0, -1, 2**31 - 1, 2**40, -(2**70)],
    "big": [0, 2**62, -(2**62), 2**63 + 1],
    "ratio": [0.0, 0.1, float("inf"), -1e-300],
    "price": [Decimal("0.25"), Decimal("-0.5"), Decimal("1E+2"), Decimal(10) ** 100, Decimal("1E-30")],
    "name": ["a", "", "it's", "a\\b", "日本 😀", "tab\tnew\nline\x01\x7f", "zz", "$1", "%s"],
    "flag": [True, False],
    "day": [date(2024, 2, 29), date(1960, 1, 1)],
    "at": [START, START + timedelta(microseconds=1), START - timedelta(days=20_000)],
    "other": [next(row["other"] for row in DATA["the rows"] if row["other"])],
}
A_PARENT = Compare(Col("id"), Op.EQ, next(row["parent_id"] for row in DATA["the rows"] if row["parent_id"]))
SORTED = [column.name for column in ROWS.columns if column.type.kind in SORTABLE]
OVER_JOINS: list[SortKey] = [
    *(Through(ROW_PARENT, Col(name)) for name in SORTED),
    Through(ROW_PARENT, Through(ROW_PARENT, Col("name"))),
    Through(ROW_PARENT, Col("n"), Compare(Col("flag"), Op.EQ, True)),
    Through(ROW_PARENT, Through(ROW_PARENT, Col("n"), Compare(Col("flag"), Op.NE, True)), Exists(ROW_PARENT)),
    Through(ROW_KIDS, Col("mood")),  # of several rows the first by key
    Through(KIDS_OF_N, Col("id")),  # and by what tells rows of one key apart, or pages would not fit together
    CountOf(ROW_KIDS),
    CountOf(ROW_CHILDREN),
    CountOf(ROW_KIDS, Compare(Col("rank"), Op.IN, (1, 2))),
    CountOf(ROW_KIDS, Exists(KID_TOYS, Compare(Col("name"), Op.STARTS_WITH, "a"))),
    Through(ROW_PARENT, CountOf(ROW_KIDS)),
    Through(ROW_PARENT, CountOf(ROW_CHILDREN), Never()),
    CountOf(ROW_CHILDREN, Never()),
]
KEYS_OF_ORDERS: list[SortKey] = [*(Col(name) for name in SORTED), *OVER_JOINS]
PATHS = [
    (),
    *(("n",), ("x",), ("name",), ("😀",), ("deep",), ("deep", "er")),
    *(("a", "0"), ("a", "-1", "b"), ("a", "9"), ("a", "x"), ("nope", "at", "all")),
]
ORDERED = [Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE]
PATTERNS = ["a%", "%b", "a\\%b", "a\\_b", "a\\\\b", "_", "A", "%", "", "\\a", "%日%", "%\n%", "É", "__ 😀"]


def _choices(values: list[object]) -> list[tuple[object, ...]]:
    return [(), tuple(values), (values[0], None), (None,)]


_PLACES = tuple((row["id"], row["at"]) for row in DATA["the rows"][:4])
LEAVES: list[Predicate] = [
    Among(("id", "at"), ()),
    Among(("id", "at"), (*_PLACES, _PLACES[0], (UUID(int=0), START))),
    Among(("at", "id"), ((START, DATA["the rows"][0]["id"]), (_PLACES[1][1], _PLACES[2][0]))),
    *(Compare(Col(name), op, value) for name, values in VALUES.items() for op in ORDERED for value in values),
    *(Compare(Col(column.name), Op.IS_NULL, value) for column in ROWS.columns for value in (True, False)),
    *(
        Compare(Col(name), op, chosen)
        for name, values in VALUES.items()
        for op in (Op.IN, Op.NOT_IN)
        for chosen in _choices(values)
    ),
    *(Compare(Col("name"), op, pattern) for op in (Op.LIKE, Op.ILIKE) for pattern in PATTERNS),
    *(Compare(Col("name"), Op.STARTS_WITH, prefix) for prefix in ("", "a", "a%", "a\\", "日")),
    *(Compare(Col(name), op, None) for name in VALUES for op in (Op.EQ, Op.NE, Op.LT)),
    Compare(Col("name"), Op.LIKE, None),
    *(
        Compare(JsonPath("doc", path), op, value)
        for path in PATHS
        for op, value in (
            (Op.EQ, "7"),
            (Op.NE, "true"),
            (Op.IN, ("日本", '{"er": true}')),
            (Op.LT, "1"),
            (Op.STARTS_WITH, "t"),
            (Op.IS_NULL, True),
        )
    ),
    *(
        Compare(JsonPath("doc", path, number=True), op, value)
        for path in PATHS
        for op, value in (
            (Op.EQ, Decimal("1.5")),
            (Op.GT, Decimal(1)),
            (Op.GTE, Decimal("0.1")),
            (Op.IN, (Decimal(7), Decimal(12345678901234567890123))),
            (Op.IS_NULL, False),
        )
    ),
    Never(),
    And(()),
    Or(()),
    Exists(ROW_KIDS),
    Exists(ROW_KIDS, Never()),
    Exists(ROW_KIDS, Compare(Col("rank"), Op.GT, 2)),
    Exists(ROW_KIDS, Exists(KID_TOYS, Compare(Col("name"), Op.STARTS_WITH, "a"))),
    Exists(ROW_KIDS, And((Exists(KID_ROW, Compare(Col("n"), Op.GT, 0)), Not(Exists(KID_TOYS))))),
    Exists(ROW_CHILDREN),
    Exists(ROW_CHILDREN, Exists(ROW_CHILDREN, Exists(ROW_KIDS))),
    Exists(
        ROW_PARENT, Or((Compare(Col("flag"), Op.EQ, True), Exists(ROW_PARENT, Compare(Col("n"), Op.IS_NULL, True))))
    ),
    Not(Exists(ROW_KIDS, Not(Compare(Col("mood"), Op.GT, 0.0)))),
    Exists(ROW_PARENT, A_PARENT),
    Exists(ROW_PARENT, And((A_PARENT, Compare(Col("flag"), Op.IS_NULL, True)))),
    Exists(ROW_PARENT, Compare(Col("id"), Op.EQ, UUID(int=0))),
    Or((Compare(Col("n"), Op.EQ, 1), Not(And((Exists(ROW_PARENT, A_PARENT), Compare(Col("at"), Op.IS_NULL, False)))))),
]

predicates = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, max_size=3).map(lambda terms: Or(tuple(terms))),
        inner.map(lambda where: Exists(ROW_CHILDREN, where)),
        inner.map(lambda where: Exists(ROW_PARENT, where)),
    ),
    max_leaves=5,
)
orders = st.lists(
    st.builds(OrderBy, st.sampled_from(KEYS_OF_ORDERS), st.booleans(), st.sampled_from([None, True, False])),
    max_size=3,
    unique_by=lambda term: term.expression,  # as the mapping makes them: values of repeated ones would be slots apart
).map(tuple)
