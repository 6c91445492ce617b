"""One login at a Flight SQL server. Whatever the server answers, nothing but the address that was judged is dialed.

Queries run over Arrow's ADBC driver, because it cancels any call at any time. Left to itself, it dials every location
that the server names for rows: of queries, of listings, and of the question about the server that it asks whenever a
connection is opened. So it is only asked for the endpoints of a query, and for the rows of those without a location;
metadata is asked by Arrow Flight's own client, which goes nowhere by itself; and the driver's own question is given no
time to be sent.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import adbc_driver_flightsql.dbapi as flight_sql
import pyarrow as pa
from adbc_driver_flightsql import DatabaseOptions
from pyarrow import flight

from loaders.addresses import Bounds, answering
from loaders.columnar.sound import UnsoundBatch, sound
from loaders.warehouses.flight_sql_commands import get_db_schemas
from loaders.warehouses.flight_sql_endpoints import Home
from loaders.warehouses.flight_sql_errors import MESSAGE_BYTES
from loaders.warehouses.settings import FlightSqlCredentials, FlightSqlOptions

_NO_TIME: Final = "1e-06"
"""Seconds that the driver has for its own question: they are over before it is sent, and it does without the answer."""
_METADATA_BYTES: Final = 64 << 20
"""Of one answer about metadata, which is held in memory."""
_ROW_BYTES: Final = 100
"""What a row takes as a Python tuple, beside the bytes of its texts."""


class Session:
    """Used by one thread at a time. Its methods block, each call at most `timeout_ms` of the data source.

    They raise what pyarrow and the driver raise, and `RowsElsewhere`.
    """

    def __init__(self, options: FlightSqlOptions, address: str) -> None:
        """Dials nothing yet. `address` is what the host leads to."""
        (server,) = options.servers
        self._options = options
        self._home = Home(server.port, server.host, address)
        self._authorization: str | None = None
        self._driver: flight_sql.Connection | None = None
        scheme = urlsplit(options.url).scheme
        place = f"[{address}]" if ":" in address else address
        self._url = f"{scheme}://{place}:{server.port}"
        self._settings = {DatabaseOptions.WITH_MAX_MSG_SIZE.value: str(MESSAGE_BYTES)}
        trusted: dict[str, object] = {}
        limits: list[tuple[str, str | int]] = [("grpc.max_receive_message_length", MESSAGE_BYTES)]
        if options.root_certificates is not None:
            self._settings[DatabaseOptions.TLS_ROOT_CERTS.value] = options.root_certificates
            trusted["tls_root_certs"] = options.root_certificates
        if address != server.host and scheme == "grpc+tls":  # the certificate is for the name, which is the authority
            self._settings[DatabaseOptions.TLS_OVERRIDE_HOSTNAME.value] = server.host
            trusted["override_hostname"] = server.host
        elif address != server.host:
            authority = f"{server.host}:{server.port}"
            self._settings[DatabaseOptions.AUTHORITY.value] = authority
            limits.append(("grpc.default_authority", authority))
        self._client = flight.FlightClient(self._url, generic_options=limits, **trusted)

    def log_in(self, credentials: FlightSqlCredentials) -> None:
        """With the password. A token is first looked at when something is asked."""
        token, user = credentials.token.get_secret_value(), credentials.username.get_secret_value()
        if token:
            self._authorization = f"Bearer {token}"
        elif user:
            self._authorization = self._token(user, credentials.password.get_secret_value())

    def _token(self, user: str, password: str) -> str:
        try:
            _, given = self._client.authenticate_basic_token(user, password, self._call())
        except flight.FlightInternalError:
            with suppress(flight.FlightUnauthenticatedError, flight.FlightUnauthorizedError):
                self._info(get_db_schemas())  # raises what that error does not tell: it cannot be reached, or TLS fails
            raise
        if not given:
            raise flight.FlightInternalError("the server took the password and gave nothing for it")
        return str(given.decode())

    def rows(self, command: bytes, columns: Sequence[str]) -> list[tuple[str | None, ...]]:
        """The whole answer to a question about metadata: these of its columns, which are text."""
        tickets = self._home.tickets(self._info(command).endpoints)
        return [row for batch in self._batches(tickets) for row in _texts(batch, columns)]

    def schema(self, command: bytes) -> pa.Schema:
        """Of an answer, none of whose rows are read."""
        info = self._info(command)
        tickets = self._home.tickets(info.endpoints)
        if info.schema is not None:
            return info.schema
        if not tickets:
            raise flight.FlightInternalError("the server tells neither the columns of its answer nor where to read it")
        reader = self._client.do_get(tickets[0], self._call())
        try:
            return reader.schema
        finally:
            reader.cancel()

    @property
    def driver(self) -> flight_sql.Connection:
        """For queries, whose rows are only read by what `partitions` gives. It sets no deadline for rows."""
        if self._driver is None:
            settings = self._settings | {DatabaseOptions.TIMEOUT_QUERY.value: _NO_TIME}
            if self._authorization is not None:
                settings[DatabaseOptions.AUTHORIZATION_HEADER.value] = self._authorization
            within = str(self._options.timeout_s)
            deadlines = {  # they take the place of the above once the connection is open
                DatabaseOptions.TIMEOUT_QUERY.value: within,
                DatabaseOptions.TIMEOUT_UPDATE.value: within,
                DatabaseOptions.TIMEOUT_FETCH.value: "0",
            }
            self._driver = flight_sql.connect(self._url, db_kwargs=settings, conn_kwargs=deadlines, autocommit=True)
        return self._driver

    def partitions(self, found: Sequence[bytes]) -> list[bytes]:
        """The partitions of a query as the driver found them, without their locations: it reads them where it asked."""
        tickets = self._home.tickets(flight.FlightInfo.deserialize(each).endpoints[0] for each in found)
        nothing = flight.FlightDescriptor.for_command(b"")
        return [
            flight.FlightInfo(None, nothing, [flight.FlightEndpoint(ticket, [])], -1, -1).serialize()
            for ticket in tickets
        ]

    def close(self) -> None:
        """Ends the server's session too, if a query ran in it."""
        driver, self._driver = self._driver, None
        with ExitStack() as both:
            both.callback(self._client.close)
            if driver is not None:
                both.callback(driver.close)

    def _batches(self, tickets: Sequence[flight.Ticket]) -> Iterator[pa.RecordBatch]:
        """Of an answer about metadata, all of it: within one deadline, however many endpoints it has."""
        received, until = 0, monotonic() + self._options.timeout_s
        for ticket in tickets:
            if monotonic() > until:
                raise flight.FlightTimedOutError("an answer about metadata has not ended in time")
            for batch in self._read(ticket):
                received += sound(batch).nbytes + _ROW_BYTES * batch.num_rows
                if received > _METADATA_BYTES:
                    raise flight.FlightInternalError("an answer about metadata is too large to be held in memory")
                yield batch

    def _read(self, ticket: flight.Ticket) -> Iterator[pa.RecordBatch]:
        """Not by `read_all`: of an answer that is cancelled, by whomever, it has this process interrupted (SIGINT)."""
        reader = self._client.do_get(ticket, self._call())
        try:
            while True:
                batch = reader.read_chunk().data
                if batch is not None:  # as in a message of application metadata alone
                    yield batch
        except StopIteration:
            return
        finally:
            reader.cancel()

    def _info(self, command: bytes) -> flight.FlightInfo:
        return self._client.get_flight_info(flight.FlightDescriptor.for_command(command), self._call())

    def _call(self) -> flight.FlightCallOptions:
        headers = [] if self._authorization is None else [(b"authorization", self._authorization.encode())]
        return flight.FlightCallOptions(timeout=self._options.timeout_s, headers=headers)


def dialed(options: FlightSqlOptions, credentials: FlightSqlCredentials, bounds: Bounds) -> Session:
    """A session that is logged in, over the first address of the host that answers. Also raises `InsideAddress`."""
    (server,) = options.servers
    session = Session(options, answering(server.host, server.port, bounds, timeout_s=options.timeout_s))
    try:
        session.log_in(credentials)
    except Exception:
        session.close()
        raise
    return session


def _texts(batch: pa.RecordBatch, columns: Sequence[str]) -> list[tuple[str | None, ...]]:
    """Only plain text is accepted: a dictionary, or a column of nulls, has more rows than bytes."""
    try:
        found = [batch.column(name) for name in columns]
    except KeyError as error:
        raise flight.FlightInternalError("the server's answer lacks a column that Flight SQL requires") from error
    if not all(pa.types.is_string(column.type) or pa.types.is_large_string(column.type) for column in found):
        raise flight.FlightInternalError("the server's answer has no text in a column that Flight SQL requires it in")
    try:
        for column in found:
            column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnsoundBatch("the server sent text that is not UTF-8") from error
    return list(zip(*(column.to_pylist() for column in found), strict=True))
