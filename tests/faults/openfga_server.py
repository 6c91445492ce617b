"""An OpenFGA process of the test's own over the stack's database: what is written outlives its being killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.local.part import Part
from deploy.local.servers.openfga import part
from deploy.local.stack import Stack
from tests.loaders.openfga.server import Server
from tests.ports import free_ports


@dataclass(slots=True, kw_only=True)
class Durable(Server):
    part: Part

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(*self.part.command, env=dict(self.part.environment))
        await self.answering()


@asynccontextmanager
async def durable_server(binary: Path, stack: Stack) -> AsyncIterator[Durable]:
    http, grpc = free_ports(2)
    own = part(binary, replace(stack.ports, openfga=http, openfga_grpc=grpc), stack.secrets)
    server = Durable(binary, stack.secrets.openfga_token, (http, grpc), part=own)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
