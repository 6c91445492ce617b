"""One HiveServer2 session, used by one thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from getpass import getuser
from typing import Any

import impala.error
from impala._thrift_api import ThriftClient, get_transport
from impala.hiveserver2 import HiveServer2Connection, HiveServer2Cursor, HS2Service, Operation
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated

from loaders.addresses import Bounds, answering
from loaders.warehouses.impala_errors import SessionRefused
from loaders.warehouses.impala_socket import MeasuredSocket
from loaders.warehouses.settings import ImpalaCredentials, ImpalaOptions

_SOCKET_S = 60


class _Cursor(HiveServer2Cursor):  # type: ignore[misc]  # impyla is not typed
    """A cursor that is closed by `Session.close` alone, in the session's thread.

    impyla's own asks the server to close the session when the cursor is garbage-collected, over a new connection if
    need be. That may happen in any thread, including the event loop's, and blocks for as long as the server does not
    answer.
    """

    def __del__(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Session:
    connection: Any
    cursor: Any

    @classmethod
    def open(cls, options: ImpalaOptions, credentials: ImpalaCredentials, bounds: Bounds) -> "Session":
        """Connects to an address within `bounds` and authenticates. Raises what impyla raises, and `InsideAddress`.

        Repeats what `impala.dbapi.connect` does, because that leaves the socket open when the password is wrong.
        """
        mechanism = "NOSASL" if options.authentication == "nosasl" else "PLAIN"
        user, password = credentials.username.get_secret_value(), credentials.password.get_secret_value()
        address = answering(options.host, options.port, bounds, timeout_s=options.timeout_s)
        socket = MeasuredSocket(address, options.port)
        socket.setTimeout(options.timeout_ms)
        transport = get_transport(socket, options.host, "impala", mechanism, user or None, password or None)
        try:
            transport.open()
            service = HS2Service(ThriftClient(TBinaryProtocolAccelerated(transport)), retries=1)
            cursor = _Cursor(_begun(service, user or getuser()), convert_types=False, convert_strings_to_unicode=False)
            socket.setTimeout(max(_SOCKET_S * 1000, options.timeout_ms))  # the longest a query may wait for rows
        except BaseException:
            socket.close()
            raise
        return cls(HiveServer2Connection(service), cursor)

    @property
    def operation(self) -> object:
        """The handle of the running operation, by which another session can end it."""
        return self.cursor._last_operation.handle

    @property
    def description(self) -> Sequence[tuple[object, ...]]:
        """The columns of the answer as DB API descriptions. `NotSupportedError` for types that impyla does not know."""
        try:
            described: Sequence[tuple[object, ...]] = self.cursor.description
        except KeyError as error:  # impyla's table of types lacks some, such as intervals
            raise impala.error.NotSupportedError("a column is of a type that is not known") from error
        return described

    def fetched(self, rows: int) -> Any:
        """Up to `rows` more rows of the running query, by column. An empty batch with `expect_more_rows` means that
        none are ready yet: Impala returns it after `FETCH_ROWS_TIMEOUT_MS`, and impyla's `fetchcbatch` would report it
        as the end. On a batch with rows `expect_more_rows` means nothing: Hive and Spark never set it.
        """
        cursor = self.cursor
        operation = cursor._last_operation
        if not (operation.is_columnar and operation.has_result_set):
            raise impala.error.NotSupportedError("the server sends no rows by column")
        return operation.fetch(
            self.description,
            rows,
            convert_types=cursor.convert_types,
            convert_strings_to_unicode=cursor.convert_strings_to_unicode,
        )

    def end(self, operation: object) -> None:
        """Ends the operation of another session, even while that session is blocked in a call. Raises what impyla
        raises.
        """
        running = Operation(self.cursor.session, operation)
        running.cancel()
        running.close()  # Spark refuses to cancel an operation that may have rows

    def abandon(self) -> None:
        """Closes the connection of a session that the server has ended."""
        self.connection.close()

    def close(self) -> None:
        try:
            self.cursor.close()
        finally:
            self.connection.close()


def _begun(service: HS2Service, user: str) -> Any:
    try:
        return service.open_session(user)
    except impala.error.Error as error:
        raise SessionRefused(str(error)) from error
