"""Two gateways over the same stores: what is done through one is asked of the other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system.client import Client
from tests.system.mutations import mutation
from tests.system.process import Gateway

PATIENT = {"AXION_OPENFGA__TIMEOUT_MS": "30000"}
"""What the other gateway says is not to be a denial for want of a verdict."""


@dataclass(frozen=True, slots=True)
class Two:
    """Clients of two gateways over the same stores."""

    here: Client
    there: Client

    async def do(self, name: str, input_: dict[str, Any], *, shown: str = "") -> Any:
        """Done here. `shown`: what is selected of the payload.

        Asked again where OpenFGA was late: nothing was done then.
        """
        document = mutation(name, shown)
        async with asyncio.timeout(60):
            while "PERMISSIONS_UNAVAILABLE" in (answer := await self.here.ask(document, {"input": input_})).codes:
                pass
        return answer.data["it"]


@pytest.fixture(scope="package")
async def two(env_file: Path, logs: Path, client: Client) -> AsyncIterator[Two]:
    async with Gateway.serve(env_file, logs / "second.log", PATIENT) as second:
        yield Two(client, client.at(second.url))
