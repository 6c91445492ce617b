"""The price station: what a read may cost. Pure, and asked before anything is sent to a store.

The price is the number of rows an answer can have: a page counts its size, a nested page its size for each row above
it. The width of rows is bounded by the limits on documents.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loaders.errors import CostExceeded
from loaders.read import Aggregate, Connection, Edges, Field, Nodes, Read, Related, Slot, Value

UNBOUNDED = 10_000
"""Counted for a page, and for groups, without a bound of their own."""
MAX_COMPARED = 60_000
"""Values that the arguments of a document may compare with: building a read takes time for each."""


@dataclass(slots=True)
class Budget:
    """The rows one document may ask for, over all its fields. `None` is unbounded: for streams, whose readers set the
    pace.
    """

    rows: int | None = None
    spent: int = 0
    scanned_bytes: int | None = None
    """What warehouses may read for the document, by their own estimates. `None` asks none of them."""
    scanned: int = 0
    _compared: int | None = None

    def spend(self, rows: int) -> None:
        """Raises `CostExceeded`, and spends nothing, if that is more than is left."""
        total = self.spent + rows
        if self.rows is not None and total > self.rows:
            message = f"The document can answer {total} rows, and at most {self.rows} are answered at once."
            advice = "Ask for smaller pages and fewer groups (`first`), in several documents, or for an Arrow stream."
            raise CostExceeded(f"{message} {advice}")
        self.spent = total

    def scan(self, bytes_: int) -> None:
        """Raises `CostExceeded`, and counts nothing, if warehouses would read more than is left."""
        total = self.scanned + bytes_
        if self.scanned_bytes is not None and total > self.scanned_bytes:
            raise CostExceeded(
                f"Warehouses would read about {total} bytes for the document, and may read {self.scanned_bytes}. "
                "Nothing of this was read. Filter by partition or key, select fewer columns, or ask for less at once."
            )
        self.scanned = total

    def compare(self, count: Callable[[], int]) -> None:
        """Raises `CostExceeded` if the document compares with too many values, before anything is built from its
        arguments. They are counted once, however often this is called.
        """
        if self._compared is None:
            self._compared = count()
        check_compared(self._compared)


def check_compared(values: int) -> None:
    """Raises `CostExceeded` beyond `MAX_COMPARED`, counted as schema/mapping/compared.py does."""
    if values > MAX_COMPARED:
        raise CostExceeded(
            f"The arguments of the document hold {values} values, each list and each condition as often as it is used, "
            f"and at most {MAX_COMPARED} are compared at once. Use long lists in fewer places, or split the document."
        )


def price(read: Read, values: Sequence[Value] = ()) -> int:
    """The most rows the answer can have, over all levels. `values` are those of the slots of the read, if it has
    any.
    """
    if read.connection is None:
        return 1 + _below(read.fields, values)
    limit = read.page.limit
    return _connection(read.connection, values[limit.index] if isinstance(limit, Slot) else limit, values)


def _connection(connection: Connection, limit: object, values: Sequence[Value]) -> int:
    size = limit if isinstance(limit, int) else UNBOUNDED
    total = 0
    for _, part in connection.entries:
        match part:
            case Nodes(fields):
                total += size * (1 + _below(fields, values))
            case Edges(entries):
                nodes = [entry for _, entry in entries if isinstance(entry, Nodes)]
                total += size * (1 + sum(_below(node.fields, values) for node in nodes))
            case Aggregate():
                total += _groups(part)
            case _:
                total += 1
    return total


def _groups(aggregate: Aggregate) -> int:
    """The limit of an aggregate, or else its bound, beyond which it fails."""
    if not aggregate.group_by:
        return 1
    if aggregate.limit is not None:
        return aggregate.limit
    return UNBOUNDED if aggregate.bound is None else aggregate.bound


def _below(fields: tuple[Field, ...], values: Sequence[Value]) -> int:
    return sum(price(field.output.read, values) for field in fields if isinstance(field.output, Related))
