"""Small tables for the guard station: organizations > track logs > frame batches and frames, and some others."""

from loaders.description import Column, ColumnType, Kind, Table
from loaders.read import Join
from resolvers.permissions.guards import Own, Policies, Public, Visible


def _table(name: str, /, store: str = "axion_sense", **columns: Kind) -> Table:
    return Table(store, "public", name, tuple(Column(key, ColumnType(kind)) for key, kind in columns.items()), ("id",))


ORGANIZATIONS = _table("organizations", id=Kind.BIGINT, name=Kind.TEXT)
TRACK_LOGS = _table("track_logs", id=Kind.UUID, organization_id=Kind.BIGINT)
FRAME_BATCHES = _table("frame_batches", id=Kind.UUID, track_id=Kind.UUID, status=Kind.TEXT)
FRAMES = _table("frames", store="clickhouse", id=Kind.UUID, track_id=Kind.UUID, organization_id=Kind.BIGINT)
DATASETS = _table("datasets", store="axion_gen", id=Kind.UUID, name=Kind.TEXT)
WORKSPACES = _table("workspaces", store="auradb", id=Kind.TEXT, name=Kind.TEXT)
USERS = _table("users", id=Kind.BIGINT, external_auth_id=Kind.TEXT)
LICENCES = _table("licences", id=Kind.INTEGER, name=Kind.TEXT)

TO_TRACKS = Join(TRACK_LOGS, ("id",), ("organization_id",))
TO_ORGANIZATION = Join(ORGANIZATIONS, ("organization_id",), ("id",))
TO_BATCHES = Join(FRAME_BATCHES, ("id",), ("track_id",))
TO_TRACK = Join(TRACK_LOGS, ("track_id",), ("id",))
TO_FRAMES = Join(FRAMES, ("id",), ("track_id",))

POLICIES: Policies = {
    ORGANIZATIONS: Visible("organization", "can_view", "id"),
    TRACK_LOGS: Visible("organization", "can_view", "organization_id"),
    FRAME_BATCHES: Visible("organization", "can_view", "organization_id", via=(TO_TRACK,)),
    FRAMES: Visible("organization", "can_view", "organization_id"),
    DATASETS: Visible("dataset", "can_view", "id"),
    WORKSPACES: Visible("workspace", "can_view", "id"),
    USERS: Own("external_auth_id", "id"),
    LICENCES: Public("The licences of the data are for everyone."),
}
