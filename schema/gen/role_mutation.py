"""Mutations of Gen's roles: their flags, holders and assignments."""

from typing import Any

import strawberry
from strawberry import UNSET

from loaders.errors import BadInput
from loaders.openfga.roles import FLAGS
from resolvers.context import Context
from resolvers.gen import role_assignments, roles
from resolvers.gen.resources import OfDataset, OfDataSource, OfSystem, OfTable, Resource
from resolvers.idempotency import MutationRequest
from resolvers.permissions.guards import Admins
from schema.gen.granted import deleted_payload, granted_payload
from schema.gen.resource_type import GenResourceType, ResourceType
from schema.mapping.ids import integer_key, uuid_key
from schema.mapping.mutation import idempotent_mutation, sent
from schema.mapping.write_inputs import EXPECTED_UPDATED_AT
from schema.scalars import DateTime

GenRoleCreatePayload = granted_payload("GenRoleCreatePayload", "role", "GenRole", "A role was created.")
GenRoleUpdatePayload = granted_payload("GenRoleUpdatePayload", "role", "GenRole", "A role was changed.")
GenRoleDeletePayload = deleted_payload("GenRoleDeletePayload", "GenRole")
GenRoleFlagsSetPayload = granted_payload("GenRoleFlagsSetPayload", "role", "GenRole", "The flags of a role were set.")
GenRoleAssignUserPayload = granted_payload("GenRoleAssignUserPayload", "role", "GenRole", "The user holds the role.")
GenRoleUnassignUserPayload = granted_payload(
    "GenRoleUnassignUserPayload", "role", "GenRole", "The user does not hold the role."
)
GenRoleAssignResourcePayload = granted_payload(
    "GenRoleAssignResourcePayload", "role", "GenRole", "The role is assigned to the resource."
)
GenRoleUnassignResourcePayload = granted_payload(
    "GenRoleUnassignResourcePayload", "role", "GenRole", "The role is not assigned to the resource."
)
_ROLE = "Global id of the role."


@strawberry.input(description="A new role, without flags, users and resources.")
class GenRoleCreateInput:
    name: str = strawberry.field(description="Unique name.")
    description: str | None = strawberry.field(description="What the role is for.", default=UNSET)
    parent_role_id: strawberry.ID | None = strawberry.field(
        description="Global id of the role to inherit flags from.", default=UNSET
    )


@strawberry.input(description="Changes to a role; fields left out stay unchanged.")
class GenRoleUpdateInput:
    id: strawberry.ID = strawberry.field(description=_ROLE)
    name: str | None = strawberry.field(description="Unique name.", default=UNSET)
    description: str | None = strawberry.field(description="What the role is for.", default=UNSET)
    parent_role_id: strawberry.ID | None = strawberry.field(
        description="Global id of the role to inherit flags from; null for none.", default=UNSET
    )
    expected_updated_at: DateTime | None = strawberry.field(description=EXPECTED_UPDATED_AT, default=UNSET)


@strawberry.input(description="Which role to delete.")
class GenRoleDeleteInput:
    id: strawberry.ID = strawberry.field(description=_ROLE)


@strawberry.input(description="What a role may do where it is assigned; flags left out stay unchanged.")
class GenRoleFlagsSetInput:
    id: strawberry.ID = strawberry.field(description=_ROLE)
    has_admin_datasource: bool | None = strawberry.field(
        description="Administer data sources and everything below them.", default=UNSET
    )
    has_view_dataset: bool | None = strawberry.field(description="See datasets.", default=UNSET)
    has_view_table: bool | None = strawberry.field(description="See tables and their rows.", default=UNSET)
    has_query_dataset: bool | None = strawberry.field(
        description="Run SQL of one's own over the tables of visible datasets.", default=UNSET
    )
    expected_updated_at: DateTime | None = strawberry.field(description=EXPECTED_UPDATED_AT, default=UNSET)


