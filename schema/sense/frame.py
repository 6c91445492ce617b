from loaders.tables.clickhouse import sense
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one


@table_type(
    sense.FRAMES,
    store="clickhouse",
    guard=Visible("organization", "can_view", "organization_id"),
    key=("track_id", "captured_at", "id"),  # the table's sort key: pages are read in order, ids found without a scan
    row_id="id",
)
class SenseFrame:
    """One sample of a track: position and movement at a moment."""

    track_id = column()
    captured_at = column()
    lat = column()
    lon = column()
    altitude = column()
    azimuth = column()
    speed = column()
    accuracy = column()
    h3_index_res9 = column()
    h3_index_res12 = column()
    is_uploaded = column()
    track = to_one("SenseTrack", local="track_id", remote="id", description="The track it belongs to.")
