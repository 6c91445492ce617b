from loaders.tables.clickhouse import sense
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_many, to_one


@table_type(sense.TRACKS, store="clickhouse", guard=Visible("organization", "can_view", "organization_id"))
class SenseTrack:
    """An ingested track: its route, its length and the device that recorded it."""

    route = column()
    device_model = column()
    device_os = column()
    started_at = column()
    finished_at = column()
    distance_m = column()
    duration_s = column()
    frame_count = column()
    h3_indices = column()
    is_map_matched = column()
    log = to_one("SenseTrackLog", local="id", remote="id", description="The track's metadata in Postgres.")
    organization = to_one("SenseOrganization", local="organization_id", description="The organization of the track.")
    frames = to_many("SenseFrame", remote="track_id", description="Its frames.")
