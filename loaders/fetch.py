"""Runs a `Read`: plans it, sends each store its part, and joins the parts.

A read within one Postgres database is one statement. Where it crosses into another store, each crossing is one keyed
read for all parents, so the number of statements depends on the document and never on the number of rows. If no row can
match (`Never`), no store is asked. A crossing that fails is reported and leaves null in its own fields, and so is a
stored word that its enum does not have; the rest of the answer stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from loaders.columnar.connection import empty_answer, read_connection, read_keyed
from loaders.columnar.source import Source
from loaders.concurrently import concurrently
from loaders.denied import holders, take_marks
from loaders.description import ColumnType, Table
from loaders.encode.decoded import decoded
from loaders.encode.value import decode_value
from loaders.errors import AxionError
from loaders.failure import Failure
from loaders.ledger import Ledger
from loaders.plan import Graft
from loaders.postgres.client import Postgres
from loaders.prepared import Prepared, prepare
from loaders.read import Aggregate, Col, Connection, Join, Predicate, Read, Value, is_never
from loaders.room import TREE, octets
from loaders.unnamed import has_unnamed, readable, take_unnamed


class ReadStores(Protocol):
    """The stores reads go to, by public store name."""

    @property
    def postgres(self) -> Mapping[str, Postgres]: ...

    @property
    def columnar(self) -> Mapping[str, Source]: ...


async def fetch(read: Read, *, stores: ReadStores, ledger: Ledger) -> tuple[str | None, list[Failure]]:
    """The answer as JSON text, `None` for an absent object. Raises what the read's own store raises."""
    prepared, values = prepare(read)
    return await fetch_prepared(prepared, values, stores=stores, ledger=ledger)


async def fetch_prepared(
    prepared: Prepared, values: Sequence[Value], *, stores: ReadStores, ledger: Ledger
) -> tuple[str | None, list[Failure]]:
    """As `fetch`, with the values of the prepared read's slots."""
    text = await _root(prepared, values, stores, ledger)
    if text is None or not (prepared.grafts or prepared.marks or _lacks_names([text], prepared)):
        return text, []
    tree, failures = await _taken_apart(text, prepared, values, stores, ledger)
    return orjson.dumps(tree).decode(), failures


async def fetch_tree(read: Read, *, stores: ReadStores, ledger: Ledger) -> tuple[Any, list[Failure]]:
    """The answer as JSON-ready Python values."""
    prepared, values = prepare(read)
    text = await _root(prepared, values, stores, ledger)
    return (None, []) if text is None else await _taken_apart(text, prepared, values, stores, ledger)


async def distinct_values(
    table: Table, column: str, *, where: Predicate | None, bound: int, stores: ReadStores, ledger: Ledger
) -> list[object] | None:
    """The distinct values of a column in their JSON form, including null, among the rows that `where` admits (None:
    all). None if there are more than `bound`.
    """
    groups = Aggregate((Col(column),), (("value", Col(column)),), limit=bound + 1)
    read = Read(table, connection=Connection((("groups", groups),)), where=where)
    tree, _ = await fetch_tree(read, stores=stores, ledger=ledger)
    values = [group["value"] for group in tree["groups"]]
    return None if len(values) > bound else values


async def _root(prepared: Prepared, values: Sequence[Value], stores: ReadStores, ledger: Ledger) -> str | None:
    store = _store(prepared.read.table, stores)
    if isinstance(store, Postgres):
        sql, parameters = await _statement(prepared, values, ledger)
        if is_never(prepared.read.where):
            return None if prepared.read.connection is None else empty_answer(prepared.read).decode()
        return await store.fetch_json(sql, parameters, ledger=ledger)
    text = (await read_connection(prepared.filled(values), store, ledger)).decode()
    return None if text == "null" else text


async def _statement(prepared: Prepared, values: Sequence[Value], ledger: Ledger) -> tuple[str, tuple[object, ...]]:
    """As `Prepared.statement`; one that has to be compiled waits for its turn."""
    compiled = prepared.compiled(values)
    if compiled is not None:
        return compiled
    await ledger.turns.next()
    return prepared.statement(values)


async def _taken_apart(
    text: str, prepared: Prepared, values: Sequence[Value], stores: ReadStores, ledger: Ledger
) -> tuple[Any, list[Failure]]:
    ledger.room.take((TREE - 1) * octets(text))
    unnamed = _lacks_names([text], prepared)
    tree = decoded(readable(text) if unnamed else text, exact=prepared.shows_json)
    return tree, await _finish([(tree, ())], prepared, values, stores, ledger, unnamed=unnamed)


