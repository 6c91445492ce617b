"""Captures the guarded read of a document's one list, so that it can be streamed instead of answered."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

from loaders.columnar.source import Source
from loaders.columnar.stream import stream_ipc
from loaders.denied import unmarked
from loaders.encode.ipc import Chunk
from loaders.errors import BadInput
from loaders.ledger import Ledger
from loaders.read import Nodes, Read, Related

MESSAGE = "An Arrow stream answers a document that selects exactly one list, by its `nodes` and nothing else"


class Streamed(Protocol):
    """A list that is ready to be streamed: guarded, but nothing was asked of its store yet."""

    def chunks(self, ledger: Ledger, *, compressed: bool) -> AsyncGenerator[Chunk, None]:
        """One Arrow IPC stream. Nothing comes before the store has answered; closing it cancels the query."""
        ...


@dataclass(frozen=True, slots=True)
class Captured:
    """A guarded read of rows (`read.fields` are the columns), and the store to stream it from."""

    read: Read
    source: Source

    def chunks(self, ledger: Ledger, *, compressed: bool) -> AsyncGenerator[Chunk, None]:
        return stream_ipc(self.read, self.source, ledger, compressed=compressed)


@dataclass(slots=True)
class Capture:
    """Set on a request that wants Arrow: resolvers of lists put their read here. No page limit applies."""

    taken: list[Streamed] = field(default_factory=list)

    def take(self, read: Read, source: Source) -> None:
        """Raises `BadInput` for anything but one flat list of rows."""
        self.taken.append(Captured(_rows_of(read), source))

    def take_stream(self, streamed: Streamed) -> None:
        """Captures a list that is not built from a read."""
        self.taken.append(streamed)

    def one(self) -> Streamed:
        if len(self.taken) != 1:
            raise BadInput(f"{MESSAGE}; this one selects {len(self.taken)}.")
        return self.taken[0]


def _rows_of(read: Read) -> Read:
    parts = () if read.connection is None else read.connection.entries
    match parts:
        case ((_, Nodes(fields)),):
            pass
        case _:
            raise BadInput(f"{MESSAGE}.")
    if any(isinstance(part.output, Related) for part in fields):
        raise BadInput("An Arrow stream has the columns of one table. Leave the nested selections out.")
    return Read(read.table, fields=unmarked(fields), where=read.where, order=read.order, page=read.page)
