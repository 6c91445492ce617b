"""Footers are read once per listing of files, even when callers stop waiting."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from loaders.warehouses.s3_datasets import Datasets
from loaders.warehouses.s3_files import BoundedDataset, MisfitFile, TableFiles, open_dataset


class Opening:
    """`open_dataset` of the local file system, counted, and held until it may go on."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opened = 0
        self.may_go_on = threading.Event()
        self.failures: list[Exception] = []

    def __call__(self, files: TableFiles) -> BoundedDataset:
        self.opened += 1
        assert self.may_go_on.wait(30)
        if self.failures:
            raise self.failures.pop()
        return open_dataset(fs.LocalFileSystem(), files)

    def files(self, name: str = "day", *, changed: int = 0) -> TableFiles:
        path = self.root / name / "part.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"id": [1]}), path)
        return TableFiles(str(path.parent), ((str(path), path.stat().st_size, changed),))


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return Opening(tmp_path)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


async def test_footers_slower_than_a_query_are_read_once(opening: Opening, executor: ThreadPoolExecutor) -> None:
    datasets = Datasets(opening, executor)
    files = opening.files()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await datasets.of(files)
    opening.may_go_on.set()
    found = await asyncio.gather(*(datasets.of(files) for _ in range(3)))
    assert found[0].schema.names == ["id"]
    assert all(each is found[0] for each in found)
    assert opening.opened == 1


async def test_footers_are_read_again_once_files_changed(opening: Opening, executor: ThreadPoolExecutor) -> None:
    opening.may_go_on.set()
    datasets = Datasets(opening, executor, most=1)
    before = await datasets.of(opening.files())
    assert await datasets.of(opening.files(changed=1)) is not before
    assert opening.opened == 2
    await datasets.of(opening.files("night"))
    await datasets.of(opening.files(changed=1))
    assert opening.opened == 4


async def test_files_that_do_not_fit_are_not_read_again(opening: Opening, executor: ThreadPoolExecutor) -> None:
    opening.may_go_on.set()
    opening.failures.append(MisfitFile("part.parquet", "id"))
    datasets = Datasets(opening, executor)
    files = opening.files()
    told = []
    for _ in range(2):
        with pytest.raises(MisfitFile) as caught:
            await datasets.of(files)
        told.append(caught.value)
    assert [(each.file, each.column) for each in told] == [("part.parquet", "id")] * 2
    assert told[0] is not told[1]
    assert opening.opened == 1


async def test_a_failure_on_the_way_is_not_kept(opening: Opening, executor: ThreadPoolExecutor) -> None:
    opening.may_go_on.set()
    opening.failures.append(OSError("AWS Error NETWORK_CONNECTION"))
    datasets = Datasets(opening, executor)
    files = opening.files()
    with pytest.raises(OSError, match="NETWORK_CONNECTION"):
        await datasets.of(files)
    assert (await datasets.of(files)).schema.names == ["id"]
    assert opening.opened == 2
