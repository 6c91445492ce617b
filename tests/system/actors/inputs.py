"""Every mutation, and an input for each: what it must have, of one world."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_required_input_field,
)

from schema.mapping.object import OBJECTS
from tests.system.actors.conftest import Actors
from tests.system.actors.documents import SCHEMA
from tests.system.actors.rows import World
from tests.system.client import Answer

assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields
VALUES: dict[str, Any] = {
    "String": "text",
    "Int": 1,
    "Boolean": True,
    "JSON": {},
    "DateTime": "2030-01-01T00:00:00Z",
    "GeoJSON": {"type": "Point", "coordinates": [6.0, 46.0, 0.0]},
}
FORMS: dict[str, Any] = {
    "genSemanticMetricCreate": {
        "name": "metric",
        "kind": "SIMPLE",
        "tableName": "t",
        "definition": {"measure": {"function": "COUNT"}},
    },
    "genDashboardWidgetCreate": {"kind": "TEXT"},
}
"""Where values alone would be refused for their form."""
FORMS_OF_ADMINS: dict[str, dict[str, Any]] = {
    "apiKeyCreate": {"scopes": ["gen:read"]},
    "genDataSourceCreate": {"connectorType": "clickhouse", "settings": {"url": "http://localhost", "database": "d"}},
    "genDataSourceUpdate": {"description": "text"},
    "genRoleFlagsSet": {"hasViewTable": True},
    "genRoleUpdate": {"description": "text"},
    "genUserUpdate": {"displayName": "text"},
}
"""Where who may do it would be refused for it."""


async def asked_with(
    actors: Actors, name: str, user: str | None, input_: dict[str, Any], *, idempotency_key: str = ""
) -> Answer:
    type_ = get_named_type(MUTATIONS[name].args["input"].type).name
    told = "__typename ... on Error { code message } ... on Conflict { field }"
    document = f"mutation M($input: {type_}!) {{ it: {name}(input: $input) {{ {told} }} }}"
    variables = {"input": input_}
    if not idempotency_key:
        return await actors.client.ask(document, variables, user=user)
    return await actors.client.ask(document, variables, user=user, Idempotency_Key=idempotency_key)


def input_of(mutation: str, world: World) -> dict[str, Any]:
    takes = get_named_type(MUTATIONS[mutation].args["input"].type)
    assert isinstance(takes, GraphQLInputObjectType)
    payload = mutation.removesuffix(mutation[_last_word(mutation) :])
    own = next((type_ for type_ in OBJECTS if type_.lower() == payload.lower()), _TYPES.get(mutation, ""))
    form: dict[str, Any] = FORMS.get(mutation, {})
    return _object(takes, own, world) | form


_TYPES = {
    "genDatasetMapRefresh": "GenDatasetMap",
    "genExternalApiAuthorizeStart": "GenExternalApi",
    "genExternalApiConnectionTest": "GenExternalApi",
    "genExternalApiClientSecretSet": "GenExternalApi",
    "genRoleFlagsSet": "GenRole",
    "genRoleAssignUser": "GenRole",
    "genRoleUnassignUser": "GenRole",
    "genRoleAssignResource": "GenRole",
    "genRoleUnassignResource": "GenRole",
    "serviceAccountUpdate": "User",
}
_REFERENCES = {
    "userId": "GenUser",
    "organizationId": "SenseOrganization",
    "serviceAccountId": "User",
    "parentFilterId": "GenDashboardControl",
}


def _last_word(name: str) -> int:
    return max(place for place, letter in enumerate(name) if letter.isupper())


def _object(takes: GraphQLInputObjectType, own: str, world: World) -> dict[str, Any]:
    """What is required, and of references all; of a patch its first field."""
    fields = {
        name: field.type
        for name, field in takes.fields.items()
        if is_required_input_field(field) or takes.name.endswith("Patch")
    }
    if takes.name.endswith("Patch"):
        fields = dict([next((item for item in fields.items() if get_named_type(item[1]).name != "ID"), ("", None))])
    return {name: _value(name, type_, own, world) for name, type_ in fields.items() if type_ is not None}


def _value(name: str, type_: GraphQLInputType, own: str, world: World) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _value(name, type_.of_type, own, world)
    if isinstance(type_, GraphQLList):
        return [_value(name, type_.of_type, own, world)]
    match type_:
        case GraphQLInputObjectType():
            return _object(type_, own, world)
        case GraphQLEnumType():
            return next(iter(type_.values))
    if type_.name == "ID":
        return world.id(own if name == "id" else referred(name))
    return VALUES[type_.name]


def referred(name: str) -> str:
    noun = name.removesuffix("Id")
    return _REFERENCES.get(name) or next(type_ for type_ in OBJECTS if type_.lower() == f"gen{noun}".lower())
