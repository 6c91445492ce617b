"""The page arguments of a connection as a `Page`."""

from collections.abc import Mapping
from typing import Any

from loaders.description import Table
from loaders.encode.cursor import decode_cursor
from loaders.errors import BadInput, PageTooLarge
from loaders.order import cursor_types
from loaders.read import OrderBy, Page

DEFAULT_PAGE = 50


def page_size(arguments: Mapping[str, Any], *, max_page: int | None) -> int | None:
    """How many rows `first` or `last` ask for; `None` is all of them, where no page is bounded (`max_page=None`).

    `PageTooLarge` beyond the bound, `BadInput` where the arguments contradict each other; nothing is cut silently.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise BadInput("Give `first` or `last`, not both.")
    for name, size in (("first", first), ("last", last)):
        if size is not None and size < 0:
            raise BadInput(f"`{name}` is {size}; it must not be negative.")
        if size is not None and max_page is not None and size > max_page:
            message = f"`{name}` is {size}, and a page has at most {max_page} rows."
            raise PageTooLarge(f"{message} Page with `after`/`before`, or ask for the list as an Arrow stream.")
    asked: int | None = first if first is not None else last
    return DEFAULT_PAGE if asked is None and max_page is not None else asked


def page(arguments: Mapping[str, Any], order: tuple[OrderBy, ...], table: Table, *, max_page: int | None) -> Page:
    """What `page_size` raises, and `InvalidCursor`."""
    limit = page_size(arguments, max_page=max_page)
    types = cursor_types(order, table)
    after, before = arguments.get("after"), arguments.get("before")
    return Page(
        limit=limit,
        backward=arguments.get("last") is not None,
        after=decode_cursor(after, types) if after is not None else None,
        before=decode_cursor(before, types) if before is not None else None,
    )
