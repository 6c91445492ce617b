"""Guards as the whole gateway keeps them: in one process over the test stack, for subjects made by a test."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from gateway.lifespan import Runtime
from gateway.settings import Settings
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from resolvers.subject import Subject
from tests.plans.conftest import PATIENCE_MS, env_file, runtime, sample_data, ways

__all__ = ["env_file", "runtime", "sample_data", "ways"]

Granted = Callable[..., Awaitable[Subject]]


@pytest.fixture(scope="module")
async def openfga(settings: Settings) -> AsyncIterator[OpenFga]:
    """The stack's own store, past the gateway."""
    token = settings.openfga.token
    client = await OpenFga.open(
        url=settings.openfga.url,
        token=token.get_secret_value() if token else None,
        store=settings.openfga.store,
        timeout_ms=PATIENCE_MS,
    )
    yield client
    await client.close()


@pytest.fixture(scope="module")
async def granted(openfga: OpenFga, runtime: Runtime) -> AsyncIterator[Granted]:
    """Makes a subject who holds `(relation, object)` grants, and of roles `(flag, object)`; all end with the test."""
    async with AsyncExitStack() as stack:

        async def make(*grants: tuple[str, str], roles: tuple[tuple[str, str], ...] = ()) -> Subject:
            subject = Subject(f"test|{secrets.token_hex(6)}", user_id=-1)
            user = names.user(subject.id)
            tuples = [RelationTuple(user, relation, object_) for relation, object_ in grants]
            for flag, object_ in roles:
                role = f"role:test-{secrets.token_hex(6)}"
                tuples += [
                    RelationTuple("user:*", flag, role),
                    RelationTuple(user, "assignee", role),
                    RelationTuple(role, "assigned_role", object_),
                ]
            for start in range(0, len(tuples), 100):
                chunk = tuples[start : start + 100]
                await openfga.write(chunk, ledger=Ledger())
                stack.push_async_callback(openfga.write, deletes=chunk, ledger=Ledger())
            return subject

        yield make
