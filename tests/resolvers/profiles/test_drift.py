from loaders.description import Column, ColumnType, Kind
from loaders.jobs.job import JsonObject
from resolvers.profiles.drift import Drift, Retyped, drift


def _was(name: str, kind: str, *, nullable: bool = False) -> JsonObject:
    return {"name": name, "type": kind, "nullable": nullable}


def test_columns_added_removed_and_retyped() -> None:
    before = [_was("id", "integer"), _was("gone", "text"), _was("at", "text"), _was("note", "text")]
    now = (
        Column("id", ColumnType(Kind.INTEGER), nullable=False),
        Column("at", ColumnType(Kind.TIMESTAMP), nullable=False),
        Column("note", ColumnType(Kind.TEXT), nullable=True),
        Column("new", ColumnType(Kind.DATE), nullable=False),
    )
    retyped = (Retyped("at", "text", "timestamp"), Retyped("note", "text", "text, nullable"))
    assert drift(before, now) == Drift(("new",), ("gone",), retyped)


def test_the_order_of_columns_is_no_drift() -> None:
    now = (Column("b", ColumnType(Kind.TEXT), nullable=False), Column("a", ColumnType(Kind.TEXT), nullable=False))
    assert drift([_was("a", "text"), _was("b", "text")], now) == Drift((), (), ())
