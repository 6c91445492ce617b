"""Models of database `auradb`."""

from loaders.tables.auradb import rag, workspaces
from loaders.tables.auradb.base import Auradb

__all__ = ["Auradb", "rag", "workspaces"]
