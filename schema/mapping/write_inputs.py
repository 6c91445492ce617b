"""Generates the input types of mutations, and reads what a client has given of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import strawberry

from resolvers.target import Target
from schema.mapping import types
from schema.mapping.kinds import output_type
from schema.mapping.object import ColumnField, ObjectMapping

EXPECTED_UPDATED_AT = "The `updatedAt` you have read. Was the row changed since, the answer is a `Conflict`."
"""Of the field of that name, in inputs that change a row."""


@dataclass(frozen=True, slots=True)
class InputField:
    annotation: Any
    description: str
    required: bool = True


def input_field(column: str, mapping: ObjectMapping, target: Target) -> InputField:
    described = mapping.table.column(column)
    if column in target.references:
        description, annotation = f"Global id. {described.description}", strawberry.ID
    else:
        exposed = mapping.fields[target.names[column]]
        assert isinstance(exposed, ColumnField)
        description, annotation = exposed.description, output_type(described.type)
    return InputField(annotation, description, required=target.rows.is_required(column))


def patch_fields(columns: Sequence[str], mapping: ObjectMapping, target: Target) -> dict[str, InputField]:
    """No field of a patch is required: what is left out keeps its value."""
    return {target.names[column]: replace(input_field(column, mapping, target), required=False) for column in columns}


def input_type(name: str, fields: Mapping[str, InputField], description: str) -> type:
    given = {field_name: (field.annotation, field.description) for field_name, field in fields.items()}
    required = [field_name for field_name, field in fields.items() if field.required]
    return types.make_input(name, given, description, required=required)


def sent_values(given: Any, fields: Mapping[str, InputField]) -> dict[str, Any]:
    """What the client has given, without the fields that were left out. Null is kept."""
    values = {name: getattr(given, types.attribute(name)) for name in fields}
    return {name: value for name, value in values.items() if value is not strawberry.UNSET}
