"""Parquet files under a prefix of an S3 bucket: listing, and a table's files as one pyarrow dataset.

Everything here blocks; callers run it in a worker thread.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import fs

from loaders.objects.s3_errors import known_store_error
from loaders.warehouses.arrow_types import presented
from loaders.warehouses.s3_scan import BATCH_ROWS, Asked, Scan

_BUFFER_BYTES = 1 << 16
_SUFFIX = ".parquet"
_HIDDEN = ("_", ".")

_FORMAT = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(
        pre_buffer=False, use_buffered_stream=True, buffer_size=_BUFFER_BYTES
    )
)
_OF_SMALL = ds.ParquetFileFormat(default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True))
_SMALL_BYTES = 8 << 20
"""Where no file of a table is larger, the columns of each are fetched together, and kept while it is read: 1,000
columns are then a few requests and not a thousand (0.2 s for 6 s, on versitygw and a busy machine)."""
_WHOLE_BYTES = 1 << 20
"""Larger files are not left to pyarrow's scanner, unless their row groups are small."""
_BOUNDS = {
    "batch_size": BATCH_ROWS,
    "batch_readahead": 1,
    "fragment_readahead": 1,
    "memory_pool": pa.system_memory_pool(),
}


class BoundedDataset(ds.FileSystemDataset):  # type: ignore[misc]  # pyarrow carries no types
    """Scans with one batch and one file ahead of the reader, and large files a batch at a time.

    pyarrow's own scanner decodes the columns of a row group whole: of one file of 4 million rows and three columns (78
    MiB, one row group) it held 154 MiB of Arrow memory, and a batch at a time is 9 MiB, in a fifth of the time.
    DuckDB calls `scanner` of the dataset's own class, so it scans within these bounds.
    """

    sizes: Mapping[str, int] = MappingProxyType({})
    """Bytes of the files, by path."""

    def scanner(
        self, *, columns: Sequence[str] | None = None, filter: pc.Expression | None = None, **options: object
    ) -> ds.Scanner | Scan:  # the names are pyarrow's
        bounds = options | _BOUNDS
        if max(self.sizes.values(), default=0) <= _WHOLE_BYTES:
            return super().scanner(columns=columns, filter=filter, **bounds)
        names = self.schema.names if columns is None else columns
        asked = Asked(self, pa.schema([self.schema.field(name) for name in names]), filter)

        def batches() -> Iterator[pa.RecordBatch]:
            for large, fragments in groupby(self.get_fragments(filter), self._is_large):
                if not large:
                    yield from asked.scanned(list(fragments), **bounds)
                    continue
                for fragment in fragments:
                    together = self.sizes[fragment.path] <= _SMALL_BYTES
                    yield from asked.decoded(fragment, pre_buffer=together, **bounds)

        return Scan(asked.columns, batches)

    def _is_large(self, fragment: ds.Fragment) -> bool:
        return self.sizes[fragment.path] > _WHOLE_BYTES


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files of one table, ordered by path. Two listings of an unchanged table are equal (path, size, time)."""

    root: str
    files: tuple[tuple[str, int, int], ...]

    @property
    def bytes(self) -> int:
        return sum(size for _, size, _ in self.files)


def tables_under(filesystem: fs.FileSystem, root: str) -> Mapping[str, TableFiles]:
    """Every folder directly below `root` that holds a Parquet file at any depth, by folder name.

    Files and folders whose name starts with `_` or `.` are skipped, as Hive and Spark have it. A root that does not
    exist holds no tables; a bucket that does not exist raises `OSError`.
    """
    found: dict[str, list[tuple[str, int, int]]] = {}
    for path, size, changed in _parquet(filesystem, root):
        name, separator, _ = path[len(root) + 1 :].partition("/")
        if separator:
            found.setdefault(name, []).append((path, size, changed))
    return {name: TableFiles(f"{root}/{name}", tuple(sorted(files))) for name, files in sorted(found.items())}


def files_of(filesystem: fs.FileSystem, root: str) -> TableFiles | None:
    """The files of the table whose folder is `root`; None when it holds none."""
    files = sorted(_parquet(filesystem, root))
    return TableFiles(root, tuple(files)) if files else None


def open_dataset(filesystem: fs.FileSystem, table: TableFiles) -> BoundedDataset:
    """Reads every footer: the schema is the union of the files', with types widened where they differ, but for columns
    that an engine has no reading for (`arrow_types`): it would refuse the table for them.

    `key=value` folders below the table are columns. `Misfit` names the file that is no Parquet, or does not fit those
    before it; `Alike` names columns that an engine takes for one.
    """
    options = ds.FileSystemFactoryOptions(
        partition_base_dir=table.root, partitioning=ds.HivePartitioning.discover(infer_dictionary=False)
    )
    paths = [path for path, _, _ in table.files]
    format_ = _OF_SMALL if max(size for _, size, _ in table.files) <= _SMALL_BYTES else _FORMAT
    factory = ds.FileSystemDatasetFactory(filesystem, paths, format_, options)
    try:
        dataset = factory.finish(factory.inspect(promote_options="permissive"))
    except (pa.ArrowException, OSError) as error:
        misfit = None if _is_stores(error) else _misfit(filesystem, table)
        if misfit is None:
            raise
        raise misfit from error
    _require_distinct(dataset.schema.names)
    readable = pa.schema([field for field, _ in presented(dataset.schema)])
    bounded = BoundedDataset(list(dataset.get_fragments()), readable, dataset.format, filesystem)
    bounded.sizes = {path: size for path, size, _ in table.files}
    return bounded


class Misfit(Exception):
    """`file` is a name without folders. `column` is of another type than in the files before; None: no Parquet."""

    def __init__(self, file: str, column: str | None) -> None:
        super().__init__(file, column)
        self.file = file
        self.column = column


class Alike(Exception):
    """Two columns whose names differ in case only: SQL would answer the values of one for the other."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first, second)
        self.first = first
        self.second = second


