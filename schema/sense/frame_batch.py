from loaders.read import Join
from loaders.tables.axion_sense import road_data
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one
from schema.mapping.object import OBJECTS
from schema.sense import track_log as _declared_first  # noqa: F401 - its table is what the guard walks through

_TRACK = Join(OBJECTS["SenseTrackLog"].table, ("track_id",), ("id",))


@table_type(
    road_data.FrameBatch,
    store="axion_sense",
    guard=Visible("organization", "can_view", "organization_id", via=(_TRACK,)),
    key=("id",),
)
class SenseFrameBatch:
    """An upload of frames of a track, pending until its frames are committed."""

    status = column()
    commit_time = column()
    created_at = column()
    track_log = to_one("SenseTrackLog", local="track_id", remote="id", description="The track of the frames.")
