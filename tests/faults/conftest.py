"""A gateway over an OpenFGA of its own, which a test may kill, freeze and make talk nonsense, under constant load."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.auth import demo_issuer
from gateway.auth.demo_issuer import LIFETIME, DemoUser
from gateway.settings import Settings
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from tests.conftest import Emulators
from tests.faults.openfga_server import Durable, durable_server
from tests.loaders.openfga.conftest import openfga_binary
from tests.system.client import Client
from tests.system.conftest import clickhouse, client, direct, gateway, logs, sample_data, shown_logs, tokens
from tests.system.process import Gateway
from tests.system.proxy import Proxy
from tests.system.stores import Direct

__all__ = ["clickhouse", "client", "direct", "gateway", "logs", "openfga_binary", "sample_data", "shown_logs", "tokens"]

TIMEOUT_MS = 500


@dataclass(frozen=True, slots=True)
class Frail:
    """`client` asks the gateway whose OpenFGA is `server`, behind `proxy`. The user `member` holds `membership`."""

    client: Client
    server: Durable
    proxy: Proxy
    openfga: OpenFga
    membership: RelationTuple


@pytest.fixture(scope="package")
async def frail(
    settings: Settings,
    env_file: Path,
    logs: Path,
    client: Client,
    direct: Direct,
    emulators: Emulators,
    openfga_binary: Path,
) -> AsyncIterator[Frail]:
    (south,) = await direct.postgres("axion_sense", "SELECT id FROM organizations WHERE code = 'south'")
    person = DemoUser(f"test|{secrets.token_hex(6)}", "member@faults.example", "member")
    membership = RelationTuple(names.user(person.subject), "member", names.organization(south["id"]))
    token = demo_issuer._mint(demo_issuer._key(settings), settings, person, LIFETIME)
    async with (
        durable_server(openfga_binary, emulators.stack) as server,
        Proxy.before("127.0.0.1", server.ports[0]) as proxy,
    ):
        changes = {
            "AXION_OPENFGA__URL": f"http://127.0.0.1:{proxy.port}",
            "AXION_OPENFGA__TIMEOUT_MS": str(TIMEOUT_MS),
        }
        openfga = await OpenFga.open(
            url=settings.openfga.url, token=server.token, store=settings.openfga.store, timeout_ms=10_000
        )
        await openfga.write([membership], ledger=Ledger())
        await direct.postgres("axion_sense", "INSERT INTO users (external_auth_id) VALUES ($1)", person.subject)
        try:
            async with Gateway.serve(env_file, logs / "frail-openfga.log", changes) as served:
                asking = replace(client.at(served.url), tokens={**client.tokens, "member": token})
                yield Frail(asking, server, proxy, openfga, membership)
        finally:
            await direct.postgres("axion_sense", "DELETE FROM users WHERE external_auth_id = $1", person.subject)
            await openfga.write(deletes=[membership], ledger=Ledger())
            await openfga.close()
