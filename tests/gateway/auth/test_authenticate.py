import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import asyncpg
import pytest

from gateway.auth.api_keys import ApiKeys
from gateway.auth.authenticate import Authenticator
from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import Claims
from gateway.auth.subjects import Subjects
from gateway.settings import Settings
from loaders.errors import StoreUnavailable
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from loaders.secrets.api_key import ApiKeyText
from loaders.tables.uuid7 import uuid7
from resolvers.subject import Subject
from tests.gateway.auth.provider import Clock, Provider

SUBJECTS = {"auth-test|active": True, "auth-test|inactive": False}


INSERT = "INSERT INTO public.users (external_auth_id, email, is_active) VALUES ($1, 'row@b.example', $2) RETURNING id"
EMPTY = "DELETE FROM public.users WHERE external_auth_id LIKE 'auth-test|%'"
DEACTIVATE = "UPDATE public.users SET is_active = false WHERE external_auth_id = 'auth-test|active'"
UNTIL = datetime(2100, 1, 1, tzinfo=UTC)
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True)
class Platform:
    """The platform's users: one active, one not, under a clock that tests move. `ledger` counts the statements."""

    subjects: Subjects
    api_keys: ApiKeys
    clock: Clock
    ids: dict[str, int]
    admin: Connection
    ledger: Ledger

    @property
    def statements(self) -> int:
        return self.ledger.stores["axion_sense"].statements

    async def of(self, external_auth_id: str) -> Subject:
        return await self.subjects.of(Claims(external_auth_id, UNTIL), self.ledger)


@pytest.fixture(scope="module")
async def admin(settings: Settings) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(settings.databases.axion_sense.migrate_url.get_secret_value())
    yield connection
    await connection.execute(EMPTY)
    await connection.close()


@pytest.fixture
async def platform(settings: Settings, admin: Connection) -> AsyncIterator[Platform]:
    url = settings.databases.axion_sense.app_url.get_secret_value()
    await admin.execute(EMPTY)
    ids = {subject: await admin.fetchval(INSERT, subject, active) for subject, active in SUBJECTS.items()}
    postgres = await Postgres.open("axion_sense", url, pool_max=2, statement_timeout_ms=5_000)
    clock = Clock()
    yield Platform(Subjects(postgres, clock=clock), ApiKeys(postgres, clock=clock), clock, ids, admin, Ledger())
    await postgres.close()


@pytest.fixture
def authenticator(idp: Provider, platform: Platform) -> Authenticator:
    return Authenticator(idp.verifier(), platform.subjects, platform.api_keys)


async def test_user(idp: Provider, platform: Platform, authenticator: Authenticator) -> None:
    token = idp.token(sub="auth-test|active", email="claim@b.example", name="Of The Claims")
    subject = Subject(
        id="auth-test|active",
        user_id=platform.ids["auth-test|active"],
        email="row@b.example",
        display_name="Of The Claims",
    )
    expires = datetime.fromtimestamp(idp.clock() + 600 + 30, UTC)
    for authorization in (f"Bearer {token}", f"bearer {token}", f"BEARER   {token} "):
        assert await authenticator.subject(authorization, platform.ledger) == (subject, expires)
    assert platform.statements == 1


