"""JSON columns with a defined structure: validated with a pydantic model when written, and read with the same model."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from loaders.read import Value
from loaders.time_zones import time_zones
from resolvers.written import Shape

T = TypeVar("T")


class Stored(BaseModel):
    """A JSON object as clients write it: camelCase names and no unknown fields."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )


def shape(type_: type[T]) -> Shape:
    """Validates a value as `type_`, a `Stored` or a list of them. Fields that the client left out stay left out."""
    adapter = TypeAdapter(type_)

    def shaped(value: Value) -> Value:
        try:
            found = adapter.validate_python(value)
        except ValidationError as error:
            raise ValueError(_first(error)) from None
        stored: Value = adapter.dump_python(found, mode="json", by_alias=True, exclude_unset=True)
        return stored

    return shaped


def time_zone(value: T) -> T:
    """The `Shape` of a column that names a time zone."""
    if value not in time_zones():
        raise ValueError("is no IANA time zone, such as `Europe/Berlin`")
    return value


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    where = f"at `{place}`: " if place else ""
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"is not what it has to be: {where}{message}"
