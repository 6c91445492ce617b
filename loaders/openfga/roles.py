"""The tuples of Gen's roles (reference/axion-gen-data-model.txt, "Authorization tuples"). Pure."""

from typing import Final

from loaders.openfga import names
from loaders.openfga.tuples import RelationTuple

FLAGS: Final = ("has_admin_datasource", "has_view_dataset", "has_view_table", "has_query_dataset")
"""What a role may do, each a wildcard tuple on it and a column of `roles`."""


def flag(role_id: int, relation: str) -> RelationTuple:
    return RelationTuple("user:*", relation, names.role(role_id))


def role_parent(role_id: int, *, parent_id: int) -> RelationTuple:
    return RelationTuple(names.role(parent_id), "parent", names.role(role_id))


def assignee(role_id: int, external_auth_id: str) -> RelationTuple:
    return RelationTuple(names.user(external_auth_id), "assignee", names.role(role_id))


def assigned_role(role_id: int, object_: str) -> RelationTuple:
    return RelationTuple(names.role(role_id), "assigned_role", object_)


def administration(role_id: int) -> RelationTuple:
    """Who is in this role administers the whole system."""
    return RelationTuple(f"{names.role(role_id)}#assignee", "admin", names.SYSTEM)


def resource_object(type_: str, *, data_source: str | None, dataset_id: object, table_name: str | None) -> str:
    """The resource of a row of `role_assignments`, with the name of its data source."""
    match type_:
        case "system":
            return names.SYSTEM
        case "datasource":
            return names.datasource(str(data_source))
        case "dataset":
            return names.dataset(dataset_id)
        case _:
            return names.table(dataset_id, str(table_name))
