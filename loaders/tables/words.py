"""Columns that hold one word of a closed list: their check and how a comment names the words."""


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The condition of a check constraint: the column holds one of the words."""
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({quoted})"


def named(values: tuple[str, ...]) -> str:
    """The words as a comment lists them."""
    return ", ".join(f"`{value}`" for value in values)
