"""Key rotation: re-encrypts rows of older key versions under the current one.

It works in batches, each a transaction of its own, so it can be stopped between any two statements and run again:
finished batches stay finished, and the rest is found by its version. Readers are not blocked, because they can decrypt
both the old row and the new one. A change of the same row waits for the batch or the batch waits for it, and the row is
checked again under its lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa

from loaders.errors import AxionError, Conflict, EncryptionKeyMissing, SecretUnreadable
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.postgres.write import Transaction, transaction
from loaders.secrets.keyring import Keyring, Sealed
from loaders.secrets.sealed_tables import SEALED_TABLES, SealedTable, key_usage

BATCH_ROWS = 100

Told: TypeAlias = Callable[[int, int], None]
"""Called with the number of rows done and the total counted at the start."""


@dataclass(frozen=True, slots=True)
class Unopened:
    """A row whose secret cannot be decrypted. It is left unchanged."""

    table: str
    id: UUID
    key_version: int
    error: EncryptionKeyMissing | SecretUnreadable


@dataclass(frozen=True, slots=True)
class Rotated:
    """`left` counts rows of older versions that can be decrypted: a process with an old configuration wrote them
    meanwhile.
    """

    to_version: int
    resealed: int
    unopened: tuple[Unopened, ...]
    left: int

    @property
    def failure(self) -> AxionError | None:
        """The reason why older key versions are still needed; None when they can be removed from the configuration."""
        resealed = f"{self.resealed} secrets were sealed anew under version {self.to_version}"
        if missing := sorted({each.key_version for each in self.unopened if _is_missing(each)}):
            rows = sum(map(_is_missing, self.unopened))
            return EncryptionKeyMissing(
                f"{resealed}, but {rows} need encryption key version {', '.join(map(str, missing))}, which is not "
                f"configured ({_named(self.unopened)}). Add the version to the encryption keys and rotate again."
            )
        if self.unopened:
            return SecretUnreadable(
                f"{resealed}, but {len(self.unopened)} do not open: their rows were altered, or a key was replaced "
                f"under its version ({_named(self.unopened)}). Enter these secrets again."
            )
        if self.left:
            return Conflict(
                f"{resealed}, but {self.left} were written under an older version meanwhile. Restart what still runs "
                "with the old current version, then rotate again."
            )
        return None


async def rotate(
    gen: Postgres,
    keyring: Keyring,
    *,
    ledger: Ledger,
    told: Told,
    batch_rows: int = BATCH_ROWS,
) -> Rotated:
    """Rotates all tables. Memory holds one batch and the rows that could not be decrypted. Three statements per batch.

    A row that cannot be decrypted is left and reported, and does not stop the others. Rows of versions newer than this
    process's current one are left alone, so that a process with an old configuration undoes nothing. Raises a
    `StoreError`.
    """
    total, done, resealed = await _older(gen, keyring, ledger), 0, 0
    unopened: list[Unopened] = []
    told(done, total)
    for each in SEALED_TABLES:
        after = UUID(int=0)
        while ids := await _next_ids(gen, each, keyring, after, ledger, batch_rows):
            async with transaction(gen, ledger) as within:
                sealed, failed = await _reseal(within, each, keyring, ids)
            resealed, after, done = resealed + sealed, ids[-1], done + len(ids)
            unopened += failed
            told(done, max(done, total))
    left = await _older(gen, keyring, ledger) - len(unopened)
    return Rotated(keyring.current_version, resealed, tuple(unopened), max(left, 0))


async def _older(gen: Postgres, keyring: Keyring, ledger: Ledger) -> int:
    usage = await key_usage(gen, ledger=ledger)
    return sum(each.rows for each in usage if each.key_version < keyring.current_version)


async def _next_ids(
    gen: Postgres, each: SealedTable, keyring: Keyring, after: UUID, ledger: Ledger, batch_rows: int
) -> list[UUID]:
    """The next ids after `after`, in order. No row is locked yet."""
    rows = await gen.fetch(
        f"SELECT id FROM public.{each.name} WHERE key_version < $1 AND id > $2 ORDER BY id LIMIT $3",  # noqa: S608 - the model's own table
        keyring.current_version,
        after,
        batch_rows,
        ledger=ledger,
    )
    return [row["id"] for row in rows]


async def _reseal(
    within: Transaction, each: SealedTable, keyring: Keyring, ids: Sequence[UUID]
) -> tuple[int, list[Unopened]]:
    """Locks rows in the order of their ids, as every rotation does. Rows changed or deleted meanwhile are skipped."""
    c = each.table.c
    locked = (
        sa.select(c.id, c[each.ciphertext].label("ciphertext"), c.nonce, c.tag, c.key_version)
        .where(c.id.in_(ids), c.key_version < keyring.current_version)
        .order_by(c.id)
        .with_for_update(key_share=True)
    )
    anew: list[tuple[UUID, bytes, bytes, bytes]] = []
    unopened: list[Unopened] = []
    for row in await within.rows(locked):
        id_, version = row.id, row.key_version
        try:
            sealed = keyring.seal(keyring.open(Sealed(row.ciphertext, row.nonce, row.tag, version)))
        except (EncryptionKeyMissing, SecretUnreadable) as error:
            unopened.append(Unopened(each.name, id_, version, error))
        else:
            anew.append((id_, sealed.ciphertext, sealed.nonce, sealed.tag))
    if anew:
        await within.rows(_written(each, keyring.current_version, anew))
    return len(anew), unopened


def _written(each: SealedTable, version: int, anew: Sequence[tuple[UUID, bytes, bytes, bytes]]) -> sa.Update:
    """Keeps `updated_at`, because nothing that a user entered has changed."""
    c = each.table.c
    values = sa.values(
        sa.column("id", sa.Uuid),
        *(sa.column(name, sa.LargeBinary) for name in ("ciphertext", "nonce", "tag")),
        name="anew",
    ).data(anew)
    new = {each.ciphertext: values.c.ciphertext, "nonce": values.c.nonce, "tag": values.c.tag, "key_version": version}
    if "updated_at" in c:
        new["updated_at"] = c.updated_at
    return sa.update(each.table).where(c.id == values.c.id).values(new)


def _is_missing(each: Unopened) -> bool:
    return isinstance(each.error, EncryptionKeyMissing)


def _named(unopened: Sequence[Unopened]) -> str:
    shown = ", ".join(f"{each.table} {each.id}" for each in unopened[:3])
    return shown if len(unopened) <= 3 else f"{shown} and {len(unopened) - 3} more"
