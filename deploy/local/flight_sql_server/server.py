"""The calls of Flight SQL that a reading client needs: list, prepare, bind, query, cancel."""

import secrets
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa
from pyarrow import flight

from deploy.local.flight_sql_server.authentication import Checked, Credentials, Handshake
from deploy.local.flight_sql_server.engine import Engine
from deploy.local.flight_sql_server.messages import Malformed, Message

RUNNING = "running"
"""A custom action that returns the number of running queries."""

_CATALOGS = pa.schema([pa.field("catalog_name", pa.string(), nullable=False)])
_SCHEMAS = pa.schema([pa.field("catalog_name", pa.string()), pa.field("db_schema_name", pa.string(), nullable=False)])
_TABLES = pa.schema(
    [
        pa.field("catalog_name", pa.string()),
        pa.field("db_schema_name", pa.string()),
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("table_type", pa.string(), nullable=False),
    ]
)
_TABLE_TYPES = pa.schema([pa.field("table_type", pa.string(), nullable=False)])
_SELECT_TABLES = """
SELECT table_catalog AS catalog_name, table_schema AS db_schema_name, table_name, table_type
FROM information_schema.tables
WHERE table_catalog LIKE $1 AND table_schema LIKE $2 AND table_name LIKE $3 ORDER BY ALL
"""
_SELECT_SCHEMAS = """
SELECT catalog_name, schema_name AS db_schema_name FROM information_schema.schemata
WHERE catalog_name LIKE $1 AND schema_name LIKE $2 AND catalog_name NOT IN ('system', 'temp') ORDER BY ALL
"""


class FlightSqlServer(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow carries no types
    """The numbers are those of the messages' fields in FlightSql.proto."""

    def __init__(
        self, location: str, engine: Engine, credentials: Credentials, *, tls: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        super().__init__(
            location,
            auth_handler=Handshake(),
            tls_certificates=[flight.CertKeyPair(cert=cert, key=key) for cert, key in tls] or None,
            middleware={"credentials": Checked(credentials)},
        )
        self._engine = engine
        self._prepared: dict[bytes, tuple[str, Sequence[object]]] = {}

    def get_flight_info(self, context: object, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
        message = _parsed(descriptor.command)
        ticket = descriptor.command
        if message.name == "CommandStatementQuery":
            ticket = Message("TicketStatementQuery", ((1, message.bytes_(1)),)).pack()
        return flight.FlightInfo(None, descriptor, [flight.FlightEndpoint(ticket, [])], -1, -1)

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:
        message = _parsed(ticket.ticket)
        match message.name:
            case "TicketStatementQuery":
                return self._query(context, message.bytes_(1).decode(), ())
            case "CommandPreparedStatementQuery":
                sql, parameters = self._prepared_by(message.bytes_(1))
                return self._query(context, sql, parameters)
            case "CommandGetTables":
                filters = [message.text(number) or "%" for number in (1, 2, 3)]
                return flight.RecordBatchStream(self._listed(_SELECT_TABLES, filters, _TABLES))
            case "CommandGetDbSchemas":
                filters = [message.text(number) or "%" for number in (1, 2)]
                return flight.RecordBatchStream(self._listed(_SELECT_SCHEMAS, filters, _SCHEMAS))
            case "CommandGetCatalogs":
                return flight.RecordBatchStream(
                    self._listed("SELECT current_database() AS catalog_name", (), _CATALOGS)
                )
            case "CommandGetTableTypes":
                types = pa.table({"table_type": ["BASE TABLE", "VIEW"]}, schema=_TABLE_TYPES)
                return flight.RecordBatchStream(types)
            case other:
                raise pa.ArrowNotImplementedError(other)

    def do_put(
        self,
        context: object,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        message = _parsed(descriptor.command)
        if message.name != "CommandPreparedStatementQuery":
            raise pa.ArrowNotImplementedError(message.name)
        rows = reader.read_all().to_pylist(maps_as_pydicts=None)
        if len(rows) != 1:
            raise pa.ArrowInvalid("a query takes one row of parameters")
        handle = message.bytes_(1)
        sql, _ = self._prepared_by(handle)
        self._prepared[handle] = (sql, list(rows[0].values()))

    def do_action(self, context: object, action: flight.Action) -> Iterator[flight.Result]:
        if action.type == RUNNING:
            return iter([flight.Result(str(self._engine.running).encode())])
        message = _parsed(action.body.to_pybytes())
        match message.name:
            case "ActionCreatePreparedStatementRequest":
                handle = secrets.token_bytes(16)
                self._prepared[handle] = (message.bytes_(1).decode(), ())
                return iter([flight.Result(Message("ActionCreatePreparedStatementResult", ((1, handle),)).pack())])
            case "ActionClosePreparedStatementRequest":
                self._prepared.pop(message.bytes_(1), None)
                return iter([])
            case other:
                raise pa.ArrowNotImplementedError(other)

    def _prepared_by(self, handle: bytes) -> tuple[str, Sequence[object]]:
        try:
            return self._prepared[handle]
        except KeyError:
            raise pa.ArrowKeyError("no such prepared statement") from None

    def _query(
        self, context: flight.ServerCallContext, sql: str, parameters: Sequence[object]
    ) -> flight.FlightDataStream:
        batches = _with_flight_errors(self._engine.read(sql, parameters, context.is_cancelled))
        schema = next(batches).schema
        return flight.GeneratorStream(schema, batches)

    def _listed(self, sql: str, parameters: Sequence[object], schema: pa.Schema) -> pa.Table:
        return self._engine.table(sql, parameters).cast(schema)


def _parsed(data: bytes) -> Message:
    try:
        return Message.parse(data)
    except (Malformed, UnicodeDecodeError) as error:
        raise pa.ArrowInvalid(str(error)) from error


def _with_flight_errors(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except duckdb.InterruptException:
        raise flight.FlightCancelledError("the query was cancelled") from None
    except duckdb.CatalogException as error:
        raise pa.ArrowKeyError(str(error)) from error
    except (duckdb.BinderException, duckdb.ParserException) as error:
        raise pa.ArrowInvalid(str(error)) from error
    except duckdb.Error as error:
        raise flight.FlightInternalError(str(error)) from error
