"""Rows of every type: one of each world, and crossed ones whose references lead into both."""

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from clickhouse_connect.driver.asyncclient import AsyncClient
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from loaders.description import Table
from loaders.encode.node_id import encode_node_id
from loaders.encode.value import encode_value
from loaders.tables.databases import METADATA, model_of
from loaders.tables.uuid7 import uuid7
from schema.mapping.object import OBJECTS

Seen: TypeAlias = Literal["members", "personal", "admins", "everyone"]
"""Who sees a row of a world: its people and admins, its person alone, admins, or who signs in."""
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """`values` are those that neither a reference, nor a default, nor the column's type gives."""

    seen: Seen
    values: Values = field(default_factory=dict)


_NOW = datetime.now(UTC).replace(microsecond=0)
_SEALED = {"encrypted_token": b"sealed", "nonce": b"n" * 12, "tag": b"t" * 16, "key_version": 1}
_API = dict.fromkeys(("base_url", "authorization_url", "token_url"), "https://actors.example/")
_EVERY_HOUR = {"every_minutes": 60}
_ASKING = {"kind": "number", "table_name": "t", "query": {}}

KINDS: Mapping[str, Kind] = {
    "User": Kind("members"),
    "SenseOrganization": Kind("members"),
    "ApiKey": Kind("members", {"scopes": ["gen:read"], "expires_at": _NOW + timedelta(days=1)}),
    "Job": Kind("members", {"state": "cancelled", "finished_at": _NOW}),
    "SenseTrackLog": Kind("members"),
    "SenseFrameBatch": Kind("members"),
    "SenseHold": Kind("members", {"location": "SRID=4326;POINT Z (6 46 0)"}),
    "SenseTrack": Kind("members"),
    "SenseFrame": Kind("members"),
    "SenseAuditEntry": Kind("admins"),
    "AuraWorkspace": Kind("members"),
    "AuraRagChunk": Kind("members"),
    "GenUser": Kind("members"),
    "GenRole": Kind("members"),
    "GenUserRole": Kind("members"),
    "GenDataSource": Kind("admins"),
    "GenDatasetGroup": Kind("members"),
    "GenDataset": Kind("members"),
    "GenRoleAssignment": Kind("members", {"resource_type": "dataset", "data_source_id": None}),
    "GenExternalApi": Kind("everyone", _API),
    "GenExternalAccount": Kind("personal", _SEALED),
    "GenDashboardGroup": Kind("members"),
    "GenDashboard": Kind("members"),
    "GenDashboardWidget": Kind("members", _ASKING),
    "GenDashboardControl": Kind("members", {"kind": "text", "table_name": "t"}),
    "GenChatSession": Kind("personal"),
    "GenArtifactVersion": Kind("personal", {"kind": "chart"}),
    "GenAgentAuditEntry": Kind("admins"),
    "GenAuthorizationModel": Kind("admins"),
    "GenArticleVersion": Kind("members"),
    "GenSemanticMetric": Kind("members", {"kind": "simple", "table_name": "t"}),
    "GenCurationOverride": Kind("members"),
    "GenDatasetMap": Kind("members"),
    "GenDiscoveryCheckpoint": Kind("members"),
    "GenFavoriteDashboard": Kind("personal"),
    "GenFavoriteDataset": Kind("personal"),
    "GenFavoriteTable": Kind("personal"),
    "GenTableProfile": Kind("members"),
    "GenTableFilter": Kind("members", {"kind": "text"}),
    "GenTooltipTemplate": Kind("members"),
    "GenTableProfileVersion": Kind("members", {"basis": "table"}),
    "GenTableProfileSchedule": Kind(
        "members", {"cron": None, "time_zone": None, "every_minutes": 60, "last_state": None}
    ),
}
"""Every type, those that others refer to first."""


@dataclass(frozen=True, slots=True)
class World:
    """What belongs to one person: by type, its row."""

    name: str
    subject: str
    rows: dict[str, Values] = field(default_factory=dict)

    def id(self, type_: str) -> str:
        return global_id(type_, self.rows[type_])

    def absent(self) -> "World":
        """With keys that no row has."""
        return World("absent", self.subject, {type_: _absent(type_, row) for type_, row in self.rows.items()})


@dataclass(frozen=True, slots=True)
class Made:
    """All rows by type: the worlds' and the crossed ones."""

    worlds: tuple[World, World]
    crossed: Mapping[str, list[Values]]

    def of(self, type_: str) -> list[Values]:
        return [*(world.rows[type_] for world in self.worlds), *self.crossed[type_]]

    def of_table(self, table: Table) -> list[Values]:
        return [row for name, mapping in OBJECTS.items() if mapping.table == table for row in self.of(name)]

    def ids(self, type_: str) -> list[str]:
        return [global_id(type_, row) for row in self.of(type_)]


def absent_ids(type_: str, rows: Sequence[Values]) -> list[str]:
    """As many as there are rows, of rows that are not there."""
    return [global_id(type_, _absent(type_, row)) for row in rows]


def _absent(type_: str, row: Values) -> Values:
    key = OBJECTS[type_].table.key
    return {name: _other(value) if name in key else value for name, value in row.items()}


def _other(key: object) -> object:
    match key:
        case UUID():
            return uuid7()
        case int():
            return key + 1_000_000
        case datetime():
            return key
        case _:
            return f"{key}-absent"


def global_id(type_: str, row: Values) -> str:
    table = OBJECTS[type_].table
    return encode_node_id(type_, [encode_value(row[name], table.column(name).type) for name in table.key])


