"""200 organizations x 200 track logs x 10 frame batches, over all monthly partitions; one member of all."""

import asyncpg

from gateway.auth.demo_issuer import DEMO_USERS
from gateway.settings import Settings
from loaders.ledger import Ledger
from loaders.openfga import names
from loaders.openfga.client import OpenFga
from loaders.openfga.tuples import RelationTuple
from tests.benchmarks.data.chunks import WORKSPACES, workspace_id

ORGANIZATIONS, TRACK_LOGS, FRAME_BATCHES = 200, 200, 10

MEMBER, ADMIN = "analyst", "admin"
"""Of the demo's users: one who sees by 200 memberships, one who sees everything."""

_FILL = f"""
INSERT INTO public.organizations (name, code)
SELECT 'Organization ' || n, 'org-' || n FROM generate_series(1, {ORGANIZATIONS}) n;

CREATE TEMPORARY TABLE months ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY name) - 1 AS place, count(*) OVER () AS of, name
FROM (
    SELECT to_date(right(relname, 8), 'YYYYMMDD') AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'road_data.track_logs'::regclass AND relname ~ '_p[0-9]{{8}}$'
) AS partitions;

CREATE FUNCTION pg_temp.uuid7(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
SELECT (left(at_hex, 8) || '-' || substr(at_hex, 9, 4) || '-7' || substr(md5(random()::text), 1, 3)
        || '-8' || substr(md5(random()::text), 1, 3) || '-' || substr(md5(random()::text), 1, 12))::uuid
FROM (SELECT lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS at_hex) AS hex
$$;

SELECT setseed(0.5);

INSERT INTO road_data.track_logs (id, organization_id, user_id, created_at, s3_log_key)
SELECT id, organization_id, $1, at, 'log/' || id
FROM (
    SELECT pg_temp.uuid7(at) AS id, at, organization_id
    FROM (
        SELECT o.id AS organization_id, m.name + (n % 27) * interval '1 day' + n * interval '137 seconds' AS at
        FROM public.organizations o, generate_series(1, {TRACK_LOGS}) n JOIN months m ON m.place = n % m.of
    ) AS moments
) AS ids;

INSERT INTO road_data.frame_batches (id, track_id, status, commit_time, created_at)
SELECT pg_temp.uuid7(at), track_id, 'committed', at + interval '1 second', at
FROM (
    SELECT t.id AS track_id, t.created_at + n * interval '1 minute' AS at
    FROM road_data.track_logs t, generate_series(1, {FRAME_BATCHES}) n
) AS moments;
"""


async def load_road(connection: asyncpg.Connection) -> str:
    """Fills the tables once: a stack that holds the rows is left as it is."""
    rows = f"{ORGANIZATIONS} x {TRACK_LOGS} x {FRAME_BATCHES} rows"
    if await connection.fetchval("SELECT count(*) FROM road_data.frame_batches") == (
        ORGANIZATIONS * TRACK_LOGS * FRAME_BATCHES
    ):
        return f"{rows} are there"
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(
            "TRUNCATE public.organizations, public.users, road_data.track_logs, road_data.frame_batches CASCADE"
        )
        for user in DEMO_USERS.values():
            await connection.execute(
                "INSERT INTO public.users (external_auth_id, email, display_name) VALUES ($1, $2, $3)",
                user.subject,
                user.email,
                user.name,
            )
        driver = await connection.fetchval("SELECT min(id) FROM public.users")
        await connection.execute(_FILL.replace("$1", str(driver)))
    await connection.execute("VACUUM ANALYZE")
    return rows


async def organization_ids(connection: asyncpg.Connection) -> list[int]:
    return [row[0] for row in await connection.fetch("SELECT id FROM public.organizations ORDER BY id")]


async def grant(settings: Settings, organizations: list[int]) -> str:
    """The member's memberships of all organizations and workspaces, and the administrator."""
    token = settings.openfga.token
    openfga = await OpenFga.open(
        url=settings.openfga.url,
        token=token.get_secret_value() if token else None,
        store=settings.openfga.store,
        timeout_ms=10_000,
    )
    member, admin = (names.user(DEMO_USERS[name].subject) for name in (MEMBER, ADMIN))
    tuples = [RelationTuple(member, "member", names.organization(id_)) for id_ in organizations]
    tuples += [RelationTuple(member, "member", names.workspace(workspace_id(n))) for n in range(WORKSPACES)]
    tuples.append(RelationTuple(admin, "admin", names.SYSTEM))
    try:
        await openfga.write(tuples, ledger=Ledger())
    finally:
        await openfga.close()
    return f"{len(tuples)} tuples"
