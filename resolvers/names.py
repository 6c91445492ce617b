"""One rule for the `name` of everything that users create."""

import unicodedata

from loaders.errors import BadInput

MAX_NAME = 200


def checked_name(name: str | None, *, field: str = "name") -> str:
    """The name in Unicode's normal form C, so that names that look alike are equal. Raises `BadInput` unless it is
    printable text without space at its ends.
    """
    if not name or name != name.strip() or not name.isprintable() or len(name) > MAX_NAME:
        raise BadInput(
            f"`{field}` must be printable text of 1 to {MAX_NAME} characters without space at its ends.", field=field
        )
    return unicodedata.normalize("NFC", name)
