"""The declarative base of database `auradb`."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from loaders.tables.columns import NAMES, TYPES


class Auradb(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = TYPES
