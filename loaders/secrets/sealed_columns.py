"""A sealed secret as the four columns of its row."""

from typing import Any

import sqlalchemy as sa

from loaders.secrets.keyring import Sealed


def sealed_columns(sealed: Sealed | None, ciphertext: str) -> dict[str, object]:
    """By column, of which `ciphertext` is one's name; all null for no secret."""
    if sealed is None:
        return dict.fromkeys((ciphertext, "nonce", "tag", "key_version"))
    columns = {"nonce": sealed.nonce, "tag": sealed.tag, "key_version": sealed.key_version}
    return {ciphertext: sealed.ciphertext, **columns}


def sealed_of(row: sa.Row[Any], ciphertext: str) -> Sealed:
    """Of a row that has a secret."""
    return Sealed(getattr(row, ciphertext), row.nonce, row.tag, row.key_version)
