"""The pure parts of the server: splicing, encodings, credentials, forms, errors."""

import base64
import gzip

import lz4.frame  # type: ignore[import-untyped]
import pyarrow as pa
import pytest

from deploy.local.clickhouse_server.arrow_stream import END_OF_STREAM, ArrowSplice
from deploy.local.clickhouse_server.credentials import Credentials
from deploy.local.clickhouse_server.encoding import decoder, encoder, negotiate
from deploy.local.clickhouse_server.errors import ServerError
from deploy.local.clickhouse_server.request import form_fields, parameters_of, request


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def test_splice_is_one_stream() -> None:
    tables = [pa.table({"a": [1, 2], "b": ["x", None]}), pa.table({"a": [3], "b": ["z"]})]
    splice = ArrowSplice()
    spliced = b"".join(splice.add(_stream(table)) for table in tables) + END_OF_STREAM
    with pa.ipc.open_stream(spliced) as reader:
        assert reader.read_all() == pa.concat_tables(tables)


@pytest.mark.parametrize("chunk", [b"", b"\xff" * 8, _stream(pa.table({"a": [1]}))[:-1], b"ARROW1" + bytes(20)])
def test_splice_refuses_what_is_no_stream(chunk: bytes) -> None:
    with pytest.raises(ValueError, match="complete"):
        ArrowSplice().add(chunk)


def test_splice_refuses_another_schema() -> None:
    splice = ArrowSplice()
    splice.add(_stream(pa.table({"a": [1]})))
    with pytest.raises(ValueError, match="schema"):
        splice.add(_stream(pa.table({"a": ["x"]})))


@pytest.mark.parametrize("name", ["lz4", "gzip", "deflate"])
def test_encodings_round_trip(name: str) -> None:
    pieces = [b"abc" * 1000, b"", b"\x00\xff"]
    stream = encoder(name)
    encoded = b"".join([*(stream.encode(piece) for piece in pieces), stream.finish()])
    read = decoder(name)
    assert b"".join(read.decode(encoded[at : at + 7]) for at in range(0, len(encoded), 7)) == b"".join(pieces)
    read.finish()


@pytest.mark.parametrize(
    ("name", "whole"),
    [("gzip", gzip.compress(b"x" * 99)), ("lz4", lz4.frame.compress(b"x" * 99))],
    ids=["gzip", "lz4"],
)
def test_a_cut_body_is_refused(name: str, whole: bytes) -> None:
    read = decoder(name)
    read.decode(whole[:-3])
    with pytest.raises(ServerError, match="not complete"):
        read.finish()


def test_several_frames_are_one_body() -> None:
    read = decoder("lz4")
    assert read.decode(lz4.frame.compress(b"a") + lz4.frame.compress(b"b")) == b"ab"


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", None),
        ("identity", None),
        ("br, zstd", None),
        ("gzip", "gzip"),
        ("zstd, LZ4;q=0.5, gzip", "lz4"),
        ("gzip;q=0", None),
    ],
)
def test_negotiated_encoding(accepted: str, chosen: str | None) -> None:
    assert negotiate(accepted) == chosen


def _basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "parameters"),
    [
        (_basic("me:se:cret"), {}),
        ({"x-clickhouse-user": "me", "x-clickhouse-key": "se:cret"}, {}),
        ({}, {"user": "me", "password": "se:cret"}),
    ],
)
def test_right_credentials(headers: dict[str, str], parameters: dict[str, str]) -> None:
    Credentials("me", "se:cret").check(headers, parameters)


@pytest.mark.parametrize(
    ("headers", "parameters", "code"),
    [
        ({}, {}, 516),
        (_basic("me:wrong"), {}, 516),
        (_basic("you:se:cret"), {}, 516),
        ({"authorization": "Bearer x"}, {}, 516),
        ({"authorization": "Basic %%%"}, {}, 36),
        (_basic("no separator"), {}, 36),
        (_basic("me:se:cret"), {"user": "me"}, 516),
    ],
)
def test_wrong_credentials(headers: dict[str, str], parameters: dict[str, str], code: int) -> None:
    with pytest.raises(ServerError) as refused:
        Credentials("me", "se:cret").check(headers, parameters)
    assert refused.value.code == code
    assert "se:cret" not in refused.value.text("1")
    assert "se:cret" not in repr(Credentials("me", "se:cret"))


def test_parameters_and_settings_are_told_apart() -> None:
    asked = request("GET", {}, {"query": "SELECT 1", "param_p0": "a", "max_threads": "1", "database": "d"})
    assert (asked.query, asked.database) == ("SELECT 1", "d")
    assert asked.parameters == {"p0": "a"}
    assert asked.settings == {"max_threads": "1", "readonly": "2"}


@pytest.mark.parametrize("query_string", [b"a=1&a=2", b"a=%ff"])
def test_ambiguous_query_strings_are_refused(query_string: bytes) -> None:
    with pytest.raises(ServerError):
        parameters_of(query_string)


def test_form() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT\r\n1\r\n--B--\r\n'
    assert form_fields('multipart/form-data; boundary="B"', body) == {"query": "SELECT\r\n1"}
    for broken in (body[:-6], b"", body.replace(b"name=", b"nome=")):
        with pytest.raises(ServerError):
            form_fields("multipart/form-data; boundary=B", broken)


@pytest.mark.parametrize(
    ("message", "code", "name", "status"),
    [
        ("Code: 62. DB::Exception: Syntax error: (x). (SYNTAX_ERROR)", 62, "SYNTAX_ERROR", 400),
        ("Streaming query failed: Code: 395. DB::Exception: a\nb. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)", 395,
         "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 500),
        ("Code: 27. DB::Exception: a (x)\n: b. (CANNOT_PARSE) (version 26.9.2.1)", 27, "CANNOT_PARSE", 400),
        ("Code: 60. DB::Exception: no name", 60, "UNKNOWN_EXCEPTION", 404),
        ("something else", 1001, "STD_EXCEPTION", 500),
    ],
)  # fmt: skip
def test_errors_of_the_engine(message: str, code: int, name: str, status: int) -> None:
    error = ServerError.from_engine(RuntimeError(message))
    assert (error.code, error.name, error.status) == (code, name, status)
    assert error.text("1.2").startswith(f"Code: {code}. DB::Exception: ")
