"""Measures how many objects a list of OpenFGA has at most, because a server does not reveal its configuration."""

import secrets
from contextlib import AsyncExitStack
from typing import Final

from openfga_sdk.models import WriteAuthorizationModelRequest

from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.api import Api, TimedOut
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from migrations.openfga.management import Management

_SUBJECT: Final = "axion-doctor"
_MODEL: Final = WriteAuthorizationModelRequest(
    schema_version="1.1",
    type_definitions=[
        {"type": "user", "relations": {}},
        {
            "type": "organization",
            "relations": {"member": {"this": {}}},
            "metadata": {"relations": {"member": {"directly_related_user_types": [{"type": "user"}]}}},
        },
    ],
)


async def listed_at_most(*, url: str, token: str | None, timeout_ms: int, of: int) -> int:
    """How many of `of` objects one list has: fewer where the server is configured to cut lists there, silently.

    They are written into a store made for it, and deleted with it, whatever happens but the end of the process.
    Raises `PermissionsUnavailable`, and `StoreQueryFailed` when a tuple is not taken.
    """
    ledger, name = Ledger(), f"{_SUBJECT}-{secrets.token_hex(8)}"
    tuples = [RelationTuple(names.user(_SUBJECT), "member", names.organization(number)) for number in range(of)]
    async with AsyncExitStack() as stack:
        opened = Management.opened(url=url, token=token, timeout_ms=timeout_ms, ledger=ledger)
        management = await stack.enter_async_context(opened)
        api = await Api.open(url=url, token=token, timeout_ms=timeout_ms)
        stack.push_async_callback(api.close)
        store_id = await management.create_store(name)
        stack.push_async_callback(management.delete_store, store_id)
        await management.write_model(store_id, _MODEL)
        openfga = OpenFga(api, name)
        stack.push_async_callback(openfga.write, deletes=tuples, ledger=ledger)  # they outlast their store
        await openfga.write(tuples, ledger=ledger)
        listed = await openfga.list_objects(_SUBJECT, "member", "organization", ledger=ledger)
    if not (listed.ids or listed.complete):
        raise TimedOut()
    return len(listed.ids)
