import pytest

from migrations.clickhouse.statements import statements
from migrations.errors import TargetInvalid


def test_cut_at_semicolons_only() -> None:
    script = "-- a; b\nSELECT ';' /* ; */ ;\n\n;SELECT\n  2"
    found = list(statements(script, replicated=True))
    assert [(statement.line, statement.sql) for statement in found] == [(2, "SELECT ';'"), (4, "SELECT\n  2")]


@pytest.mark.parametrize(
    ("engine", "single"),
    [
        ("ENGINE = ReplicatedMergeTree", "ENGINE = MergeTree"),
        ("ENGINE = ReplicatedMergeTree('/a/{shard}', '{replica}')", "ENGINE = MergeTree"),
        ("ENGINE ReplicatedMergeTree('/a', 'b')", "ENGINE MergeTree"),
        ("ENGINE = MergeTree", "ENGINE = MergeTree"),
    ],
)
def test_the_switch(engine: str, single: str) -> None:
    script = f"CREATE TABLE ReplicatedMergeTree (a Int8 COMMENT 'ReplicatedMergeTree') {engine} ORDER BY a"
    assert next(statements(script, replicated=True)).sql == script
    assert next(statements(script, replicated=False)).sql == script.replace(engine, single)


def test_arguments_that_cannot_be_dropped() -> None:
    with pytest.raises(TargetInvalid, match="line 1"):
        list(statements("CREATE TABLE t ENGINE = ReplicatedReplacingMergeTree('/a', 'b', version)", replicated=False))
