"""The Relay connection types of a table-backed type: connection, edge, and the shared page info."""

from typing import Optional

import strawberry

from schema.mapping import types
from schema.mapping.aggregate_types import aggregate_field


@strawberry.type(description="Information about a page of a connection (Relay Cursor Connections).")
class PageInfo:
    has_next_page: bool = strawberry.field(description="More rows follow the page.")
    has_previous_page: bool = strawberry.field(description="Rows precede the page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row; null on an empty page.")


types.register("PageInfo", PageInfo)


def make_connection(target: str) -> None:
    """Registers `{target}Edge` and `{target}Connection`."""
    types.make_type(
        f"{target}Edge",
        {
            "cursor": (str, "Opaque cursor of the row, for `after` and `before`."),
            "node": (types.lazy(target), "The row."),
        },
        f"An edge of a connection: a row of `{target}` and its cursor.",
    )
    types.make_type(
        f"{target}Connection",
        {
            "nodes": (types.list_of(types.lazy(target)), "The rows of the page."),
            "edges": (types.list_of(types.lazy(f"{target}Edge")), "The rows of the page, each with its cursor."),
            "pageInfo": (PageInfo, "Information about the page."),
            "totalCount": (
                Optional[int],
                "Number of matching rows, regardless of the page; null if it cannot be known.",
            ),
            "aggregate": aggregate_field(target),
        },
        f"A page of `{target}` rows.",
    )
