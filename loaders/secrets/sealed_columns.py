"""Converts an encrypted secret to and from the four columns of its row."""

from typing import Any

import sqlalchemy as sa

from loaders.secrets.keyring import Sealed


def sealed_columns(sealed: Sealed | None, ciphertext: str) -> dict[str, object]:
    """The values by column. `ciphertext` is the name of the column with the ciphertext. All are null when there is no
    secret.
    """
    if sealed is None:
        return dict.fromkeys((ciphertext, "nonce", "tag", "key_version"))
    columns = {"nonce": sealed.nonce, "tag": sealed.tag, "key_version": sealed.key_version}
    return {ciphertext: sealed.ciphertext, **columns}


def sealed_of(row: sa.Row[Any], ciphertext: str) -> Sealed:
    """The encrypted secret of a row that has one."""
    return Sealed(getattr(row, ciphertext), row.nonce, row.tag, row.key_version)
