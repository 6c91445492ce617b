from loaders.read import Join
from loaders.tables.axion_sense import road_data
from resolvers.permissions.guards import Visible
from schema.mapping.declare import column, table_type, to_one
from schema.mapping.enums import enum_of_words
from schema.mapping.object import OBJECTS
from schema.sense import track_log as _declared_first  # noqa: F401 - its table is what the guard walks through

SenseFrameBatchStatus = enum_of_words(
    road_data.BATCH_STATES,
    "SenseFrameBatchStatus",
    "The state of an upload of frames.",
    {"pending": "Not all of its bytes are in S3 yet.", "committed": "All of its bytes are in S3."},
)
_TRACK = Join(OBJECTS["SenseTrackLog"].table, ("track_id",), ("id",))


@table_type(
    road_data.FrameBatch,
    store="axion_sense",
    guard=Visible("organization", "can_view", "organization_id", via=(_TRACK,)),
    key=("id",),
)
class SenseFrameBatch:
    """An upload of frames of a track, pending until its frames are committed."""

    status = column("The state of the upload.", enum=SenseFrameBatchStatus)
    commit_time = column()
    created_at = column()
    track_log = to_one("SenseTrackLog", local="track_id", remote="id", description="The track of the frames.")
