"""Runs and encodes a columnar `Read`: a connection or an object as JSON bytes, for one read or for a batch of keys."""

from collections.abc import Iterable, Sequence
from typing import cast

import orjson

from loaders.columnar.answer import Answer, Found, RowsAnswer, run
from loaders.columnar.batch_size import apart
from loaders.columnar.compile import Compiled, Keys, compile_read
from loaders.columnar.groups import aggregate_objects, without_rows
from loaders.columnar.narrow import narrowed
from loaders.columnar.page import Slice, encoded_rows
from loaders.columnar.source import Source
from loaders.concurrently import concurrently
from loaders.description import ColumnType
from loaders.encode.json import literal_text
from loaders.encode.value import encode_value
from loaders.ledger import Ledger
from loaders.read import Aggregate, Edges, Literal, Nodes, PageInfo, Read, TotalCount
from loaders.room import Made, Room

Key = tuple[object, ...]
_NO_KEY: tuple[str, ...] = ()


async def read_connection(read: Read, source: Source, ledger: Ledger) -> bytes:
    """The connection object as JSON. Without `read.connection`, the object of the first row, or `null`.

    It sends at most one statement for rows, one count and one per aggregate, all at once; where ties are counted, after
    one more that narrows the rows. Raises `BadInput` before anything is sent.
    """
    if read.page.ties is not None:
        read = await narrowed(read, source, ledger)
    await ledger.turns.next()
    compiled = compile_read(read, source.dialect)
    return (await _answers(read, compiled, source, ledger, [_NO_KEY]))[_NO_KEY]


async def read_keyed(
    read: Read, key_columns: Sequence[str], keys: Iterable[Key], source: Source, ledger: Ledger
) -> dict[Key, bytes]:
    """For a data loader: `read` once for each key, where `key_columns` equal it, in as many statements as a single read
    takes.

    Every key is in the answer as it was given: a key without rows, or with a null in it, has the empty connection
    (`null` for a read of one object).
    """
    asked = list(dict.fromkeys(keys))
    types = [read.table.column(name).type for name in key_columns]
    texts = {key: _key_text(key, types) for key in asked if None not in key}
    distinct = {text: key for key, text in texts.items()}
    await ledger.turns.next()
    compiled = compile_read(read, source.dialect, keys=Keys(tuple(key_columns), tuple(distinct.values())))
    answers = await _answers(read, compiled, source, ledger, list(distinct), arity=len(types))
    empty = empty_answer(read)
    return {key: answers[texts[key]] if key in texts else empty for key in asked}


def empty_answer(read: Read) -> bytes:
    """What the read answers where no row matches: the empty connection, or `null` for one object."""
    return _assemble(read, Compiled(order=(), never=True), None, {}, {}, _NO_KEY, Room().lent().made())


async def _answers(
    read: Read, compiled: Compiled, source: Source, ledger: Ledger, keys: list[tuple[str, ...]], *, arity: int = 0
) -> dict[tuple[str, ...], bytes]:
    statements = [compiled.rows.statement] if compiled.rows else []
    statements += [compiled.total] if compiled.total else []
    statements += [statement for _, statement in compiled.aggregates]
    with ledger.room.lent() as lent:
        found = await concurrently(run(source, statement, ledger, lent) for statement in statements)
        size = sum(each.size for each in found)
        pieces, whole = lent.made(), lent.made()
        answers = await apart(size, lambda: _encoded(read, compiled, found, keys, arity, pieces, whole))
    ledger.room.take(sum(map(len, answers.values())))
    return answers


def _encoded(
    read: Read,
    compiled: Compiled,
    found: list[Found],
    keys: list[tuple[str, ...]],
    arity: int,
    pieces: Made,
    whole: Made,
) -> dict[tuple[str, ...], bytes]:
    answers = iter(found)
    rows = None
    if compiled.rows:
        rows = encoded_rows(read, compiled.order, RowsAnswer(compiled.rows, next(answers)), arity, pieces)
    totals = _totals(Answer(compiled.total, next(answers)), arity) if compiled.total else {}
    groups = {
        aggregate: aggregate_objects(aggregate, Answer(statement, next(answers)), arity, pieces)
        for aggregate, statement in compiled.aggregates
    }
    slices = rows.slices() if rows else {}
    return {key: _assemble(read, compiled, slices.get(key), totals, groups, key, whole) for key in keys}


def _totals(answer: Answer, arity: int) -> dict[tuple[str, ...], int]:
    keys = zip(*(answer.texts(position) for position in range(arity)), strict=True) if arity else [_NO_KEY]
    return dict(zip(cast(Iterable[tuple[str, ...]], keys), answer.integers(arity), strict=True))


def _assemble(
    read: Read,
    compiled: Compiled,
    rows: Slice | None,
    totals: dict[tuple[str, ...], int],
    groups: dict[Aggregate, dict[tuple[str, ...], list[bytes]]],
    key: tuple[str, ...],
    made: Made,
) -> bytes:
    rows = rows or Slice.empty(read)
    if read.connection is None:
        return rows.first()
    entries = []
    for name, part in read.connection.entries:
        match part:
            case Nodes() | Edges():
                value = rows.list_of(part, made)
            case PageInfo():
                value = rows.page_info(part)
            case TotalCount():
                value = str(totals.get(key, 0)).encode()
            case Aggregate():
                objects = groups.get(part, {}).get(key) or without_rows(part)
                made.add(sum(map(len, objects)))
                value = b"[" + b",".join(objects) + b"]"
            case Literal():
                value = literal_text(part).encode()
        entries.append(orjson.dumps(name) + b":" + value)
    return b"{" + b",".join(entries) + b"}"


def _key_text(key: Key, types: Sequence[ColumnType]) -> tuple[str, ...]:
    if len(key) != len(types):
        raise ValueError(f"a key has {len(types)} parts, this one {len(key)}")
    return tuple(encode_value(value, column_type) for value, column_type in zip(key, types, strict=True))
