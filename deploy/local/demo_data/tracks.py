"""Real trajectories as tracks and frames: positions in ClickHouse, track logs and a few holds in Postgres."""

import asyncio
import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from deploy.local.demo_data.people import People
from deploy.local.samples.trajectories import positions
from loaders.clickhouse.client import ClickHouse
from loaders.ledger import Ledger
from loaders.stores import Stores
from loaders.tables.axion_sense.road_data import FrameBatch, Hold, TrackLog

_METRES_PER_FOOT, _METRES_PER_SECOND_PER_KNOT = 0.3048, 0.514444
_FRAMES_PER_BATCH = 1_000
_STAGING = "frames_staging"
_FRAMES = f"""
INSERT INTO frames
SELECT id, track_id, organization_id, user_id, captured_at, lat, lon, altitude, azimuth, speed, NULL,
       geoToH3(lat, lon, 9), geoToH3(lat, lon, 12), false
FROM {_STAGING}
"""  # noqa: S608 - names of this module
_TRACKS = """
INSERT INTO tracks
SELECT track_id, any(organization_id), any(user_id), min(captured_at), max(captured_at),
       CAST(arrayMap(p -> (p.2, p.3), arraySort(groupArray((captured_at, lon, lat))) AS points) AS LineString),
       'ADS-B receiver', '',
       arraySum((a, b) -> geoDistance(a.2, a.3, b.2, b.3), arrayPopBack(points), arrayPopFront(points)),
       dateDiff('millisecond', min(captured_at), max(captured_at)) / 1000,
       count(), groupUniqArray(h3_index_res9), false
FROM frames
WHERE user_id = {user:Int64}
GROUP BY track_id
"""


@dataclass(frozen=True, slots=True)
class _Trajectory:
    id: uuid.UUID
    organization_id: int
    start: datetime
    frames: int
    longitude: float
    latitude: float
    altitude: float | None
    callsign: str


def uuid7_of(milliseconds: int, name: str) -> uuid.UUID:
    """A UUIDv7 of that Unix time whose random bits follow from the name: the same row has the same id on every load."""
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10], "big")
    rand_a, rand_b = digest >> 68, digest & ((1 << 62) - 1)
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)


async def load_tracks(stores: Stores, people: People) -> str:
    table = await asyncio.to_thread(positions)
    trajectories = _trajectories(table, people)
    await _clickhouse(stores.clickhouse, table, trajectories, people.users["admin"])
    await _postgres(stores, trajectories, people.users["admin"])
    return f"{len(trajectories)} tracks, {table.num_rows} frames"


def _trajectories(table: pa.Table, people: People) -> list[_Trajectory]:
    """One per trajectory number. Two thirds belong to the southern organization, by the aircraft's address."""
    found = []
    numbers = table.column("trajectory").to_numpy()
    starts = [0, *(position for position in range(1, len(numbers)) if numbers[position] != numbers[position - 1])]
    for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
        row = table.slice(start, 1).to_pylist()[0]
        code = "north" if int(row["icao24"], 16) % 3 == 0 else "south"
        at: datetime = row["timestamp"]
        milliseconds = int(at.timestamp() * 1000)
        found.append(
            _Trajectory(
                id=uuid7_of(milliseconds, f"{row['icao24']} {row['callsign']} {row['trajectory']}"),
                organization_id=people.organizations[code],
                start=at.astimezone(UTC),
                frames=end - start,
                longitude=row["longitude"],
                latitude=row["latitude"],
                altitude=row["altitude"],
                callsign=row["callsign"],
            )
        )
    return found


