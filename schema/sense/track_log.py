from loaders.tables.axion_sense import road_data
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_many, to_one

_GUARD = Visible("organization", "can_view", "organization_id")


@table_type(road_data.TrackLog, store="axion_sense", guard=_GUARD, key=("id",))
class SenseTrackLog:
    """The metadata of a track in Postgres: its organization, its uploads and the location of its raw log."""

    created_at = column()
    s3_log_key = column()
    organization = to_one("SenseOrganization", local="organization_id", description="The organization of the track.")
    frame_batches = to_many("SenseFrameBatch", remote="track_id", description="The uploads of its frames.")
    track = to_one("SenseTrack", local="id", description="The ingested track in ClickHouse; null before ingestion.")
    frames = to_many("SenseFrame", remote="track_id", description="Its frames in ClickHouse.")
