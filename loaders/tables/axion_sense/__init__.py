"""Models of database `axion_sense`."""

from loaders.tables.axion_sense import public, road_data
from loaders.tables.axion_sense.base import AxionSense

__all__ = ["AxionSense", "public", "road_data"]
