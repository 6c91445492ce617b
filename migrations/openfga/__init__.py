"""Brings OpenFGA up to date: the store, the newest authorization model, the tuples that follow from Gen's rows.

Repeatable: a model is uploaded only when `model.json` changed (SHA-256 in `axion_gen.public.openfga_model_versions`),
and tuples that exist are left alone. One runner at a time, by the advisory lock of `axion_gen`.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

import orjson
from openfga_sdk.models import WriteAuthorizationModelRequest
from sqlalchemy import URL, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from loaders.errors import AxionError, PermissionsUnavailable
from loaders.ledger import Ledger
from loaders.openfga.api import Api
from loaders.openfga.client import OpenFga
from loaders.openfga.store import Pin
from loaders.postgres.client import Postgres
from loaders.tables.axion_gen.identity import OpenFgaModelVersion
from migrations.errors import MigrationFailed, TargetInvalid
from migrations.lock import LOCK_KEY
from migrations.openfga.drift import Kind
from migrations.openfga.management import Management
from migrations.openfga.reconcile import GEN, reconcile
from migrations.report import Report

TARGET = "openfga"
_STATEMENT_TIMEOUT_MS = 600_000
_BACK_FILLED: tuple[Kind, ...] = ("missing",)


async def run(
    *, url: str, token: str | None, store_name: str, model_json: Path, axion_gen: URL, timeout_ms: int = 10_000
) -> Report:
    """`axion_gen` connects as the `_migrate` role (driver psycopg or asyncpg), after that database's own migration.

    `TargetInvalid` when `model_json` cannot be read, `MigrationFailed` when OpenFGA or the database refuses.
    """
    model = await asyncio.to_thread(_Model.read, model_json)
    engine = create_async_engine(axion_gen, poolclass=NullPool)
    api = await Api.open(url=url, token=token, timeout_ms=timeout_ms)
    ledger = Ledger()
    try:
        async with (
            Management.opened(url=url, token=token, timeout_ms=timeout_ms, ledger=ledger) as management,
            engine.begin() as connection,
        ):
            await connection.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))
            pin, changes = await _prepare(management, connection, store_name, model)
            added = await _backfill(OpenFga(api, store_name, pin=pin), axion_gen)
            if added:
                changes.append(f"added {added} tuples")
    except AxionError as error:
        raise MigrationFailed(TARGET, "uploading the authorization model and its tuples", str(error)) from error
    except SQLAlchemyError as error:
        # The driver's message may carry the statement or the address: its kind says enough, the cause is chained.
        raise MigrationFailed(TARGET, "reading the catalog in axion_gen", type(error).__name__) from error
    finally:
        await api.close()
        await engine.dispose()
    return Report(TARGET, tuple(changes))


@dataclass(frozen=True, slots=True)
class _Model:
    sha256: str
    request: WriteAuthorizationModelRequest

    @classmethod
    def read(cls, path: Path) -> "_Model":
        try:
            content = path.read_bytes()
            model = orjson.loads(content)
            if not isinstance(model, dict):
                raise ValueError("it is not a JSON object")
            request = WriteAuthorizationModelRequest(
                type_definitions=model.get("type_definitions"),
                schema_version=model.get("schema_version"),
                conditions=model.get("conditions"),
            )
        except (OSError, ValueError) as error:
            raise TargetInvalid(f"the authorization model {path.name} cannot be read: {error}") from error
        return cls(hashlib.sha256(content).hexdigest(), request)


async def _prepare(
    management: Management, connection: AsyncConnection, store_name: str, model: _Model
) -> tuple[Pin, list[str]]:
    """The store and its latest model, which is `model` from now on, and what had to be done for that."""
    changes: list[str] = []
    store_id = await management.find_store(store_name)
    if store_id is None:
        store_id = await management.create_store(store_name)
        changes.append(f"created store {store_name}")
    newest = await management.newest_model(store_id)
    if newest is None or await _last_upload(connection, store_id) != (model.sha256, newest):
        newest = await management.write_model(store_id, model.request)
        version = {"store_id": store_id, "authorization_model_id": newest, "sha256": model.sha256}
        await connection.execute(insert(OpenFgaModelVersion).values(version))
        changes.append("uploaded the authorization model")
    return Pin(store_id, newest), changes


async def _last_upload(connection: AsyncConnection, store_id: str) -> tuple[str, str] | None:
    """SHA-256 and id of the model that was recorded last for this store."""
    versions = OpenFgaModelVersion
    row = (
        await connection.execute(
            select(versions.sha256, versions.authorization_model_id)
            .where(versions.store_id == store_id)
            .order_by(versions.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else (row.sha256, row.authorization_model_id)


async def _backfill(fga: OpenFga, axion_gen: URL) -> int:
    """How many tuples were missing: parents of data sources, datasets and known tables, and all of the roles.

    Tuples that no row says are left alone (`axion permissions reconcile`).
    """
    url = axion_gen.set(drivername="postgresql").render_as_string(hide_password=False)
    gen = await Postgres.open(GEN, url, pool_max=1, statement_timeout_ms=_STATEMENT_TIMEOUT_MS)
    try:
        outcome = await reconcile({GEN: gen}, fga, repair=_BACK_FILLED, kinds=_BACK_FILLED)
    finally:
        await gen.close()
    if left := outcome.found["missing"] - outcome.repaired:
        raise PermissionsUnavailable(
            f"OpenFGA did not take {left} tuples. They are noted, and the worker goes on delivering them."
        )
    return outcome.repaired
