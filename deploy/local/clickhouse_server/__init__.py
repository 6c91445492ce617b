"""ClickHouse's HTTP interface in front of the embedded chDB engine: the development stand-in for a ClickHouse server.

    python -m deploy.local.clickhouse_server --host 127.0.0.1 --port 8123 --path DIR --password-file FILE

    http.py          ASGI application: requests in, statements run, responses out
    request.py       query string, headers and body -> `Request`
    credentials.py   who may ask
    statement.py     what kind of statement it is; names of queries mapped both ways
    lexer.py         ClickHouse's tokens, as far as statement.py needs them
    engine.py        the one chDB engine of the process, its folder, its running queries
    answer.py        chunks of one answer, in the asked format
    arrow_stream.py  many small Arrow streams -> one
    encoding.py      Content-Encoding both ways
    errors.py        `Code: N. DB::Exception: ...` and its HTTP status
    sessions.py      `session_id`: a connection that outlives a request
    running.py       the queries that run now, and how each is cancelled
    body.py          a request's body, and the end of the client

It follows https://clickhouse.com/docs/interfaces/http. What differs from a server: one user; no roles, no quotas, no
external tables, no native-protocol compression (`compress=1`), no files of the server; formats with a header or a frame
around the rows (JSON, ...WithNames, Arrow, Parquet) are made in memory before they are sent; text of a query in
`system.processes` shows the rewriting of `statement.py`. What is not understood is refused.
"""
