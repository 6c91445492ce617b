from pathlib import Path

import pytest
from sqlalchemy import Table

from deploy.local.paths import CHECKOUT
from loaders.tables.clickhouse.sense import AUDIT_LOG, FRAMES, TRACKS
from migrations.clickhouse import run
from migrations.errors import MigrationFailed, TargetInvalid
from migrations.report import Report
from tests.deploy.clickhouse_server.fixtures import Http
from tests.deploy.clickhouse_server.server import Server

INIT_SQL = CHECKOUT / "deploy" / "clickhouse" / "init.sql"
TABLES = ("audit_log", "detections", "frames", "schema_history", "tracks")


async def _run(server: Server, database: str, *, replicated: bool = False, init_sql: Path = INIT_SQL) -> Report:
    return await run(
        url=server.url,
        username="default",
        password=server.password,
        database=database,
        replicated=replicated,
        init_sql=init_sql,
    )


@pytest.fixture(scope="module")
async def migrated(server: Server) -> str:
    await _run(server, "migrated")
    return "migrated"


async def test_once_makes_everything_and_twice_nothing(server: Server, http: Http) -> None:
    first = await _run(server, "twice")
    assert first.changes == (
        "created database twice",
        *(f"created table {name}" for name in TABLES),
        "recorded init.sql",
    )
    assert (await _run(server, "twice")).changes == ()
    assert await http.text("SELECT count() FROM twice.schema_history") == "1\n"


async def test_a_lost_table_is_made_again(server: Server, http: Http) -> None:
    await _run(server, "lost")
    await http.text("DROP TABLE lost.frames SYNC")
    assert (await _run(server, "lost")).changes == ("created table frames",)


async def test_a_failure_names_statement_and_line(server: Server, tmp_path: Path) -> None:
    broken = tmp_path / "init.sql"
    broken.write_text("-- x\nCREATE TABLE IF NOT EXISTS a (a Int8) ENGINE = MergeTree ORDER BY a;\n\nCREATE TABEL b;\n")
    with pytest.raises(MigrationFailed, match=r"line 4 \(CREATE TABEL b .*SYNTAX_ERROR") as failed:
        await _run(server, "broken", init_sql=broken)
    assert server.password not in str(failed.value)


async def test_replication_without_keeper_fails_loudly(server: Server) -> None:
    with pytest.raises(MigrationFailed, match="tracks"):
        await _run(server, "replicated", replicated=True)


async def test_no_file(server: Server, tmp_path: Path) -> None:
    with pytest.raises(TargetInvalid, match=r"none\.sql"):
        await _run(server, "none", init_sql=tmp_path / "none.sql")


@pytest.mark.parametrize("table", [TRACKS, FRAMES], ids=str)
async def test_columns_are_the_models(http: Http, migrated: str, table: Table) -> None:
    sql = f"SELECT name FROM system.columns WHERE database = '{migrated}' AND table = '{table.name}' ORDER BY position"
    assert (await http.text(sql)).split() == [column.name for column in table.columns]


@pytest.mark.parametrize(
    ("table", "partition", "order"),
    [
        ("tracks", "toYYYYMM(UUIDv7ToDateTime(id))", "(id)"),
        ("frames", "toYYYYMM(UUIDv7ToDateTime(id))", "track_id, captured_at, id"),
        ("detections", "toYYYYMM(UUIDv7ToDateTime(track_id))", "track_id, frame_id, detector_id"),
        ("audit_log", "toYYYYMM(created_at)", "organization_id, created_at"),
    ],
)
async def test_keys_of_the_reference(http: Http, migrated: str, table: str, partition: str, order: str) -> None:
    sql = "SELECT partition_key, sorting_key FROM system.tables WHERE database = {d:String} AND name = {t:String}"
    assert await http.text(sql, param_d=migrated, param_t=table) == f"{partition}\t{order}\n"


async def test_every_column_and_table_is_described(http: Http, migrated: str) -> None:
    for table in ("columns", "tables"):
        sql = f"SELECT name FROM system.{table} WHERE database = '{migrated}' AND NOT endsWith(comment, '.')"
        assert await http.text(sql) == ""


async def test_tables_that_were_made_with_other_words_get_these(http: Http, server: Server, migrated: str) -> None:
    """What the API's clients read of a column is what operators read in ClickHouse."""
    await http.text(f"ALTER TABLE {migrated}.audit_log COMMENT COLUMN request_id 'Old.', MODIFY COMMENT 'Old.'")
    await _run(server, migrated)
    sql = f"SELECT comment FROM system.columns WHERE database = '{migrated}' AND table = 'audit_log' ORDER BY position"
    assert (await http.text(f"{sql} FORMAT TSVRaw")).splitlines() == [column.comment for column in AUDIT_LOG.columns]
    of_table = f"SELECT comment FROM system.tables WHERE database = '{migrated}' AND name = 'audit_log' FORMAT TSVRaw"
    assert await http.text(of_table) == f"{AUDIT_LOG.comment}\n"


FRAME = (
    "INSERT INTO migrated.frames SELECT {id}, generateUUIDv7(), 1, 7, now64(3), {lat}, 13.4, NULL, NULL, NULL, NULL, "
    "geoToH3(52.5, 13.4, 9), geoToH3(52.5, 13.4, 12), true FROM numbers(3)"
)


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("h3_index_res9 = stringToH3('891f1d48b67ffff')", "frames_h3_index_res9"),
        ("h3_index_res12 IN (1, 2)", "frames_h3_index_res12"),
        ("user_id = 7", "frames_user_id"),
    ],
)
async def test_skip_indexes_are_used(http: Http, migrated: str, where: str, index: str) -> None:
    await http.text(FRAME.format(id="generateUUIDv7()", lat="52.5"))
    plan = await http.text(f"EXPLAIN indexes = 1 SELECT count() FROM {migrated}.frames WHERE {where}")
    assert f"Name: {index}" in plan
    assert plan.count("Name: frames_") == 1


@pytest.mark.parametrize(
    ("id_", "lat", "constraint"),
    [
        ("generateUUIDv4()", "52.5", "id_is_uuid_v7"),
        ("generateUUIDv7()", "91", "position_is_on_earth"),
        ("generateUUIDv7()", "nan", "position_is_on_earth"),
    ],
)
async def test_impossible_frames_are_refused(http: Http, migrated: str, id_: str, lat: str, constraint: str) -> None:
    async with http.post(FRAME.format(id=id_, lat=lat).replace("migrated", migrated)) as response:
        text = await response.text()
        assert response.headers["X-ClickHouse-Exception-Code"] == "469"
    assert constraint in text


async def test_detections_are_json(http: Http, migrated: str) -> None:
    row = (
        '{"track_id": "018f2b1c-0000-7000-8000-000000000000", "frame_id": "018f2b1c-0000-7000-8000-000000000001", '
        '"detector_id": "d1", "organization_id": 1, "detections": [{"score": 0.5}], "classes": ["car"], '
        '"bounding_boxes": [{"x": 1, "y": 2, "width": 3, "height": 4}]}'
    )
    await http.text(f"INSERT INTO {migrated}.detections FORMAT JSONEachRow {row}")
    sql = f"SELECT detections[1].score, bounding_boxes[1].width FROM {migrated}.detections WHERE has(classes, 'car')"
    assert await http.text(sql) == "0.5\t3\n"
    plan = await http.text(f"EXPLAIN indexes = 1 {sql}")
    assert "Name: detections_classes" in plan
