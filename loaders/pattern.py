"""LIKE patterns spelled in the one way all engines read alike."""

from loaders.errors import BadInput


def normal_pattern(pattern: str) -> str:
    """`\\` escapes any character, as in Postgres; after this only `\\`, `%` and `_` are ever escaped."""
    spelled: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character != "\\":
            spelled.append(character)
            continue
        escaped = next(characters, None)
        if escaped is None:
            raise BadInput("A LIKE pattern must not end with a single backslash. Double it to match a backslash.")
        spelled.append(f"\\{escaped}" if escaped in "\\%_" else escaped)
    return "".join(spelled)
