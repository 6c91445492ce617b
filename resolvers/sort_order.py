"""What the names of `SortOrder` say, in a document as in a stored query."""


def sort_order(name: str) -> tuple[bool, bool | None]:
    """Whether it is descending, and whether nulls come first; None: they sort as the largest value."""
    nulls = True if name.endswith("NULLS_FIRST") else False if name.endswith("NULLS_LAST") else None
    return name.startswith("DESC"), nulls