async def make(made: Made, engines: Mapping[str, AsyncEngine], clickhouse: AsyncClient) -> None:
    """`AssertionError` for a type without a `Kind`: who sees it has to be said."""
    assert set(KINDS) == set(OBJECTS), f"say in KINDS who sees {set(KINDS) ^ set(OBJECTS)}"
    drawn = random.Random(5)
    for name in KINDS:
        for world in made.worlds:
            world.rows[name] = await _insert(name, world, [world], engines, clickhouse, drawn)


async def cross(made: Made, engines: Mapping[str, AsyncEngine], clickhouse: AsyncClient) -> None:
    drawn = random.Random(5)
    for name in KINDS:
        for world in made.worlds:
            if row := await _crossed(name, world, made.worlds, engines, clickhouse, drawn):
                made.crossed[name].append(row)


async def remove(made: Made, engines: Mapping[str, AsyncEngine], clickhouse: AsyncClient) -> None:
    for name in reversed(list(KINDS)):
        mapping = OBJECTS[name]
        rows = [row for row in (*(w.rows.get(name) for w in made.worlds), *made.crossed[name]) if row is not None]
        if mapping.table.store == "clickhouse":
            for row in rows:
                await clickhouse.command(
                    f"DELETE FROM {mapping.table.name} WHERE id = {{id:UUID}}", {"id": str(row["id"])}
                )
            continue
        model = model_of(mapping.table)
        async with engines[mapping.table.store].begin() as connection:
            await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))  # what is never changed
            for row in rows:
                await connection.execute(
                    sa.delete(model).where(*(model.c[key] == row[key] for key in mapping.table.key))
                )


async def _crossed(
    name: str,
    world: World,
    worlds: tuple[World, World],
    engines: Mapping[str, AsyncEngine],
    clickhouse: AsyncClient,
    drawn: random.Random,
) -> Values | None:
    """A row whose references are of either world. None where a key or a constraint of the table has no place for it."""
    if name in {"User", "GenUser"}:  # one row a person
        return None
    try:
        return await _insert(name, world, worlds, engines, clickhouse, drawn)
    except IntegrityError:
        return None


async def _insert(
    name: str,
    world: World,
    from_: "list[World] | tuple[World, ...]",
    engines: Mapping[str, AsyncEngine],
    clickhouse: AsyncClient,
    drawn: random.Random,
) -> Values:
    mapping = OBJECTS[name]
    if mapping.table.store == "clickhouse":
        row = _telemetry(name, drawn.choice(from_))
        await clickhouse.insert(mapping.table.name, [list(row.values())], column_names=list(row))
        return row
    model, own = model_of(mapping.table), KINDS[name].values
    values = {column.name: own[column.name] for column in model.c if column.name in own}
    for column in model.c:
        if column.name not in values and (given := _value(column, world, drawn.choice(from_))) is not None:
            values[column.name] = given
    shown = [column for column in model.c if column.type.__class__.__name__ not in {"Geometry", "VECTOR", "Vector"}]
    async with engines[mapping.table.store].begin() as connection:
        await connection.execute(sa.text("SET LOCAL session_replication_role = origin"))
        return dict((await connection.execute(sa.insert(model).values(**values).returning(*shown))).mappings().one())


def _telemetry(name: str, world: World) -> Values:
    organization, user, log = (world.rows[type_]["id"] for type_ in ("SenseOrganization", "User", "SenseTrackLog"))
    crossed = name in world.rows
    whose = {"organization_id": organization, "user_id": user}
    match name:
        case "SenseTrack":
            times = {"started_at": _NOW, "finished_at": _NOW}
            return {"id": uuid7() if crossed else log, **whose, **times, "distance_m": 1.0, "frame_count": 1}
        case "SenseFrame":
            return {"id": uuid7(), "track_id": log, **whose, "captured_at": _NOW, "lat": 46.0, "lon": 6.0}
    entry = {"id": uuid7(), "organization_id": organization, "created_at": _NOW}
    return {**entry, "actor": "user:x", "action": "test", "resource": "system:x", "request_id": "", "context": {}}


def _value(column: "sa.Column[Any]", world: World, other: World) -> Any:
    """A reference's key in `other`; for a column that has no default, the world's own or something of its type."""
    for reference in column.foreign_keys:
        target = _row_of(column.table, reference.target_fullname, other)
        if target is not None:
            return target
    if column.name in {"owner_subject", "subject", "author_subject", "external_auth_id"}:
        return world.subject
    if column.name == "track_id":
        return other.rows["SenseTrackLog"]["id"]
    if column.name == "workspace_path":
        return other.rows["AuraWorkspace"]["path"]
    if (
        column.nullable
        or column.server_default is not None
        or column.identity is not None
        or column.computed is not None
    ):
        return None
    if column.name == "secret_sha256":
        return secrets.token_bytes(32)
    match column.type:
        case sa.UUID():
            return uuid7()
        case sa.BigInteger() if column.primary_key and column.autoincrement:
            return None
        case sa.Integer():
            return 1
        case sa.DateTime():
            return _NOW if column.type.timezone else _NOW.replace(tzinfo=None)
        case sa.JSON():
            return {}
        case sa.String():
            return f"actors_{world.name}_{secrets.token_hex(3)}"
    return [0.1] * 1_536


def _row_of(table: sa.Table, reference: str, world: World) -> Any:
    full_name, _, column = reference.rpartition(".")
    for name, row in world.rows.items():
        mapping = OBJECTS[name].table
        if mapping.store == "clickhouse" or METADATA[mapping.store] is not table.metadata:
            continue
        if f"{mapping.schema}.{mapping.name}" == full_name:
            return row[column]
    return None
