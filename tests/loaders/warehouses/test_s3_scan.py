"""Large files are read in batches, with the same rows as from pyarrow's own scanner."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from loaders.warehouses import s3_files
from loaders.warehouses.s3_files import BoundedDataset, TableFiles, open_dataset
from loaders.warehouses.s3_scan import ColumnScan

ROWS = 40_000


def rows(*, narrow: bool = False, late: bool = False) -> pa.Table:
    ids = range(ROWS)
    columns: dict[str, pa.Array] = {
        "id": pa.array(ids, pa.int32() if narrow else pa.int64()),
        "x": pa.array([float("nan") if i % 7 == 0 else i / 3 for i in ids]),
        "a b.c": pa.array([None if i % 5 == 0 else f"v{i % 97}'\"" for i in ids]),
        "colour": pa.array([("red", "green", None)[i % 3] for i in ids]).dictionary_encode(),
        "nested": pa.array([{"a": i, "b": [i % 3] * (i % 4)} for i in ids]),
        "list": pa.array([[i] * (i % 3) if i % 11 else None for i in ids]),
        "moment": pa.array([i * 1_000_003 for i in ids], pa.timestamp("us", "UTC")),
        "exact": pa.array([Decimal(i) / 100 for i in ids], pa.decimal128(12, 2)),
    }
    if late:
        columns["late"] = pa.array([f"{i}" if i % 3 else None for i in ids])
    return pa.table(columns)


def files_of(root: Path) -> TableFiles:
    found = sorted(root.rglob("*.parquet"))
    return TableFiles(str(root), tuple((str(path), path.stat().st_size, 0) for path in found))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> TableFiles:
    """Files with all rows in one group and in many, without a column, and with a narrower one."""
    root = tmp_path_factory.mktemp("scan")
    for folder, written, group in (
        ("d=1/s=x", rows(late=True), ROWS),
        ("d=1/s=y", rows(narrow=True), ROWS),
        ("d=2/s=x", rows(late=True), ROWS - 1),
        ("d=3/s=z", rows(), 1_000),
    ):
        (root / folder).mkdir(parents=True)
        pq.write_table(written, root / folder / "part.parquet", row_group_size=group)
    return files_of(root)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were, or may have been, read a batch at a time: all that are asked for are large here."""
    found: list[str] = []
    decode = ColumnScan.decoded

    def counted(asked: ColumnScan, fragment: Any, **options: Any) -> Iterator[pa.RecordBatch]:
        found.append(fragment.path)
        return decode(asked, fragment, **options)

    monkeypatch.setattr(ColumnScan, "decoded", counted)
    monkeypatch.setattr(s3_files, "_WHOLE_BYTES", 0)
    return found


def answer(dataset: ds.Dataset, sql: str) -> Sequence[object]:
    with closing(duckdb.connect(config={"threads": "1"})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("t", dataset)
        return list(connection.sql(sql).to_arrow_table().to_pylist())


@pytest.mark.parametrize(
    ("sql", "files"),
    [
        ("SELECT count(*) FROM t", 4),
        ('SELECT sum(id), count(x), count(late), count("a b.c"), count(colour), sum(exact), max(moment) FROM t', 4),
        ("SELECT * FROM t WHERE id % 9973 = 5 ORDER BY d, s, id", 4),
        ("SELECT id, d FROM t WHERE d = 2 AND id > 39990 ORDER BY ALL", 1),
        ("SELECT id, late FROM t WHERE late IS NULL AND id < 20 ORDER BY ALL", 4),
        ("SELECT id, colour FROM t WHERE colour = 'red' AND id < 50 ORDER BY ALL", 4),
        ('SELECT "a b.c", count(*) FROM t WHERE "a b.c" > \'v5\' GROUP BY ALL ORDER BY ALL', 4),
        ("SELECT id FROM t WHERE nested.a IN (3, 39999) ORDER BY ALL", 4),
        ("SELECT nested.b, list, count(*) FROM t WHERE id < 10 GROUP BY ALL ORDER BY ALL", 4),
        ("SELECT count(*) FROM t WHERE x > 0.5", 4),
        ("SELECT count(*) FROM t WHERE x < 0.5 OR late = '7'", 4),
        ("SELECT count(*) FROM t WHERE exact = 5.05 AND s <> 'x'", 2),
        ("SELECT d, s, count(*) FROM t GROUP BY ALL ORDER BY ALL", 4),
        ("SELECT count(late) FROM t WHERE s = 'y'", 1),
        ("SELECT count(*) FROM t WHERE d = 9", 0),
    ],
)
def test_answers_are_those_of_pyarrows_scanner(table: TableFiles, decoded: list[str], sql: str, files: int) -> None:
    ours = open_dataset(fs.LocalFileSystem(), table)
    plain = ds.FileSystemDataset(list(ours.get_fragments()), ours.schema, ours.format, ours.filesystem)
    expected = answer(plain, sql)
    assert decoded == []
    assert repr(answer(ours, sql)) == repr(expected)  # where NaN is itself
    assert len(decoded) == files


def test_a_row_group_is_not_decoded_whole(tmp_path: Path) -> None:
    """20 million bytes of numbers in one."""
    numbers = pa.table({"id": range(2_500_000), "n": pa.nulls(2_500_000, pa.int8())})
    pq.write_table(numbers, tmp_path / "part.parquet", row_group_size=2_500_000, use_dictionary=False)
    dataset = open_dataset(fs.LocalFileSystem(), files_of(tmp_path))
    assert isinstance(dataset, BoundedDataset)
    pools = (pa.default_memory_pool(), pa.system_memory_pool())
    before = sum(pool.bytes_allocated() for pool in pools)
    seen = most = 0
    for batch in dataset.scanner(columns=["id"]).to_reader():
        seen += batch.num_rows
        most = max(most, sum(pool.bytes_allocated() for pool in pools) - before)
    assert seen == 2_500_000
    assert most < 8_000_000


def test_wide_rows_come_in_smaller_batches(tmp_path: Path) -> None:
    wide = pa.table({"text": [f"{i:05}" * 2_000 for i in range(400)] * 5})
    pq.write_table(wide, tmp_path / "part.parquet", use_dictionary=False, compression="none")
    dataset = open_dataset(fs.LocalFileSystem(), files_of(tmp_path))
    sizes = [batch.num_rows for batch in dataset.scanner(columns=["text"]).to_reader()]
    assert sum(sizes) == 2_000
    assert max(sizes) <= 840
