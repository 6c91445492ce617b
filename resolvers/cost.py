"""What a read may cost: the price station. Pure, and asked before anything is sent to a store.

The price is the number of rows an answer can hold: a page counts its size, a nested page its size for each row above
it. Rows are what multiplies; how wide a row is, the limits of the document bound.
"""

from dataclasses import dataclass

from loaders.errors import CostExceeded
from loaders.read import Aggregate, Connection, Edges, Field, Nodes, Read, Related

UNBOUNDED_GROUPS = 1_000
"""Counted for an aggregate without a limit of its own."""


@dataclass(slots=True)
class Budget:
    """Rows one document may ask for, over all its fields. `None` is no bound: streams, whose reader sets the pace."""

    rows: int | None
    spent: int = 0

    def spend(self, read: Read) -> None:
        """`CostExceeded` when the document asks for more than its budget."""
        if self.rows is None:
            return
        self.spent += price(read)
        if self.spent > self.rows:
            message = f"The document can answer {self.spent} rows, and at most {self.rows} are answered at once."
            raise CostExceeded(f"{message} Ask for smaller pages, in several documents, or for an Arrow stream.")


def price(read: Read) -> int:
    """The most rows the answer can hold, at every level."""
    if read.connection is None:
        return 1 + _below(read.fields)
    return _connection(read.connection, read.page.limit)


def _connection(connection: Connection, limit: int | None) -> int:
    size = UNBOUNDED_GROUPS if limit is None else limit
    total = 0
    for _, part in connection.entries:
        match part:
            case Nodes(fields):
                total += size * (1 + _below(fields))
            case Edges(entries):
                nodes = [entry for _, entry in entries if isinstance(entry, Nodes)]
                total += size * (1 + sum(_below(node.fields) for node in nodes))
            case Aggregate():
                total += 1 if not part.group_by else UNBOUNDED_GROUPS if part.limit is None else part.limit
            case _:
                total += 1
    return total


def _below(fields: tuple[Field, ...]) -> int:
    return sum(price(field.output.read) for field in fields if isinstance(field.output, Related))