async def _clickhouse(clickhouse: ClickHouse, table: pa.Table, trajectories: list[_Trajectory], user_id: int) -> None:
    """Replaces all rows of the demo's user unless they are complete (DELETE, then INSERT)."""
    ledger = Ledger()
    counts = await clickhouse.query(
        "SELECT (SELECT count() FROM frames WHERE user_id = {user:Int64}) AS frames,"
        " (SELECT count() FROM tracks WHERE user_id = {user:Int64}) AS tracks",
        {"user": user_id},
        ledger=ledger,
    )
    if counts.to_pylist() == [{"frames": table.num_rows, "tracks": len(trajectories)}]:
        return
    for name in ("frames", "tracks"):
        await clickhouse.command(
            f"DELETE FROM {name} WHERE user_id = {{user:Int64}}",  # noqa: S608 - names of this module
            {"user": user_id},
            ledger=ledger,
            settings={"mutations_sync": 1},
        )
    await clickhouse.command(f"DROP TABLE IF EXISTS {_STAGING}", ledger=ledger)
    await clickhouse.command(
        f"CREATE TABLE {_STAGING} (id UUID, track_id UUID, organization_id Int64, user_id Int64,"
        " captured_at DateTime64(3, 'UTC'), lat Float64, lon Float64, altitude Nullable(Float64),"
        " azimuth Nullable(Float64), speed Nullable(Float64)) ENGINE = MergeTree ORDER BY track_id",
        ledger=ledger,
    )
    await clickhouse.insert_arrow(_STAGING, _staged(table, trajectories, user_id), ledger=ledger)
    await clickhouse.command(_FRAMES, ledger=ledger)
    await clickhouse.command(_TRACKS, {"user": user_id}, ledger=ledger)
    await clickhouse.command(f"DROP TABLE {_STAGING}", ledger=ledger)


def _staged(table: pa.Table, trajectories: list[_Trajectory], user_id: int) -> pa.Table:
    ids, tracks, organizations = [], [], []
    milliseconds = table.column("timestamp").cast(pa.int64()).to_pylist()
    position = 0
    for trajectory in trajectories:
        for frame in range(trajectory.frames):
            ids.append(str(uuid7_of(milliseconds[position], f"{trajectory.id} {frame}")))
            position += 1
        tracks += [str(trajectory.id)] * trajectory.frames
        organizations += [trajectory.organization_id] * trajectory.frames
    return pa.table(
        {
            "id": ids,
            "track_id": tracks,
            "organization_id": pa.array(organizations, pa.int64()),
            "user_id": pa.array([user_id] * len(ids), pa.int64()),
            "captured_at": table.column("timestamp"),
            "lat": table.column("latitude"),
            "lon": table.column("longitude"),
            "altitude": pc.multiply(table.column("altitude"), _METRES_PER_FOOT),
            "azimuth": table.column("track"),
            "speed": pc.multiply(table.column("groundspeed"), _METRES_PER_SECOND_PER_KNOT),
        }
    )


async def _postgres(stores: Stores, trajectories: list[_Trajectory], user_id: int) -> None:
    async with stores.postgres["axion_sense"].transaction() as session:
        known = set(await session.scalars(select(TrackLog.id).where(TrackLog.user_id == user_id)))
        missing = [trajectory for trajectory in trajectories if trajectory.id not in known]
        if not missing:
            return
        logs = [
            {
                "id": trajectory.id,
                "organization_id": trajectory.organization_id,
                "user_id": user_id,
                "created_at": trajectory.start,
                "s3_log_key": f"log/{trajectory.id}",
            }
            for trajectory in missing
        ]
        await session.execute(insert(TrackLog), logs)
        await session.execute(insert(FrameBatch), [batch for trajectory in missing for batch in _batches(trajectory)])
        await session.execute(insert(Hold), [_hold(trajectory) for trajectory in missing[::20]])


def _batches(trajectory: _Trajectory) -> list[dict[str, object]]:
    return [
        {
            "id": uuid7_of(int(trajectory.start.timestamp() * 1000), f"{trajectory.id} batch {number}"),
            "track_id": trajectory.id,
            "status": "committed",
            "commit_time": trajectory.start,
            "created_at": trajectory.start,
        }
        for number in range(0, trajectory.frames, _FRAMES_PER_BATCH)
    ]


def _hold(trajectory: _Trajectory) -> dict[str, object]:
    """A hold where a trajectory was first seen."""
    metres = (trajectory.altitude or 0.0) * _METRES_PER_FOOT
    return {
        "organization_id": trajectory.organization_id,
        "location": f"SRID=4326;POINTZ({trajectory.longitude} {trajectory.latitude} {metres})",
        "message": f"{trajectory.callsign} was first seen here.",
        "created_at": trajectory.start,
    }
