import pytest

from deploy.local.clickhouse_server.errors import ServerError
from deploy.local.clickhouse_server.statement import CLIENT_QUERY_ID, StatementKind, parse


@pytest.mark.parametrize(
    ("sql", "kind", "rest", "format_name"),
    [
        ("SELECT 1", "select", "SELECT 1", None),
        ("select 1 format JSONEachRow", "select", "select 1 ", "JSONEachRow"),
        ("SELECT 1 FORMAT Native;", "select", "SELECT 1 ", "Native"),
        ("SELECT 1 FORMAT Native SETTINGS max_threads = 1", "select", "SELECT 1  SETTINGS max_threads = 1", "Native"),
        ("SELECT 'x FORMAT CSV'", "select", "SELECT 'x FORMAT CSV'", None),
        ("SELECT 1 -- FORMAT CSV", "select", "SELECT 1", None),
        ("SELECT 1 /* FORMAT */ FORMAT CSV", "select", "SELECT 1 /* FORMAT */ ", "CSV"),
        ("SELECT format FROM t", "select", "SELECT format FROM t", None),
        ("SELECT 1 AS format", "select", "SELECT 1 AS format", None),
        ("SELECT a FROM t ORDER BY format DESC", "select", "SELECT a FROM t ORDER BY format DESC", None),
        ("SELECT $tag$ FORMAT CSV $tag$", "select", "SELECT $tag$ FORMAT CSV $tag$", None),
        ("(SELECT 1) UNION ALL (SELECT 2) FORMAT TSV", "select", "(SELECT 1) UNION ALL (SELECT 2) ", "TSV"),
        ("WITH 1 AS x SELECT x", "select", "WITH 1 AS x SELECT x", None),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "command", None, None),
        ("SHOW TABLES FORMAT JSON", "show", "SHOW TABLES ", "JSON"),
        ("EXPLAIN SELECT 1", "show", "EXPLAIN SELECT 1", None),
        ("CREATE TABLE t (a Int8) ENGINE = Memory", "command", "CREATE TABLE t (a Int8) ENGINE = Memory", None),
        ("INSERT INTO t SELECT 1", "command", "INSERT INTO t SELECT 1", None),
    ],
)
def test_kind_and_format(sql: str, kind: str, rest: str | None, format_name: str | None) -> None:
    statement = parse(sql.encode())
    assert statement.kind is StatementKind(kind)
    assert statement.format == format_name
    assert statement.sql.decode() == (sql if rest is None else rest)


@pytest.mark.parametrize(
    ("text", "sql", "format_name", "data"),
    [
        (b"INSERT INTO t FORMAT TSV\n1\n", b"INSERT INTO t ", "TSV", b"1\n"),
        (b"INSERT INTO t FORMAT TSV 1\n", b"INSERT INTO t ", "TSV", b"1\n"),
        (b"INSERT INTO t FORMAT TSV\r\n\n1", b"INSERT INTO t ", "TSV", b"\n1"),
        (b"INSERT INTO t FORMAT Native\n\x00'\xff;", b"INSERT INTO t ", "Native", b"\x00'\xff;"),
        (b"INSERT INTO t (a, b) VALUES (1, ';')", b"INSERT INTO t (a, b) ", "Values", b" (1, ';')"),
        (b"INSERT INTO `values` (`format`) VALUES (1)", b"INSERT INTO `values` (`format`) ", "Values", b" (1)"),
        (b"INSERT INTO t (format) FORMAT CSV\n1", b"INSERT INTO t (format) ", "CSV", b"1"),
        (
            b"INSERT INTO t SETTINGS async_insert=0 FORMAT CSV\n1",
            b"INSERT INTO t SETTINGS async_insert=0 ",
            "CSV",
            b"1",
        ),
        (b"INSERT INTO t", b"INSERT INTO t", None, b""),
    ],
)
def test_data_of_an_insert(text: bytes, sql: bytes, format_name: str | None, data: bytes) -> None:
    statement = parse(text)
    assert statement.kind is StatementKind.INSERT
    assert (statement.sql, statement.format) == (sql, format_name)
    assert statement.data is not None
    assert text[statement.data :] == data


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("", 62),
        (" ; -- nothing", 62),
        ("SELECT 1; SELECT 2", 62),
        ("SELECT 1;; DROP TABLE t", 62),
        ("SELECT * FROM file('/etc/passwd', 'LineAsString')", 497),
        ("SELECT `file`('/etc/passwd')", 497),
        ("SELECT * FROM Python(x)", 497),
        ("INSERT INTO FUNCTION file('x.csv') SELECT 1", 497),
        ("INSERT INTO FUNCTION file('x.csv') VALUES (1)", 497),
        ("INSERT INTO t FROM INFILE 'x' FORMAT CSV", 1),
        ("SELECT 1 INTO OUTFILE 'x'", 1),
    ],
)
def test_refused(sql: str, code: int) -> None:
    with pytest.raises(ServerError) as refused:
        parse(sql.encode())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("KILL QUERY WHERE query_id = 'x' SYNC", 1),
        ("KILL QUERY WHERE query_id IN ('a', 'query_id') OR `query_id` = 'b'", 2),
        ("KILL QUERY WHERE query_id = {query_id:String}", 1),
        ("SELECT query_id FROM t", 0),
    ],
)
def test_names_of_killed_queries(sql: str, count: int) -> None:
    assert parse(sql.encode()).sql.decode().count(CLIENT_QUERY_ID) == count


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        ("SELECT * FROM system.processes", True),
        ('SELECT * FROM `system`."processes" AS p', True),
        ("SELECT 1 FROM a JOIN system.processes USING x", True),
        ("SELECT 'FROM system.processes'", False),
        ("DESCRIBE TABLE system.processes", False),
    ],
)
def test_names_of_shown_queries(sql: str, rewritten: bool) -> None:
    assert (b"REPLACE" in parse(sql.encode()).sql) is rewritten
