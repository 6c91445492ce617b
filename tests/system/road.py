"""An organization of a test's own, and rows of it made past the gateway in Postgres and ClickHouse."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from clickhouse_connect.driver.asyncclient import AsyncClient

from loaders.tables.uuid7 import uuid7
from tests.system.stores import Direct

_FRAME = ("id", "track_id", "organization_id", "user_id", "captured_at", "lat", "lon", "altitude")
_TRACK = ("id", "organization_id", "user_id", "started_at", "finished_at", "distance_m", "frame_count")


@dataclass(frozen=True, slots=True)
class Road:
    """`code` names the organization in filters."""

    code: str
    organization: int
    user: int
    direct: Direct
    clickhouse: AsyncClient

    async def add_logs(self, keys: Sequence[str | None]) -> list[uuid.UUID]:
        """A track log for each S3 key, with a committed batch each, in one transaction."""
        ids = [uuid7() for _ in keys]
        await self.direct.postgres(
            "axion_sense",
            "WITH l AS (INSERT INTO road_data.track_logs (id, organization_id, user_id, s3_log_key)"
            " SELECT id, $3, $4, key FROM unnest($1::uuid[], $2::text[]) AS given (id, key) RETURNING id)"
            " INSERT INTO road_data.frame_batches (id, track_id) SELECT id, id FROM l",
            ids,
            list(keys),
            self.organization,
            self.user,
        )
        return ids

    async def add_logs_again(self, ids: Sequence[uuid.UUID], at: datetime) -> None:
        """As a writer does that tries a second time, for the databases hold ids unique together with `created_at`."""
        await self.direct.postgres(
            "axion_sense",
            "INSERT INTO road_data.track_logs (id, organization_id, user_id, created_at)"
            " SELECT id, $2, $3, $4 FROM unnest($1::uuid[]) AS given (id)",
            list(ids),
            self.organization,
            self.user,
            at,
        )

    async def remove_logs(self, ids: Sequence[uuid.UUID]) -> None:
        await self.direct.postgres("axion_sense", "DELETE FROM road_data.frame_batches WHERE track_id = ANY($1)", ids)
        await self.direct.postgres("axion_sense", "DELETE FROM road_data.track_logs WHERE id = ANY($1)", ids)

    async def add_frames(self, tracks: Sequence[uuid.UUID], altitudes: Sequence[float | None]) -> list[uuid.UUID]:
        """A frame for each altitude, of the tracks in turn."""
        now, ids = datetime.now(UTC), [uuid7() for _ in altitudes]
        rows = [
            (id_, tracks[place % len(tracks)], self.organization, self.user, now, 50.0, 8.0, altitude)
            for place, (id_, altitude) in enumerate(zip(ids, altitudes, strict=True))
        ]
        await self.clickhouse.insert("frames", rows, column_names=_FRAME)
        return ids

    async def add_tracks(self, ids: Sequence[uuid.UUID]) -> None:
        now = datetime.now(UTC)
        rows = [(id_, self.organization, self.user, now, now, float(place), 1) for place, id_ in enumerate(ids)]
        await self.clickhouse.insert("tracks", rows, column_names=_TRACK)

    async def remove_frames(self, ids: Sequence[uuid.UUID]) -> None:
        await self.clickhouse.command(
            "DELETE FROM frames WHERE id IN {ids:Array(UUID)}", {"ids": [str(each) for each in ids]}
        )


@asynccontextmanager
async def road(code: str, direct: Direct, clickhouse: AsyncClient) -> AsyncIterator[Road]:
    """Everything of the organization is gone at the end; what an interrupted run left is removed first."""
    await _remove(code, direct, clickhouse)
    (made,) = await direct.postgres(
        "axion_sense", "INSERT INTO organizations (name, code) VALUES ($1, $1) RETURNING id", code
    )
    (user,) = await direct.postgres("axion_sense", "SELECT min(id) AS id FROM users")
    try:
        yield Road(code, made["id"], user["id"], direct, clickhouse)
    finally:
        await _remove(code, direct, clickhouse)


async def _remove(code: str, direct: Direct, clickhouse: AsyncClient) -> None:
    for row in await direct.postgres("axion_sense", "SELECT id FROM organizations WHERE code = $1", code):
        for table in ("frames", "tracks"):
            await clickhouse.command(
                f"DELETE FROM {table} WHERE organization_id = {{organization:Int64}}", {"organization": row["id"]}
            )
        logs = "SELECT id FROM road_data.track_logs WHERE organization_id = $1"
        await direct.postgres(
            "axion_sense", f"DELETE FROM road_data.frame_batches WHERE track_id IN ({logs})", row["id"]
        )
        await direct.postgres("axion_sense", "DELETE FROM road_data.track_logs WHERE organization_id = $1", row["id"])
        await direct.postgres("axion_sense", "DELETE FROM organizations WHERE id = $1", row["id"])