def _lacks_names(texts: Iterable[str | bytes | None], prepared: Prepared) -> bool:
    """Whether an enum field shows a word that has no name in one of these answers."""
    return bool(prepared.enums) and any(text is not None and has_unnamed(text) for text in texts)


def _store(table: Table, stores: ReadStores) -> Postgres | Source:
    if table.store in stores.postgres:
        return stores.postgres[table.store]
    return stores.columnar[table.store]


async def _finish(
    trees: Sequence[tuple[Any, tuple[str | int, ...]]],
    prepared: Prepared,
    values: Sequence[Value],
    stores: ReadStores,
    ledger: Ledger,
    *,
    unnamed: bool,
) -> list[Failure]:
    """Removes marks from all trees, and replaces the keys at the path of every graft. Crossings run concurrently.

    `unnamed`: words without a name are made null as well.
    """
    nulls = take_marks(trees, prepared.marks)
    nulls += take_unnamed(trees, prepared.enums, prepared.read.table.store) if unnamed else []
    failures = await concurrently(
        _graft_one(trees, graft, below, values, stores, ledger) for graft, below in prepared.grafts
    )
    return nulls + [failure for below in failures for failure in below]


async def _graft_one(
    trees: Sequence[tuple[Any, tuple[str | int, ...]]],
    graft: Graft,
    prepared: Prepared,
    values: Sequence[Value],
    stores: ReadStores,
    ledger: Ledger,
) -> list[Failure]:
    places = [place for tree, path in trees for place in holders(tree, graft.path[:-1], path)]
    key = graft.path[-1]
    if not places:
        return []
    texts = [None if holder[key] is None else str(holder[key]) for holder, _ in places]
    asked = [path for (_, path), text in zip(places, texts, strict=True) if text is not None]
    try:
        answers = await _keyed(prepared, graft.join, values, list(dict.fromkeys(texts)), stores, ledger)
        ledger.room.take(TREE * sum(octets(answers[text]) for text in texts))
    except AxionError as error:
        for holder, _ in places:
            holder[key] = None
        return [Failure((*asked[0], key), len(asked), error)]
    exact, unnamed = prepared.shows_json, _lacks_names(answers.values(), prepared)
    if unnamed:
        answers = {text: None if answer is None else readable(answer) for text, answer in answers.items()}
    children = []
    for (holder, path), text in zip(places, texts, strict=True):
        answer = answers[text]
        child = holder[key] = None if answer is None else decoded(answer, exact=exact)
        children.append((child, (*path, key)))
    there = [child for child in children if child[0] is not None]
    return await _finish(there, prepared, values, stores, ledger, unnamed=unnamed)


async def _keyed(
    prepared: Prepared,
    join: Join,
    values: Sequence[Value],
    texts: list[str | None],
    stores: ReadStores,
    ledger: Ledger,
) -> dict[str | None, str | bytes | None]:
    """The answer for each key, by the text of the key. One statement in Postgres, one per part in a columnar store.

    Keys that no row can have are not asked for: null, or text that is no value of the column.
    """
    type_ = join.target.column(join.remote[0]).type
    keys = {text: key for text in texts if (key := _key(text, type_)) is not None}
    answers: dict[str | None, str | bytes | None] = dict.fromkeys(
        texts, empty_answer(prepared.read) if prepared.read.connection else None
    )
    if not keys or is_never(prepared.read.where):
        return answers
    store = _store(prepared.read.table, stores)
    if isinstance(store, Postgres):
        sql, parameters = await _statement(prepared, (*values, tuple(keys.values())), ledger)
        given = list(keys)
        rows = await store.fetch(sql, *parameters, ledger=ledger)
        return answers | {given[row[0]]: row[1] for row in rows}
    read = prepared.filled(values)
    keyed = await read_keyed(read, join.remote, [(key,) for key in keys.values()], store, ledger)
    found = {text: keyed[(key,)] for text, key in keys.items()}
    return answers | {text: None if answer == b"null" else answer for text, answer in found.items()}


def _key(text: str | None, type_: ColumnType) -> object:
    try:
        return None if text is None else decode_value(text, type_)
    except ValueError:
        return None