@strawberry.input
class _RoleAndUser:
    id: strawberry.ID = strawberry.field(description=_ROLE)
    user_id: strawberry.ID = strawberry.field(description="Global id of the user.")


@strawberry.input(description="The role to assign, and the user.")
class GenRoleAssignUserInput(_RoleAndUser):
    pass


@strawberry.input(description="The role to remove, and the user.")
class GenRoleUnassignUserInput(_RoleAndUser):
    pass


@strawberry.input
class _RoleAndResource:
    id: strawberry.ID = strawberry.field(description=_ROLE)
    resource_type: GenResourceType = strawberry.field(description="The type of the resource.")
    data_source_id: strawberry.ID | None = strawberry.field(
        description="Global id of the data source, for `DATASOURCE` only.", default=UNSET
    )
    dataset_id: strawberry.ID | None = strawberry.field(
        description="Global id of the dataset, for `DATASET` and `TABLE` only.", default=UNSET
    )
    table_name: str | None = strawberry.field(
        description="Name of the table within the dataset, for `TABLE` only.", default=UNSET
    )


@strawberry.input(description="The role to assign, and the resource: the whole system, or the one that the ids name.")
class GenRoleAssignResourceInput(_RoleAndResource):
    pass


@strawberry.input(description="The role to remove, and the resource: the whole system, or the one that the ids name.")
class GenRoleUnassignResourceInput(_RoleAndResource):
    pass


async def _create(context: Context, given: GenRoleCreateInput, asked: MutationRequest) -> Any:
    parent = sent(given.parent_role_id)
    parent_id = None if parent is None else integer_key(parent, "GenRole")
    create = roles.RoleCreate(given.name, sent(given.description), parent_id)
    role_id = await roles.create_role(context, asked, create)
    return GenRoleCreatePayload(**_changed(role_id))


async def _update(context: Context, given: GenRoleUpdateInput, asked: MutationRequest) -> Any:
    role_id = integer_key(given.id, "GenRole")
    patch: dict[str, object] = {}
    if given.name is not UNSET:
        patch["name"] = given.name
    if given.description is not UNSET:
        patch["description"] = given.description
    if given.parent_role_id is not UNSET:
        parent = given.parent_role_id
        patch["parent_role_id"] = None if parent is None else integer_key(parent, "GenRole")
    update = roles.RoleUpdate(role_id, patch, sent(given.expected_updated_at))
    await roles.update_role(context, asked, update)
    return GenRoleUpdatePayload(**_changed(role_id))


async def _delete(context: Context, given: GenRoleDeleteInput, asked: MutationRequest) -> Any:
    role_id = integer_key(given.id, "GenRole")
    await roles.delete_role(context, asked, role_id)
    return GenRoleDeletePayload(deleted_id=given.id, objects=(roles.role_object(role_id),))


async def _set_flags(context: Context, given: GenRoleFlagsSetInput, asked: MutationRequest) -> Any:
    role_id = integer_key(given.id, "GenRole")
    flags = {name: value for name in FLAGS if isinstance(value := getattr(given, name), bool)}
    await roles.set_role_flags(context, asked, roles.RoleFlags(role_id, flags, sent(given.expected_updated_at)))
    return GenRoleFlagsSetPayload(**_changed(role_id))


async def _assign_user(context: Context, given: GenRoleAssignUserInput, asked: MutationRequest) -> Any:
    role_id = integer_key(given.id, "GenRole")
    await role_assignments.assign_user(context, asked, role_id, integer_key(given.user_id, "GenUser"))
    return GenRoleAssignUserPayload(**_changed(role_id))


async def _unassign_user(context: Context, given: GenRoleUnassignUserInput, asked: MutationRequest) -> Any:
    role_id = integer_key(given.id, "GenRole")
    await role_assignments.unassign_user(context, asked, role_id, integer_key(given.user_id, "GenUser"))
    return GenRoleUnassignUserPayload(**_changed(role_id))


