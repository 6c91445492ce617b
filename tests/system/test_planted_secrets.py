"""Secrets go in, and are looked for everywhere they could come out: logs, answers, tables, metrics, the SDL."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from gateway.settings import Settings
from tests.system.client import Client
from tests.system.mutations import deleted, mutation
from tests.system.process import Running
from tests.system.stores import Direct

CREATE = mutation("genDataSourceCreate", "dataSource { id name connectorType keyVersion }")
TEST = mutation("genDataSourceTest")
DATASET = mutation("genDatasetCreate", "dataset { id }")
PROFILE = mutation("genTableProfileRefresh", "job { id }")
API = mutation("genExternalApiCreate", "externalApi { id }")
CLIENT_SECRET = mutation("genExternalApiClientSecretSet", "api { id name }")
FINISH = mutation("genExternalApiAuthorizeFinish")
KEY = mutation("apiKeyCreate", "secret apiKey { id }")


@dataclass(frozen=True, slots=True)
class Planted:
    """`texts` by what they are; `answers` is all the gateway said meanwhile, but for the key that is shown once."""

    texts: dict[str, str]
    answers: list[str]


@pytest.fixture(scope="module")
async def planted(client: Client, worker: Running, settings: Settings) -> AsyncIterator[Planted]:
    """Written with success and with failure, retried under a key, sent where they do not belong."""
    name = secrets.token_hex(4)
    texts = {what: f"planted-{what}-{secrets.token_hex(8)}" for what in ("password", "client-secret", "code", "state")}
    answers: list[str] = []

    async def ask(document: str, variables: dict[str, Any], *, user: str = "admin", key: str = "") -> Any:
        more = {"idempotency_key": key} if key else {}
        answer = await client.ask(document, variables, user=user, stores=True, accept="application/json", **more)
        answers.append(json.dumps(answer.body))
        return answer.body.get("data") or {}

    connection = {"url": settings.clickhouse.url, "username": "default", "password": texts["password"]}
    source = {"name": f"planted-{name}", "connectorType": "clickhouse", "settings": connection}
    made = await ask(CREATE, {"input": source}, key=f"planted-{name}")
    id_ = made["it"]["dataSource"]["id"]
    await ask(CREATE, {"input": source}, key=f"planted-{name}")
    await ask(CREATE, {"input": {**source, "settings": {**connection, "colour": 1}}})
    await ask(CREATE, {"input": {**source, "connectorType": texts["password"]}}, user="stranger")
    await ask(CREATE, {"input": {**source, "settings": connection}})
    await ask(TEST, {"input": {"id": id_}})
    dataset = (await ask(DATASET, {"input": {"dataSourceId": id_, "name": "d"}}))["it"]["dataset"]
    await ask(PROFILE, {"input": {"datasetId": dataset["id"], "tableName": "t"}})
    base = "https://api.example"
    api = {"name": f"planted-{name}", "baseUrl": base, "clientId": "axion"}
    api |= {"authorizationUrl": f"{base}/auth", "tokenUrl": f"{base}/token"}
    made = await ask(API, {"input": api})
    api_id = made["it"]["externalApi"]["id"]
    await ask(CLIENT_SECRET, {"input": {"id": api_id, "clientSecret": texts["client-secret"]}})
    await ask(CLIENT_SECRET, {"input": {"id": api_id, "clientSecret": texts["client-secret"]}}, user="stranger")
    await ask(FINISH, {"input": {"code": texts["code"], "state": texts["state"]}})
    key = (await client.ask(KEY, {"input": {"name": f"planted {name}", "scopes": ["gen:read"]}})).data["it"]
    texts["api-key"] = key["secret"].rsplit("_", 1)[-1] if key["secret"].count("_") == 2 else key["secret"][37:]
    headers = {"authorization": f"Bearer {key['secret']}"}
    async with client.http.post(f"{client.url}/graphql", json={"query": "{ nonsense }"}, headers=headers) as refused:
        answers.append(await refused.text())
    async with client.http.get(f"{client.url}/graphql?query={{nonsense}}", headers=headers) as refused:
        answers.append(await refused.text())
    texts |= {f"key-{version}": key.get_secret_value() for version, key in settings.encryption.keys.items()}
    yield Planted(texts, answers)
    await deleted(client, "GenDataset", dataset["id"])
    await deleted(client, "GenDataSource", id_)
    await deleted(client, "GenExternalApi", api_id)


def found_in(planted: Planted, text: str) -> list[str]:
    """What of the secrets is in the text, as it is or in hex, as Postgres and logs show bytes."""
    low = text.lower()
    return [what for what, secret in planted.texts.items() if secret in text or secret.encode().hex() in low]


def _read(logs: Path) -> list[str]:
    return [log.read_text(errors="replace") for log in sorted(logs.iterdir())]


async def test_no_answer_holds_them(planted: Planted) -> None:
    assert len(planted.answers) > 10
    assert [found_in(planted, answer) for answer in planted.answers if found_in(planted, answer)] == []


async def test_no_log_holds_them(planted: Planted, client: Client, logs: Path) -> None:
    await client.ask("{ __typename }")
    files = _read(logs)
    assert len(files) >= 2
    assert all(files)
    assert [found_in(planted, text) for text in files] == [[] for _ in files]


async def test_metrics_and_the_schema_do_not_hold_them(planted: Planted, client: Client) -> None:
    async with client.http.get(f"{client.url}/metrics") as metrics:
        text = await metrics.text()
    assert "axion_operations_total" in text
    introspected = await client.ask("{ __schema { types { name description fields { name description } } } }")
    assert found_in(planted, text) + found_in(planted, json.dumps(introspected.body)) == []


async def test_no_table_of_any_database_holds_them(planted: Planted, admin_url: str) -> None:
    """Every table as text: rows, jobs and their events, the queue, idempotency keys, outboxes, OpenFGA's tuples."""
    forms = ((secret, secret.encode().hex()) for secret in planted.texts.values())
    patterns = [f"%{form}%" for pair in forms for form in pair]
    holding = sql.SQL("SELECT count(*) FROM {} AS r WHERE r::text LIKE ANY(%s)")
    searched = set()
    for name in ("axion_sense", "axion_sense_tasks", "axion_gen", "axion_sense_permissions"):
        url = sa.make_url(admin_url).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            tables = await connection.execute(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            )
            for schema, table in await tables.fetchall():
                counted = await connection.execute(holding.format(sql.Identifier(schema, table)), (patterns,))
                assert await counted.fetchone() == (0,), f"{name}.{schema}.{table}"
                searched.add(table)
    expected = {
        "data_sources",
        "external_apis",
        "jobs",
        "job_events",
        "idempotency_keys",
        "procrastinate_jobs",
        "tuple",
    }
    assert expected <= searched


async def test_no_statement_holds_them(planted: Planted, admin_url: str) -> None:
    """What each backend of the cluster was last sent, of which an operator sees the text: values are bound to it."""
    url = sa.make_url(admin_url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        sent = await connection.execute("SELECT datname, query FROM pg_stat_activity WHERE query <> ''")
        texts = await sent.fetchall()
    assert {"axion_gen", "axion_sense"} <= {database for database, _ in texts}
    assert found_in(planted, " ".join(query for _, query in texts)) == []


async def test_the_audit_log_does_not_hold_them(planted: Planted, direct: Direct) -> None:
    rows = await direct.clickhouse("SELECT * FROM axion_sense.audit_log")
    assert found_in(planted, " ".join(str(row) for row in rows)) == []


async def test_what_is_planted_would_be_found(planted: Planted) -> None:
    for what, secret in planted.texts.items():
        assert found_in(planted, f"x{secret}y") == [what]
        assert found_in(planted, secret.encode().hex().upper()) == [what]
