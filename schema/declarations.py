"""Every declared type, in the order of the SDL's domains. A new noun is added here."""

from schema import job
from schema.aura import rag_chunk, workspace
from schema.gen import (
    dashboard,
    dashboard_control,
    dashboard_group,
    dashboard_widget,
    data_source,
    dataset,
    profile,
    table_filter,
)
from schema.sense import frame, frame_batch, hold, organization, track, track_log

__all__ = [
    "dashboard",
    "dashboard_control",
    "dashboard_group",
    "dashboard_widget",
    "data_source",
    "dataset",
    "frame",
    "frame_batch",
    "hold",
    "job",
    "organization",
    "profile",
    "rag_chunk",
    "table_filter",
    "track",
    "track_log",
    "workspace",
]
