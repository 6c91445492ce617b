"""Which of a read's values are constants of its statement, and that Postgres then keeps its plan."""

from uuid import UUID

import asyncpg
import pytest

from gateway.settings import Settings
from loaders.bounded_cache import BoundedCache
from loaders.description import Column, ColumnType, Kind, Table
from loaders.parameters import split
from loaders.postgres import statements
from loaders.postgres.compile import compile_read
from loaders.postgres.statements import Statements
from loaders.read import Col, Compare, Field, Join, Op, Page, Read, Related, Value
from tests.loaders.postgres.reading import columns, listed

LOGS = Table(
    "s",
    None,
    "logs",
    (
        Column("id", ColumnType(Kind.BIGINT), nullable=False),
        Column("guid", ColumnType(Kind.UUID)),
        Column("small", ColumnType(Kind.INTEGER)),
        Column("name", ColumnType(Kind.TEXT)),
    ),
    ("id",),
)
OWN = Join(LOGS, ("id",), ("small",))
TEN = tuple(range(10, 20))


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "_of_lists", BoundedCache(32))
    monkeypatch.setattr(statements, "_recent_lists", BoundedCache(64))


def _page(size: int, *, below: int | None = None, ids: tuple[Value, ...] | None = None, column: str = "id") -> Read:
    shown = columns("id")
    if below is not None:
        shown = (*shown, Field("own", Related(OWN, listed(LOGS, columns("id"), page=Page(below)))))
    where = None if ids is None else Compare(Col(column), Op.IN, ids)
    return listed(LOGS, shown, where, page=Page(size))


class _Asked:
    """Asks for reads that differ in their values only; `made` tells how often something was compiled."""

    def __init__(self) -> None:
        self._statements: Statements | None = None
        self.made = 0

    def __call__(self, read: Read) -> tuple[str, tuple[object, ...]]:
        shape, values = split(read)
        if self._statements is None:
            self._statements = Statements(shape, None)
        ready = self._statements.ready(values)
        if ready is None:
            self.made += 1
            return self._statements.made(values)
        return ready


@pytest.fixture
def asked() -> _Asked:
    return _Asked()


def test_sizes_that_come_again_are_constants(asked: _Asked) -> None:
    for size, below in ((5, 2), (5, 3), (6, 2), (6, 3)):  # these share a statement
        assert asked(_page(size, below=below))[1] == (below, size)
    assert asked.made == 1
    for size, below in ((5, 2), (5, 3), (6, 2), (5, 2)):
        sql, parameters = asked(_page(size, below=below))
        assert f"LIMIT {size})" in sql
        assert f"LIMIT {below})" in sql
        assert parameters == ()
    assert asked.made == 4


def test_statements_for_sizes_are_few(asked: _Asked) -> None:
    for size in [1, 2, 3, 4, 5] * 2:
        asked(_page(size))
    assert asked.made == 6
    assert [asked(_page(size))[1] for size in (5, 4, 3, 2)] == [()] * 4
    for size in [*range(100, 200)] * 3:  # more than are remembered
        assert asked(_page(size))[1] == (size,)
    assert asked.made == 6
    assert asked(_page(2))[1] == ()


@pytest.mark.parametrize(
    ("column", "ids", "type_"),
    [
        ("id", TEN, "BIGINT[]"),
        ("id", tuple(range(-(2**63), -(2**63) + 9)), "BIGINT[]"),
        ("small", TEN, "INTEGER[]"),
        ("guid", tuple(UUID(int=n) for n in TEN), "UUID[]"),
    ],
    ids=["numbers", "lowest numbers", "small numbers", "UUIDs"],
)
def test_a_list_that_comes_again_is_a_constant(asked: _Asked, column: str, ids: tuple[Value, ...], type_: str) -> None:
    for _ in range(2):  # the first time of the list, and of the size
        asked(_page(5, ids=ids, column=column))
    second, third = (asked(_page(5, ids=ids, column=column)) for _ in range(2))
    assert second == third
    assert second[1] == ()
    assert f"ANY (CAST('{{{','.join(map(str, ids))}}}' AS {type_}))" in second[0]
    assert asked.made == 3


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        ("id", TEN[:8]),
        ("name", tuple("abcdefghijkl")),
        ("small", (*TEN, 2**31)),
        ("id", (*TEN, True)),
        ("id", tuple(range(10**15, 10**15 + 2_100))),
    ],
    ids=["short", "text", "beyond the column", "not all numbers", "longer than a connection keeps"],
)
def test_other_lists_are_parameters(asked: _Asked, column: str, ids: tuple[Value, ...]) -> None:
    for _ in range(4):
        sql, parameters = asked(_page(5, ids=ids, column=column))
        assert "ANY (CAST('{" not in sql
        assert list(ids) in parameters


def test_an_equal_list_is_not_the_same_list(asked: _Asked) -> None:
    for ids in [tuple(range(10, 20)) for _ in range(5)]:
        assert list(TEN) in asked(_page(5, ids=ids))[1]


def test_a_read_of_one_object_has_no_constants(asked: _Asked) -> None:
    read = Read(LOGS, columns("id"), where=Compare(Col("id"), Op.IN, TEN))
    assert [asked(read)[1] for _ in range(3)] == [(list(TEN),)] * 3
    assert asked.made == 1


def test_statements_of_lists_are_few(asked: _Asked) -> None:
    callers = [tuple(range(n, n + 9)) for n in range(100)]
    for _ in range(3):  # more callers than are remembered: none comes again
        for ids in callers:
            assert asked(_page(5, ids=ids))[1] != ()
    for ids in callers[:50] * 2:
        asked(_page(5, ids=ids))
    kept = sum(asked(_page(5, ids=ids))[1] == () for ids in reversed(callers[:50]))
    assert kept == 32


async def test_postgres_keeps_the_plan(settings: Settings) -> None:
    """Planned once for all executions, where parameters have it planned each time. The constants come third."""
    columns_ = ", ".join(f"{name} {type_}" for name, type_ in (("id", "bigint primary key"), ("guid", "uuid")))
    connection = await asyncpg.connect(settings.databases.axion_sense.migrate_url.get_secret_value())
    try:
        await connection.execute("SET axion.answer_bytes = 1000000")
        await connection.execute(f"CREATE TEMP TABLE logs ({columns_}, small integer, name text)")
        await connection.execute("INSERT INTO logs SELECT n, null, n % 100 FROM generate_series(1, 20000) n")
        await connection.execute("CREATE INDEX ON logs (small); ANALYZE logs")
        ids = tuple(range(50))
        plans = {}
        for name, asked in (("constants", _Asked()), ("parameters", None)):
            read = _page(5, ids=ids, column="small")
            shape, values = split(read)
            for _ in range(12):
                if asked is None:
                    statement = compile_read(shape)
                    sql, parameters = statement.sql, statement.bound(values)
                else:
                    sql, parameters = asked(read)
                await connection.fetchval(sql, *parameters)
            counted = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1"
            plans[name] = [tuple(row) for row in await connection.fetch(counted, sql)]
        assert plans == {"constants": [(10, 0)], "parameters": [(0, 13)]}
    finally:
        await connection.close()
