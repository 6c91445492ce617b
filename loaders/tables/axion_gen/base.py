"""The declarative base of database `axion_gen`."""

from typing import Annotated

from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase, mapped_column

from loaders.tables.columns import NAMES, TYPES


class AxionGen(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = TYPES


OwnerSubject = Annotated[
    str,
    mapped_column(
        ForeignKey("public.users.external_auth_id", ondelete="CASCADE", onupdate="CASCADE"),
        comment="Subject (`sub`) of the user who created it, its owner.",
    ),
]
