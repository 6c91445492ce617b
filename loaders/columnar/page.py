"""Encodes the rows of a page (or of each key's page), and what a connection tells about them."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from loaders.columnar.answer import RowsAnswer, bytes_of
from loaders.columnar.needed import has_cursors, wants_cursors
from loaders.columnar.order import own_expression
from loaders.encode.cursor import decoded_terms, encode_cursor
from loaders.encode.json import literal_text, rows_text
from loaders.expression import sortable
from loaders.order import cursor_mark
from loaders.read import EdgePart, Edges, Literal, Nodes, OrderBy, PageInfo, PageInfoPart, Read
from loaders.room import Made

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """All rows of an answer in order, each output a list, to be sliced by key."""

    read: Read
    count: int
    objects: dict[Nodes, list[bytes]]
    cursors: list[str] | None
    keys: list[Key] | None

    def slices(self) -> dict[Key, "Slice"]:
        """One slice for each key that has rows; the key of a read without keys is `()`."""
        if self.keys is None:
            return {(): self._slice(range(self.count))}
        by_key: dict[Key, list[int]] = {}
        for row, key in enumerate(self.keys):
            by_key.setdefault(key, []).append(row)
        return {key: self._slice(rows) for key, rows in by_key.items()}

    def _slice(self, rows: Sequence[int]) -> "Slice":
        page = self.read.page
        more = page.limit is not None and len(rows) > page.limit
        if self.read.connection is not None and page.limit is not None:
            rows = rows[: page.limit]
        if page.backward:
            rows = rows[::-1]
        objects = {nodes: [texts[row] for row in rows] for nodes, texts in self.objects.items()}
        cursors = [self.cursors[row] for row in rows] if self.cursors is not None else None
        return Slice(self.read, objects, cursors, len(rows), more)


@dataclass(frozen=True, slots=True)
class Slice:
    """One page: its rows in order, and whether the store has more in the direction of the page."""

    read: Read
    objects: dict[Nodes, list[bytes]]
    cursors: list[str] | None
    count: int
    more: bool

    @classmethod
    def empty(cls, read: Read) -> "Slice":
        return cls(read, {}, None, 0, more=False)

    def first(self) -> bytes:
        return next(iter(self.objects.values()))[0] if self.count else b"null"

    def list_of(self, part: Nodes | Edges, made: Made) -> bytes:
        if isinstance(part, Edges):
            return b"[" + b",".join(self._edges(part, made)) + b"]"
        texts = self.objects.get(part, [])
        made.add(sum(map(len, texts)))
        return b"[" + b",".join(texts) + b"]"

    def page_info(self, part: PageInfo) -> bytes:
        """The far end of the page is known from the one row that was read beyond it, the near end from the cursor the
        page started at.
        """
        page = self.read.page
        next_page = page.before is not None if page.backward else self.more
        previous_page = self.more if page.backward else page.after is not None
        values = {
            PageInfoPart.HAS_NEXT_PAGE: next_page,
            PageInfoPart.HAS_PREVIOUS_PAGE: previous_page,
            PageInfoPart.START_CURSOR: self.cursors[0] if self.cursors else None,
            PageInfoPart.END_CURSOR: self.cursors[-1] if self.cursors else None,
        }
        return orjson.dumps(
            {name: entry.value if isinstance(entry, Literal) else values[entry] for name, entry in part.entries}
        )

    def _edges(self, part: Edges, made: Made) -> list[bytes]:
        columns: list[list[bytes]] = []
        for name, entry in part.entries:
            head = orjson.dumps(name) + b":"
            match entry:
                case EdgePart.CURSOR if self.cursors is not None:
                    columns.append([head + b'"' + cursor.encode() + b'"' for cursor in self.cursors])
                case EdgePart.CURSOR:
                    columns.append([head + b"null"] * self.count)
                case Nodes():
                    columns.append([head + text for text in self.objects.get(entry, [])])
                case Literal():
                    columns.append([head + literal_text(entry).encode()] * self.count)
            made.add(sum(map(len, columns[-1])))
        if not columns:
            return [b"{}"] * self.count
        return [b"{" + b",".join(edge) + b"}" for edge in zip(*columns, strict=True)]


def encoded_rows(read: Read, order: tuple[OrderBy, ...], answer: RowsAnswer, arity: int, made: Made) -> EncodedRows:
    """`arity` is the number of key columns, which come first in the answer; 0 without keys. Raises `PageTooLarge` for
    more text than `made` takes.

    Without a key, and without counted ties, cursors are null.
    """
    objects = {
        nodes: bytes_of(rows_text(nodes.fields, answer.column_of, answer.rows, made=made.add)) for nodes in _nodes(read)
    }
    cursors = None
    if read.connection is not None and has_cursors(read) and wants_cursors(read.connection):
        terms = [answer.texts_of(own_expression(term)) for term in order]
        if not read.table.key:
            terms.append(_ties(terms, order, read))
        mark = cursor_mark(order, read.table)
        cursors = [encode_cursor(row, mark) for row in zip(*terms, strict=True)]
    keys = None
    if arity:
        columns = [answer.texts(position) for position in range(arity)]
        keys = [tuple("" if part is None else part for part in row) for row in zip(*columns, strict=True)]
    return EncodedRows(read, answer.rows, objects, cursors, keys)


def _ties(terms: list[list[str | None]], order: tuple[OrderBy, ...], read: Read) -> list[str | None]:
    """The ordinal of each row among those that are equal in all terms, counting those of earlier pages."""
    types = [sortable(term.expression, read.table) for term in order]
    ties: list[int] = []
    before = None
    for row in zip(*terms, strict=True):
        if row == before:
            ties.append(ties[-1] + 1)
        elif before is None and read.page.after is not None and read.page.after == decoded_terms(row, types):
            ties.append((read.page.ties or 0) + 1)
        else:
            ties.append(1)
        before = row
    return [str(tie) for tie in ties]


def _nodes(read: Read) -> list[Nodes]:
    """Every distinct list of node fields that the read shows."""
    shown = read.shown() if read.connection is None else read.connection.shown()
    return list(dict.fromkeys(Nodes(fields) for _, fields in shown))
