"""Every declared type, in the order of the SDL's domains. A new noun is added here."""

from schema import job
from schema.aura import rag_chunk, workspace
from schema.gen import data_source, dataset, profile
from schema.sense import frame, frame_batch, hold, organization, track, track_log

__all__ = [
    "data_source",
    "dataset",
    "frame",
    "frame_batch",
    "hold",
    "job",
    "organization",
    "profile",
    "rag_chunk",
    "track",
    "track_log",
    "workspace",
]
