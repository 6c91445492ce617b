"""One session of HiveServer2, used by one thread."""

from dataclasses import dataclass
from typing import Any

from impala._thrift_api import ThriftClient, get_socket, get_transport
from impala.hiveserver2 import HiveServer2Connection, HS2Service
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated

from loaders.addresses import Bounds, answering
from loaders.warehouses.settings import ImpalaCredentials, ImpalaOptions

_SOCKET_S = 60
_BATCH_ROWS = 8_192


@dataclass(frozen=True, slots=True)
class Session:
    connection: Any
    cursor: Any

    @classmethod
    def open(cls, options: ImpalaOptions, credentials: ImpalaCredentials, bounds: Bounds) -> "Session":
        """Connects to an address within bounds and authenticates; raises what impyla raises, and `InsideAddress`.

        As `impala.dbapi.connect` does it, which leaves the socket open when the password is wrong.
        """
        mechanism = "NOSASL" if options.authentication == "nosasl" else "PLAIN"
        user, password = credentials.username.get_secret_value(), credentials.password.get_secret_value()
        address = answering(options.host, options.port, bounds, timeout_s=options.timeout_s)
        socket = get_socket(address, options.port, False, None, False)
        socket.setTimeout(options.timeout_ms)
        transport = get_transport(socket, options.host, "impala", mechanism, user or None, password or None)
        try:
            transport.open()
            service = HS2Service(ThriftClient(TBinaryProtocolAccelerated(transport)), retries=1)
            connection = HiveServer2Connection(service)
            cursor = connection.cursor(user or None, convert_types=False, convert_strings_to_unicode=False)
            socket.setTimeout(max(_SOCKET_S * 1000, options.timeout_ms))  # what a job may wait for rows
        except BaseException:
            socket.close()
            raise
        cursor.arraysize = _BATCH_ROWS
        return cls(connection, cursor)

    def close(self) -> None:
        try:
            self.cursor.close()
        finally:
            self.connection.close()
