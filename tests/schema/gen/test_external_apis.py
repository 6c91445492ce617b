"""An external API that moves to another host keeps none of the secrets entrusted to the old one."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from loaders.encode.node_id import decode_node_id
from loaders.ledger import Ledger
from loaders.tables.axion_gen.external import ExternalApi, UserExternalApiToken
from loaders.tables.axion_gen.identity import User
from tests.resolvers.gen.conftest import GenStores
from tests.schema.gen.world import World

HOME = "https://api.example"
API = {
    "name": "weather",
    "baseUrl": HOME,
    "authorizationUrl": f"{HOME}/authorize",
    "tokenUrl": f"{HOME}/token",
    "clientId": "axion",
    "scopes": ["read"],
}
_SEALED = {"nonce": b"n" * 12, "tag": b"t" * 16, "key_version": 1}


@pytest.fixture
async def api(world: World, stores: GenStores) -> str:
    """With a secret, and an account of Ann's."""
    made = (await world.do("admin", "genExternalApiCreate", API, "externalApi { id }"))["externalApi"]["id"]
    id_ = UUID(decode_node_id(made)[1])
    async with stores.postgres["axion_gen"].transaction() as session:
        session.add(User(external_auth_id="ann"))
        await session.flush()
        secret = {"encrypted_client_secret": b"sealed", **_SEALED}
        await session.execute(sa.update(ExternalApi).where(ExternalApi.id == id_).values(secret))
        token = UserExternalApiToken(owner_subject="ann", external_api_id=id_, encrypted_token=b"sealed", **_SEALED)
        session.add(token)
    return str(made)


async def kept(stores: GenStores) -> tuple[bool, int]:
    """Whether there is a client secret, and how many accounts there are."""
    sql = (
        "SELECT encrypted_client_secret IS NOT NULL AS secret, (SELECT count(*) FROM user_external_api_tokens) AS "
        "accounts FROM external_apis"
    )
    (row,) = await stores.postgres["axion_gen"].fetch(sql, ledger=Ledger())
    return row["secret"], row["accounts"]


async def entries(stores: GenStores) -> list[Any]:
    sql = "SELECT * FROM audit_outbox WHERE action = 'external_api.moved'"
    return list(await stores.postgres["axion_gen"].fetch(sql, ledger=Ledger()))


@pytest.mark.parametrize(
    "patch",
    [
        {"tokenUrl": "https://attacker.example/token"},
        {"tokenUrl": "https://api.example:8443/token"},
        {"tokenUrl": "http://api.example/token"},
        {"authorizationUrl": "https://api.example.attacker.example/authorize"},
        {"baseUrl": "https://attacker.example"},
        {"revocationUrl": "https://attacker.example/revoke"},
    ],
)
async def test_another_host_gets_neither_secret_nor_tokens(
    world: World, stores: GenStores, api: str, patch: dict[str, str]
) -> None:
    before = len(await entries(stores))
    done = await world.do("admin", "genExternalApiUpdate", {"id": api, "patch": patch})
    assert done["__typename"] == "GenExternalApiUpdatePayload", done
    assert await kept(stores) == (False, 0)
    entry = (await entries(stores))[before]
    assert (entry["actor"], '"connectionsForgotten": 1' in str(entry)) == ("user:admin", True)
    ((url,),) = [patch.values()]
    assert url.split("/")[2] in str(entry)


async def test_another_path_at_the_same_host_keeps_them(world: World, stores: GenStores, api: str) -> None:
    before = len(await entries(stores))
    patch = {
        "tokenUrl": "https://API.example:443/v2/token",
        "revocationUrl": f"{HOME}/revoke",
        "issuer": HOME,
        "name": "weather 2",
    }
    done = await world.do("admin", "genExternalApiUpdate", {"id": api, "patch": patch})
    assert done["__typename"] == "GenExternalApiUpdatePayload", done
    await world.do("admin", "genExternalApiUpdate", {"id": api, "patch": {"revocationUrl": None}})
    assert await kept(stores) == (True, 1)
    assert len(await entries(stores)) == before


async def test_only_administrators_move_it(world: World, stores: GenStores, api: str) -> None:
    patch = {"tokenUrl": "https://attacker.example/token"}
    done = await world.do("ann", "genExternalApiUpdate", {"id": api, "patch": patch})
    assert done["__typename"] == "NotAllowed"
    assert await kept(stores) == (True, 1)
