"""The declarative base of database `powernode`."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from loaders.tables.columns import NAMES, TYPES


class Powernode(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = TYPES