async def _assign_resource(context: Context, given: GenRoleAssignResourceInput, asked: MutationRequest) -> Any:
    role_id, object_ = await role_assignments.assign_resource(
        context, asked, integer_key(given.id, "GenRole"), _resource(given)
    )
    return GenRoleAssignResourcePayload(key=(role_id,), objects=(object_,))


async def _unassign_resource(context: Context, given: GenRoleUnassignResourceInput, asked: MutationRequest) -> Any:
    role_id, object_ = await role_assignments.unassign_resource(
        context, asked, integer_key(given.id, "GenRole"), _resource(given)
    )
    return GenRoleUnassignResourcePayload(key=(role_id,), objects=(object_,))


def _changed(role_id: int) -> dict[str, Any]:
    return {"key": (role_id,), "objects": (roles.role_object(role_id),)}


def _resource(given: _RoleAndResource) -> Resource:
    """The resource that the fields identify. `BadInput` for a field that is missing or does not belong to the type."""
    names = {"dataSourceId": given.data_source_id, "datasetId": given.dataset_id, "tableName": given.table_name}
    present = {name: value for name, value in names.items() if value is not UNSET and value is not None}
    match given.resource_type, present:
        case ResourceType.SYSTEM, {} if not present:
            return OfSystem()
        case ResourceType.DATASOURCE, {"dataSourceId": source} if len(present) == 1:
            return OfDataSource(uuid_key(source, "GenDataSource"))
        case ResourceType.DATASET, {"datasetId": dataset} if len(present) == 1:
            return OfDataset(uuid_key(dataset, "GenDataset"))
        case ResourceType.TABLE, {"datasetId": dataset, "tableName": table} if len(present) == 2:
            return OfTable(uuid_key(dataset, "GenDataset"), table)
    raise BadInput(
        "Give `dataSourceId` for DATASOURCE, `datasetId` for DATASET, `datasetId` and `tableName` for TABLE, "
        "and none of them for SYSTEM.",
        field="resourceType",
    )


@strawberry.type
class GenRoleMutation:
    gen_role_create = idempotent_mutation(
        _create,
        takes=GenRoleCreateInput,
        answers=GenRoleCreatePayload,
        guard=Admins(),
        description="Creates a role. For administrators.",
    )
    gen_role_update = idempotent_mutation(
        _update,
        takes=GenRoleUpdateInput,
        answers=GenRoleUpdatePayload,
        guard=Admins(),
        description="Changes a role that is not built in. For administrators.",
    )
    gen_role_delete = idempotent_mutation(
        _delete,
        takes=GenRoleDeleteInput,
        answers=GenRoleDeletePayload,
        guard=Admins(),
        description="Deletes a role that is not built in; its holders lose its permissions. For administrators.",
    )
    gen_role_flags_set = idempotent_mutation(
        _set_flags,
        takes=GenRoleFlagsSetInput,
        answers=GenRoleFlagsSetPayload,
        guard=Admins(),
        description="Sets the flags of a role that is not built in. For administrators.",
    )
    gen_role_assign_user = idempotent_mutation(
        _assign_user,
        takes=GenRoleAssignUserInput,
        answers=GenRoleAssignUserPayload,
        guard=Admins(),
        description="Gives a role to a user. For administrators.",
    )
    gen_role_unassign_user = idempotent_mutation(
        _unassign_user,
        takes=GenRoleUnassignUserInput,
        answers=GenRoleUnassignUserPayload,
        guard=Admins(),
        description="Removes a role from a user. For administrators.",
    )
    gen_role_assign_resource = idempotent_mutation(
        _assign_resource,
        takes=GenRoleAssignResourceInput,
        answers=GenRoleAssignResourcePayload,
        guard=Admins(),
        description="Assigns a role to a resource: its flags then apply to it and to everything below it. For "
        "administrators.",
    )
    gen_role_unassign_resource = idempotent_mutation(
        _unassign_resource,
        takes=GenRoleUnassignResourceInput,
        answers=GenRoleUnassignResourcePayload,
        guard=Admins(),
        description="Removes the assignment of a role to a resource. For administrators.",
    )
