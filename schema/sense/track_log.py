from loaders.tables.axion_sense import road_data
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_many, to_one

_GUARD = Visible("organization", "can_view", "organization_id")


@table_type(road_data.TrackLog, store="axion_sense", guard=_GUARD, key=("id",))
class SenseTrackLog:
    """The life of a track in Postgres: who drove it, for whom, and where its raw log lies."""

    created_at = column()
    s3_log_key = column()
    organization = to_one("SenseOrganization", local="organization_id", description="Whose track it is.")
    frame_batches = to_many("SenseFrameBatch", remote="track_id", description="The uploads of its frames.")
    track = to_one("SenseTrack", local="id", description="Its searchable form in ClickHouse, once ingested.")
    frames = to_many("SenseFrame", remote="track_id", description="Its frames in ClickHouse.")
