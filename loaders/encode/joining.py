"""Concatenates text columns row by row, in Arrow."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

TEXT = pa.large_string()


def joined(parts: Sequence[pa.Array | str]) -> pa.Array:
    """Concatenates the parts of each row; null where any part is null. At least one part must be a column."""
    values = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*values, pa.scalar("", TEXT), null_handling="emit_null")


def joined_lists(column: pa.Array, values: pa.Array) -> pa.Array:
    """The text `[a,b]` for each list of `column`, from the texts of its flattened values. A null list stays null."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).cast(pa.int64())
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])
    text = joined(["[", pc.binary_join(pa.LargeListArray.from_arrays(offsets, values), pa.scalar(",", TEXT)), "]"])
    return text if not column.null_count else pc.if_else(pc.is_valid(column), text, pa.scalar(None, TEXT))
