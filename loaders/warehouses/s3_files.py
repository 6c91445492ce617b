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
from loaders.warehouses.s3_scan import BATCH_ROWS, ColumnScan, Scan

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
"""When no file of a table is larger than this, the columns of each are fetched together and kept while it is read.
1,000 columns are then a few requests instead of a thousand (0.2 s instead of 6 s, on versitygw and a busy machine)."""
_WHOLE_BYTES = 1 << 20
"""Larger files are not read with pyarrow's scanner, unless their row groups are small."""
_BOUNDS = {
    "batch_size": BATCH_ROWS,
    "batch_readahead": 1,
    "fragment_readahead": 1,
    "memory_pool": pa.system_memory_pool(),
}


class BoundedDataset(ds.FileSystemDataset):  # type: ignore[misc]  # pyarrow carries no types
    """Scans with one batch and one file ahead of the reader, and reads large files one batch at a time.

    pyarrow's own scanner decodes the columns of a row group as a whole: for one file of 4 million rows and three
    columns (78 MiB, one row group) it held 154 MiB of Arrow memory, where reading by batches holds 9 MiB and takes a
    fifth of the time. DuckDB calls the `scanner` method of the dataset's class, so its scans are within these bounds,
    too.
    """

    sizes: Mapping[str, int] = MappingProxyType({})
    """Sizes of the files in bytes, by path."""

    def scanner(
        self, *, columns: Sequence[str] | None = None, filter: pc.Expression | None = None, **options: object
    ) -> ds.Scanner | Scan:  # the names are pyarrow's
        bounds = options | _BOUNDS
        if max(self.sizes.values(), default=0) <= _WHOLE_BYTES:
            return super().scanner(columns=columns, filter=filter, **bounds)
        names = self.schema.names if columns is None else columns
        scan = ColumnScan(self, pa.schema([self.schema.field(name) for name in names]), filter)

        def batches() -> Iterator[pa.RecordBatch]:
            for large, fragments in groupby(self.get_fragments(filter), self._is_large):
                if not large:
                    yield from scan.scanned(list(fragments), **bounds)
                    continue
                for fragment in fragments:
                    together = self.sizes[fragment.path] <= _SMALL_BYTES
                    yield from scan.decoded(fragment, pre_buffer=together, **bounds)

        return Scan(scan.columns, batches)

    def _is_large(self, fragment: ds.Fragment) -> bool:
        return self.sizes[fragment.path] > _WHOLE_BYTES


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files of one table, ordered by path, as (path, size, modification time). Listings of an unchanged table are
    equal.
    """

    root: str
    files: tuple[tuple[str, int, int], ...]

    @property
    def bytes(self) -> int:
        return sum(size for _, size, _ in self.files)


def tables_under(filesystem: fs.FileSystem, root: str) -> Mapping[str, TableFiles]:
    """Every folder directly below `root` that holds a Parquet file at any depth, by folder name.

    Files and folders whose name starts with `_` or `.` are skipped, as Hive and Spark do. A root that does not exist
    holds no tables; a bucket that does not exist raises `OSError`.
    """
    found: dict[str, list[tuple[str, int, int]]] = {}
    for path, size, changed in _parquet(filesystem, root):
        name, separator, _ = path[len(root) + 1 :].partition("/")
        if separator:
            found.setdefault(name, []).append((path, size, changed))
    return {name: TableFiles(f"{root}/{name}", tuple(sorted(files))) for name, files in sorted(found.items())}


def files_of(filesystem: fs.FileSystem, root: str) -> TableFiles | None:
    """The files of the table in folder `root`; None when it holds none."""
    files = sorted(_parquet(filesystem, root))
    return TableFiles(root, tuple(files)) if files else None


def open_dataset(filesystem: fs.FileSystem, table: TableFiles) -> BoundedDataset:
    """Opens the files of a table as one dataset, reading every footer. The schema is the union of the files' schemas,
    with types widened where they differ, without the columns that DuckDB cannot read (`arrow_types`), because it would
    refuse the whole table.

    `key=value` folders below the table become columns. `MisfitFile` names a file that is not Parquet or does not fit
    those before it; `IndistinctColumns` names two columns that DuckDB cannot tell apart.
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


class MisfitFile(Exception):
    """`file` is a name without folders. `column` has another type than in the files before; None means not valid
    Parquet.
    """

    def __init__(self, file: str, column: str | None) -> None:
        super().__init__(file, column)
        self.file = file
        self.column = column


class IndistinctColumns(Exception):
    """Two columns whose names differ in case only: DuckDB would answer one with the values of the other."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first, second)
        self.first = first
        self.second = second


def _require_distinct(names: Sequence[str]) -> None:
    found: dict[bytes, str] = {}
    for name in names:
        folded = name.encode().lower()  # folds ASCII letters only, as DuckDB does
        if folded in found:
            raise IndistinctColumns(found[folded], name)
        found[folded] = name


def _is_stores(error: Exception) -> bool:
    """Whether S3 failed, and not a file: a footer that is damaged inside is an `OSError`, too."""
    return isinstance(error, OSError) and ("AWS Error" in str(error) or known_store_error("", error) is not None)


def _misfit(filesystem: fs.FileSystem, table: TableFiles) -> MisfitFile | None:
    """Finds the first file that does not fit those before it; None when the files' own columns do fit."""
    union = pa.schema([])
    for path, _, _ in table.files:
        file = path.rpartition("/")[2]  # its folders may hold values of columns
        try:
            schema = _FORMAT.inspect(path, filesystem)
        except (pa.ArrowException, OSError) as error:
            if _is_stores(error):
                raise
            return MisfitFile(file, None)
        for field in schema:
            try:
                union = pa.unify_schemas([union, pa.schema([field])], promote_options="permissive")
            except pa.ArrowException:
                return MisfitFile(file, field.name)
    return None


def row_count(dataset: ds.FileSystemDataset) -> int:
    """The number of rows, by the footers' metadata."""
    return sum(fragment.metadata.num_rows for fragment in dataset.get_fragments())


@dataclass(frozen=True, slots=True)
class ChunkSizes:
    """Sizes of some columns in all files: rows, compressed bytes, and the rows of the largest row group."""

    rows: int
    bytes: int
    largest_group: int


def column_bytes(dataset: ds.FileSystemDataset, names: frozenset[str]) -> ChunkSizes:
    """Sizes of these columns in all files, by the footers' metadata. A column of folders (`key=value`) has none. A
    nested column counts with all of its leaves.
    """
    rows = bytes_ = largest = 0
    for fragment in dataset.get_fragments():
        metadata = fragment.metadata
        rows += metadata.num_rows
        for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
            largest = max(largest, group.num_rows)
            for chunk in (group.column(number) for number in range(group.num_columns)):
                path = chunk.path_in_schema  # names joined by dots, although a name may contain dots
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
