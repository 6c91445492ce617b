"""Turns the page arguments of a connection into a `Page`, and the selection of `pageInfo` into what has to be known
about it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from graphql import FieldNode

from loaders.description import Table
from loaders.encode.cursor import CursorForm, decode_cursor
from loaders.errors import BadInput, PageTooLarge
from loaders.order import cursor_form
from loaders.read import Literal, OrderBy, Page, PageInfo, PageInfoPart, Value
from schema.mapping.collect import Document
from schema.mapping.variables import decide, take

DEFAULT_PAGE = 50


def page_size(arguments: Mapping[str, Any], *, max_page: int | None) -> int | None:
    """The number of rows that `first` or `last` asks for. `None` means all, where pages are unbounded
    (`max_page=None`).

    Raises `PageTooLarge` beyond the bound, and `BadInput` where the arguments contradict each other; nothing is cut
    silently.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise BadInput("Give `first` or `last`, not both.")
    for name, size in (("first", first), ("last", last)):
        if size is not None:
            return cast(int, take(size, partial(_checked, name=name, max_page=max_page)))
    return DEFAULT_PAGE if max_page is not None else None


def _checked(size: int, name: str, max_page: int | None) -> int:
    if size < 0:
        raise BadInput(f"`{name}` is {size}; it must not be negative.")
    if max_page is not None and size > max_page:
        message = f"`{name}` is {size}, and a page has at most {max_page} rows."
        step = "Page with `after`/`before`; a list of ClickHouse or of a remote table can be an Arrow stream instead."
        raise PageTooLarge(f"{message} {step}")
    return size


def page(arguments: Mapping[str, Any], order: tuple[OrderBy, ...], table: Table, *, max_page: int | None) -> Page:
    """Raises what `page_size` raises, and `InvalidCursor`."""
    limit = page_size(arguments, max_page=max_page)
    form = cursor_form(order, table)
    return Page(
        limit=limit,
        backward=arguments.get("last") is not None,
        after=_bound(arguments.get("after"), form),
        before=_bound(arguments.get("before"), form),
    )


def _bound(cursor: Any, form: CursorForm) -> tuple[Value, ...] | None:
    """The values of the cursor. Which of them are null is part of the plan."""
    if cursor is None:
        return None
    nulls = decide(cursor, partial(_nulls, form=form))
    return tuple(
        None if null else take(cursor, partial(_term, form=form, place=place)) for place, null in enumerate(nulls)
    )


def _nulls(cursor: str, form: CursorForm) -> tuple[bool, ...]:
    return tuple(value is None for value in decode_cursor(cursor, form))


def _term(cursor: str, form: CursorForm, place: int) -> Value:
    return decode_cursor(cursor, form)[place]


def page_info(document: Document, nodes: Sequence[FieldNode]) -> PageInfo:
    selected = document.collect("PageInfo", list(nodes)).items()
    return PageInfo(tuple((key, _page_part(first.name.value)) for key, (first, *_) in selected))


def _page_part(name: str) -> PageInfoPart | Literal:
    return Literal("PageInfo") if name == "__typename" else PageInfoPart(name)