def _require_distinct(names: Sequence[str]) -> None:
    found: dict[bytes, str] = {}
    for name in names:
        folded = name.encode().lower()  # of ASCII letters alone, as DuckDB does
        if folded in found:
            raise Alike(found[folded], name)
        found[folded] = name


def _is_stores(error: Exception) -> bool:
    """Of S3, not of a file: a footer that is broken within is an `OSError`, too."""
    return isinstance(error, OSError) and ("AWS Error" in str(error) or known_store_error("", error) is not None)


def _misfit(filesystem: fs.FileSystem, table: TableFiles) -> Misfit | None:
    """The first file that does not fit those before it; None when it is not the files' own columns that do not."""
    union = pa.schema([])
    for path, _, _ in table.files:
        file = path.rpartition("/")[2]  # its folders are values of columns
        try:
            schema = _FORMAT.inspect(path, filesystem)
        except (pa.ArrowException, OSError) as error:
            if _is_stores(error):
                raise
            return Misfit(file, None)
        for field in schema:
            try:
                union = pa.unify_schemas([union, pa.schema([field])], promote_options="permissive")
            except pa.ArrowException:
                return Misfit(file, field.name)
    return None


def row_count(dataset: ds.FileSystemDataset) -> int:
    """From the footers' metadata."""
    return sum(fragment.metadata.num_rows for fragment in dataset.get_fragments())


@dataclass(frozen=True, slots=True)
class ChunkSizes:
    """Of some columns in all files: rows, compressed bytes, and the rows of the largest row group."""

    rows: int
    bytes: int
    largest_group: int


def column_bytes(dataset: ds.FileSystemDataset, names: frozenset[str]) -> ChunkSizes:
    """From the footers' metadata. A column of folders (`key=value`) has none. A nested column is all of its leaves."""
    rows = bytes_ = largest = 0
    for fragment in dataset.get_fragments():
        metadata = fragment.metadata
        rows += metadata.num_rows
        for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
            largest = max(largest, group.num_rows)
            for chunk in (group.column(number) for number in range(group.num_columns)):
                path = chunk.path_in_schema  # names joined by dots, which a name may hold as well
                if path in names or any(path.startswith(f"{name}.") for name in names):
                    bytes_ += chunk.total_compressed_size
    return ChunkSizes(rows, bytes_, largest)


def _parquet(filesystem: fs.FileSystem, root: str) -> Iterable[tuple[str, int, int]]:
    try:
        listing: Sequence[fs.FileInfo] = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
    except FileNotFoundError:
        return
    for entry in listing:
        if entry.type is not fs.FileType.File or not entry.path.endswith(_SUFFIX):
            continue
        if any(part.startswith(_HIDDEN) for part in entry.path[len(root) + 1 :].split("/")):
            continue
        yield entry.path, entry.size, entry.mtime_ns
