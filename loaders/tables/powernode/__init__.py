"""Models of database `powernode`."""

from loaders.tables.powernode import accounts
from loaders.tables.powernode.base import Powernode

__all__ = ["Powernode", "accounts"]
