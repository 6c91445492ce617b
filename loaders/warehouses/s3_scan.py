"""Scans Parquet files with large row groups a page at a time, because pyarrow's own scanner decodes a row group as a
whole.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

BATCH_ROWS: Final = 16_384
_BATCH_BYTES: Final = 8 << 20
_LEAST_ROWS: Final = 64
_BUFFERS_BYTES: Final = 16 << 20
_LEAST_BUFFER: Final = 1 << 16
_MOST_BUFFER: Final = 1 << 20
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Scan:
    """The part of a pyarrow scanner that DuckDB uses."""

    projected_schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]

    def to_reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.projected_schema, self.batches())


@dataclass(frozen=True, slots=True)
class ColumnScan:
    """A scan of `columns` of a dataset, for the rows that satisfy `where`."""

    dataset: ds.FileSystemDataset
    columns: pa.Schema
    where: pc.Expression | None

    def scanned(self, fragments: Sequence[ds.Fragment], **options: object) -> Iterator[pa.RecordBatch]:
        """Scans with pyarrow's own scanner."""
        part = ds.FileSystemDataset(list(fragments), self.dataset.schema, self.dataset.format, self.dataset.filesystem)
        yield from part.scanner(columns=self.columns.names, filter=self.where, **options).to_batches()

    def decoded(
        self, fragment: ds.ParquetFileFragment, *, pre_buffer: bool, **options: object
    ) -> Iterator[pa.RecordBatch]:
        """Reads one file. Memory holds a batch, and for each column a page and a buffer. `pre_buffer` fetches the file
        as a whole.

        Falls back to `scanned` when the row groups are no larger than two batches, and when a column needs a cast to
        another nested type.
        """
        if self.where is not None:
            fragment = fragment.subset(self.where, schema=self.dataset.schema)
        groups = fragment.row_groups
        rows = min((_rows_at_once(group) for group in groups), default=0)
        if all(group.num_rows <= 2 * rows for group in groups):
            yield from self.scanned([fragment], **options)
            return
        read = self._read()
        partition = ds.get_partition_keys(fragment.partition_expression)
        with self.dataset.filesystem.open_input_file(fragment.path) as source:
            buffer = min(max(_BUFFERS_BYTES // max(len(read), 1), _LEAST_BUFFER), _MOST_BUFFER)
            file = pq.ParquetFile(source, metadata=fragment.metadata, pre_buffer=pre_buffer, buffer_size=buffer)
            names = [field.name for field in read if field.name in file.schema_arrow.names]
            if not names or not all(_fits(file.schema_arrow, field, partition) for field in read):
                yield from self.scanned([fragment], **options)
                return
            ids = [group.id for group in groups]
            for batch in file.iter_batches(rows, row_groups=ids, columns=names, use_threads=False):
                whole = pa.RecordBatch.from_arrays([_column(batch, field, partition) for field in read], schema=read)
                passed = whole if self.where is None else whole.filter(self.where)
                if passed.num_rows:
                    columns = [passed.column(name) for name in self.columns.names]
                    yield pa.RecordBatch.from_arrays(columns, schema=self.columns)

    def _read(self) -> pa.Schema:
        """The selected columns and all that the filter may name: pyarrow exposes a filter's columns only in its text,
        mixed with values.
        """
        if self.where is None:
            return self.columns
        text = str(self.where)
        words = set(_WORD.findall(text))
        more = [
            field
            for field in self.dataset.schema
            if field.name not in self.columns.names
            and (field.name in words if _WORD.fullmatch(field.name) else field.name in text)
        ]
        return pa.schema([*self.columns, *more])


def _rows_at_once(group: ds.RowGroupInfo) -> int:
    """Rows of a batch; fewer for wide rows."""
    return int(min(max(_BATCH_BYTES * group.num_rows // max(group.total_byte_size, 1), _LEAST_ROWS), BATCH_ROWS))


def _fits(file: pa.Schema, field: pa.Field, partition: Mapping[str, object]) -> bool:
    if field.name in partition or field.name not in file.names:
        return True
    place = file.get_field_index(field.name)  # -1: the name occurs twice
    return place >= 0 and (file.field(place).type == field.type or not _is_within(file.field(place).type, field.type))


def _is_within(*types: pa.DataType) -> bool:
    return any(pa.types.is_nested(each) or isinstance(each, pa.BaseExtensionType) for each in types)


def _column(batch: pa.RecordBatch, field: pa.Field, partition: Mapping[str, object]) -> pa.Array:
    if field.name in partition:
        return pa.repeat(pa.scalar(partition[field.name], field.type), batch.num_rows)
    if field.name not in batch.schema.names:
        return pa.nulls(batch.num_rows, field.type)
    column = batch.column(field.name)
    return column if column.type == field.type else column.cast(field.type)
