"""The opaque Relay id: base64url without padding of `Type:key`. The parts of a compound key are joined by `|`.

Parts are written as in JSON, without quotes. Only the last part of a compound key may contain `|`.
"""

from collections.abc import Sequence

from loaders.encode import base64url
from loaders.errors import InvalidId

MAX_LENGTH = 4096  # characters; keys of the catalog take under 100


def encode_node_id(type_name: str, key: Sequence[str]) -> str:
    return base64url.encode(f"{type_name}:{'|'.join(key)}".encode())


def decode_node_id(node_id: str) -> tuple[str, str]:
    """The type's name and the key's text (`split_key` separates a compound key). `InvalidId` for anything malformed."""
    if len(node_id) > MAX_LENGTH:
        raise InvalidId("The id is too long to be one of this API. Pass an `id` exactly as a query returned it.")
    try:
        type_name, separator, key = base64url.decode(node_id).decode("utf-8").partition(":")
    except ValueError as error:
        raise InvalidId("The id is malformed. Pass an `id` exactly as a query returned it.") from error
    if not separator or not type_name.isidentifier() or not key:
        raise InvalidId("The id is malformed. Pass an `id` exactly as a query returned it.")
    return type_name, key


def split_key(key: str, arity: int) -> tuple[str, ...]:
    """The `arity` parts of a key's text; `InvalidId` when there are fewer."""
    parts = tuple(key.split("|", arity - 1))
    if len(parts) != arity:
        raise InvalidId("The id does not fit its type. Pass an `id` exactly as a query returned it.")
    return parts
