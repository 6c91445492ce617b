"""Brings OpenFGA up to date: the store, the newest authorization model, parent tuples of what the catalog has.

Repeatable: a model is uploaded only when `model.json` changed (SHA-256 in `axion_gen.public.openfga_model_versions`),
and tuples that exist are left alone. One runner at a time, by the advisory lock of `axion_gen`.
"""

import asyncio
import hashlib
from pathlib import Path

import orjson
from sqlalchemy import URL, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from loaders.errors import AxionError
from loaders.ledger import Ledger
from loaders.openfga.api import Api
from loaders.openfga.client import OpenFga
from loaders.openfga.store import find_store, newest_model, text
from loaders.tables.axion_gen.identity import OpenFgaModelVersion
from migrations.errors import MigrationFailed, TargetInvalid
from migrations.lock import LOCK_KEY
from migrations.openfga.parents import parent_tuples, stored
from migrations.report import Report

TARGET = "openfga"


async def run(
    *, url: str, token: str | None, store_name: str, model_json: Path, axion_gen: URL, timeout_ms: int = 10_000
) -> Report:
    """`axion_gen` connects as the `_migrate` role (driver psycopg or asyncpg), after that database's own migration.

    `TargetInvalid` when `model_json` cannot be read, `MigrationFailed` when OpenFGA or the database refuses.
    """
    try:
        model = await asyncio.to_thread(model_json.read_bytes)
        orjson.loads(model)
    except (OSError, orjson.JSONDecodeError) as error:
        raise TargetInvalid(f"the authorization model {model_json.name} cannot be read: {error}") from error
    engine = create_async_engine(axion_gen, poolclass=NullPool)
    api = await Api.open(url=url, token=token, timeout_ms=timeout_ms)
    try:
        async with engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))
            changes = await _migrate(api, connection, store_name, model)
    except AxionError as error:
        raise MigrationFailed(TARGET, "uploading the authorization model and its tuples", str(error)) from error
    except SQLAlchemyError as error:
        # The driver's message may carry the statement or the address: its kind says enough, the cause is chained.
        raise MigrationFailed(TARGET, "reading the catalog in axion_gen", type(error).__name__) from error
    finally:
        await api.close()
        await engine.dispose()
    return Report(TARGET, tuple(changes))


async def _migrate(api: Api, connection: AsyncConnection, store_name: str, model: bytes) -> list[str]:
    changes: list[str] = []
    ledger = Ledger()
    store_id = await find_store(api, store_name, ledger=ledger)
    if store_id is None:
        store_id = text(await api.request("POST", "/stores", {"name": store_name}, ledger=ledger), "id")
        changes.append(f"created store {store_name}")
    if await _upload(api, connection, store_id, model, ledger):
        changes.append("uploaded the authorization model")
    added = await _backfill(OpenFga(api, store_name), connection, ledger)
    if added:
        changes.append(f"added {added} parent tuples")
    return changes


async def _upload(api: Api, connection: AsyncConnection, store_id: str, model: bytes, ledger: Ledger) -> bool:
    """Whether it was needed: the last recorded model has other bytes, or is not what OpenFGA has as its newest."""
    sha256 = hashlib.sha256(model).hexdigest()
    versions = OpenFgaModelVersion
    newest = await newest_model(api, store_id, ledger=ledger)
    last = (
        await connection.execute(
            select(versions.sha256, versions.authorization_model_id)
            .where(versions.store_id == store_id)
            .order_by(versions.id.desc())
            .limit(1)
        )
    ).one_or_none()
    if last is not None and newest is not None and tuple(last) == (sha256, newest):
        return False
    path = f"/stores/{store_id}/authorization-models"
    model_id = text(await api.request("POST", path, orjson.loads(model), ledger=ledger), "authorization_model_id")
    await connection.execute(insert(versions).values(store_id=store_id, authorization_model_id=model_id, sha256=sha256))
    return True


async def _backfill(fga: OpenFga, connection: AsyncConnection, ledger: Ledger) -> int:
    """How many were missing. Asks for what is there first, so that a run that changes nothing says so."""
    wanted = await parent_tuples(connection)
    present = await stored(fga, {tuple_.user for tuple_ in wanted}, ledger)
    missing = [tuple_ for tuple_ in wanted if tuple_ not in present]
    await fga.write(missing, ledger=ledger)
    return len(missing)
