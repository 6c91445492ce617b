"""Mutations by their names, as every test asks them, and rows that tests create and delete."""

from typing import Any

from tests.system.client import Client


def mutation(name: str, shown: str = "") -> str:
    """The document of a mutation of the variable `$input`. It answers as `it`: the payload with the fields `shown`, or
    the failure.
    """
    type_ = name[0].upper() + name[1:]
    payload = f"... on {type_}Payload {{ {shown} }}" if shown else ""
    failure = "... on Error { code message } ... on InvalidInput { field } ... on Conflict { field }"
    return f"mutation M($input: {type_}Input!) {{ it: {name}(input: $input) {{ __typename {payload} {failure} }} }}"


async def done(client: Client, name: str, shown: str = "", /, *, user: str = "admin", **input_: Any) -> Any:
    """What the mutation answers. An error beside the data fails the test."""
    return (await client.ask(mutation(name, shown), {"input": input_}, user=user)).data["it"]


async def created(client: Client, type_: str, /, *, key: str = "id", **input_: Any) -> str:
    """The global id of a new row of a type of Gen, or its `rowId` as `key`. A failure fails the test."""
    row = type_[3].lower() + type_[4:]
    payload = await done(client, f"gen{type_[3:]}Create", f"{row} {{ {key} }}", **input_)
    assert payload["__typename"] == f"{type_}CreatePayload", payload
    return str(payload[row][key])


async def deleted(client: Client, type_: str, id_: str) -> None:
    """Deletes a row of a type of Gen by its global id. A failure fails the test."""
    payload = await done(client, f"gen{type_[3:]}Delete", id=id_)
    assert payload["__typename"] == f"{type_}DeletePayload", payload