@pytest.mark.parametrize(
    "authorization", ["", " ", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer\ta", "Token a", "Bearer é"]
)
async def test_credentials_of_another_kind(authenticator: Authenticator, authorization: str) -> None:
    """Never taken for no credentials."""
    with pytest.raises(TokenRejected, match="must read: Bearer"):
        await authenticator.subject(authorization, Ledger())


@pytest.mark.parametrize(
    ("subject", "reason"),
    [("auth-test|unknown", "no user of this platform"), ("auth-test|inactive", "deactivated"), ("%", "no user of")],
)
async def test_good_token_of_nobody(idp: Provider, authenticator: Authenticator, subject: str, reason: str) -> None:
    with pytest.raises(TokenRejected, match=reason):
        await authenticator.subject(f"Bearer {idp.token(sub=subject)}", Ledger())


async def test_deactivated_within_a_second(platform: Platform) -> None:
    await platform.of("auth-test|active")
    await platform.admin.execute(DEACTIVATE)
    platform.clock.seconds += 0.75
    await platform.of("auth-test|active")
    platform.clock.seconds += 0.25
    with pytest.raises(TokenRejected, match="deactivated"):
        await platform.of("auth-test|active")


async def test_created_within_a_second(platform: Platform) -> None:
    with pytest.raises(TokenRejected, match="no user"):
        await platform.of("auth-test|new")
    id_ = await platform.admin.fetchval(INSERT, "auth-test|new", True)
    platform.clock.seconds += 1
    assert (await platform.of("auth-test|new")).user_id == id_


async def test_busy_user_is_one_statement(platform: Platform) -> None:
    answers = await asyncio.gather(*(platform.of("auth-test|active") for _ in range(30)))
    assert {subject.user_id for subject in answers} == {platform.ids["auth-test|active"]}
    assert platform.statements == 1


async def test_slow_statement_is_not_shared_when_it_has_aged(platform: Platform) -> None:
    first = asyncio.create_task(platform.of("auth-test|active"))
    for _ in range(2):
        await asyncio.sleep(0)  # the request runs, then its statement
    platform.clock.seconds += 0.5
    later = [asyncio.create_task(platform.of("auth-test|active")) for _ in range(5)]
    await asyncio.sleep(0)  # they share the statement
    platform.clock.seconds += 0.5
    assert await first == (await asyncio.gather(*later))[0]
    assert platform.statements == 2


ADD_KEY = """
INSERT INTO public.api_keys (id, user_id, name, secret_sha256, scopes, created_at, expires_at, revoked_at)
SELECT $1, id, 'test', $3, '{gen:read}', now() - interval '2 days', now() + $4::interval, $5
FROM public.users WHERE external_auth_id = $2
"""


async def _api_key(platform: Platform, owner: str, *, lasts: timedelta, revoked: datetime | None = None) -> ApiKeyText:
    key = ApiKeyText.new(uuid7())
    await platform.admin.execute(ADD_KEY, key.id, owner, key.secret_sha256, lasts, revoked)
    return key


async def test_api_key(platform: Platform, authenticator: Authenticator) -> None:
    key = await _api_key(platform, "auth-test|active", lasts=timedelta(hours=1))
    subject, until = await authenticator.subject(f"Bearer {key.text}", platform.ledger)
    assert subject == Subject(
        id="auth-test|active",
        user_id=platform.ids["auth-test|active"],
        email="row@b.example",
        scopes=frozenset({"gen:read"}),
    )
    assert until is not None
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)
    await authenticator.subject(f"Bearer {key.text}", platform.ledger)
    assert platform.statements == 1
    assert key.text not in repr(key)


@pytest.mark.parametrize(
    ("owner", "lasts", "revoked", "message"),
    [
        ("auth-test|active", timedelta(hours=-1), None, "expired"),
        ("auth-test|active", timedelta(hours=1), datetime(2026, 1, 1, tzinfo=UTC), "revoked"),
        ("auth-test|inactive", timedelta(hours=1), None, "deactivated"),
    ],
)
async def test_api_key_refused(
    platform: Platform, authenticator: Authenticator, owner: str, lasts: timedelta, revoked: datetime, message: str
) -> None:
    key = await _api_key(platform, owner, lasts=lasts, revoked=revoked)
    with pytest.raises(TokenRejected, match=message):
        await authenticator.subject(f"Bearer {key.text}", platform.ledger)


async def test_forged_api_keys(platform: Platform, authenticator: Authenticator) -> None:
    """Whether a key exists is told to nobody without its secret: not even that it was revoked."""
    key = await _api_key(
        platform, "auth-test|active", lasts=timedelta(hours=1), revoked=datetime(2026, 1, 1, tzinfo=UTC)
    )
    other = ApiKeyText.new(key.id)
    unknown = ApiKeyText.new(uuid7())
    for forged in (other, unknown):
        with pytest.raises(TokenRejected, match="There is no such API key"):
            await authenticator.subject(f"Bearer {forged.text}", platform.ledger)
    for text in (key.text[:-1], key.text + "A", key.text.upper(), "axk_", f"axk_{key.id}_{'A' * 43}"):
        with pytest.raises(TokenRejected, match=r"malformed|token"):
            await authenticator.subject(f"Bearer {text}", platform.ledger)


async def test_revoked_api_key_ends_within_a_second(platform: Platform, authenticator: Authenticator) -> None:
    key = await _api_key(platform, "auth-test|active", lasts=timedelta(hours=1))
    await authenticator.subject(f"Bearer {key.text}", platform.ledger)
    await platform.admin.execute("UPDATE public.api_keys SET revoked_at = now() WHERE id = $1", key.id)
    platform.clock.seconds += 1
    with pytest.raises(TokenRejected, match="revoked"):
        await authenticator.subject(f"Bearer {key.text}", platform.ledger)


async def test_service_account_has_no_tokens(idp: Provider, platform: Platform, authenticator: Authenticator) -> None:
    await platform.admin.execute("UPDATE public.users SET kind = 'service' WHERE external_auth_id = 'auth-test|active'")
    with pytest.raises(TokenRejected, match="service account"):
        await authenticator.subject(f"Bearer {idp.token(sub='auth-test|active')}", platform.ledger)


async def test_database_down(idp: Provider) -> None:
    postgres = await Postgres.open(
        "axion_sense", "postgresql://a:b@127.0.0.1:1/axion_sense", pool_max=1, statement_timeout_ms=1_000
    )
    authenticator = Authenticator(idp.verifier(), Subjects(postgres), ApiKeys(postgres))
    with pytest.raises(StoreUnavailable) as caught:
        await authenticator.subject(f"Bearer {idp.token()}", Ledger())
    assert caught.value.store == "axion_sense"
    await postgres.close()
