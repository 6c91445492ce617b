import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import asyncpg
import pytest

from gateway.auth.authenticate import Authenticator
from gateway.auth.errors import TokenRejected
from gateway.auth.oidc import Claims
from gateway.auth.subjects import Subjects
from gateway.settings import Settings
from loaders.errors import StoreUnavailable
from loaders.ledger import Ledger
from loaders.postgres.client import Postgres
from resolvers.context import ANONYMOUS, Subject
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
    yield Platform(Subjects(postgres, clock=clock), clock, ids, admin, Ledger())
    await postgres.close()


@pytest.fixture
def authenticator(idp: Provider, platform: Platform) -> Authenticator:
    return Authenticator(idp.verifier(), platform.subjects)


async def test_user(idp: Provider, platform: Platform, authenticator: Authenticator) -> None:
    token = idp.token(sub="auth-test|active", email="claim@b.example", name="Of The Claims")
    subject = Subject(
        id="auth-test|active",
        user_id=platform.ids["auth-test|active"],
        email="row@b.example",
        display_name="Of The Claims",
    )
    expires = datetime.fromtimestamp(idp.clock() + 600, UTC)
    for authorization in (f"Bearer {token}", f"bearer {token}", f"BEARER   {token} "):
        assert await authenticator.subject(authorization, platform.ledger) == (subject, expires)
    assert platform.statements == 1


async def test_no_credentials(platform: Platform, authenticator: Authenticator) -> None:
    assert await authenticator.subject(None, platform.ledger) == (ANONYMOUS, None)
    assert platform.ledger.stores == {}


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


async def test_database_down(idp: Provider) -> None:
    postgres = await Postgres.open(
        "axion_sense", "postgresql://a:b@127.0.0.1:1/axion_sense", pool_max=1, statement_timeout_ms=1_000
    )
    authenticator = Authenticator(idp.verifier(), Subjects(postgres))
    with pytest.raises(StoreUnavailable) as caught:
        await authenticator.subject(f"Bearer {idp.token()}", Ledger())
    assert caught.value.store == "axion_sense"
    await postgres.close()
