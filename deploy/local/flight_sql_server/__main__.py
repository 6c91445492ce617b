"""The server's command: runs until SIGTERM or SIGINT.

Password and token come from AXION_FLIGHT_SQL_PASSWORD and AXION_FLIGHT_SQL_TOKEN, never from the command line, where
other users of the machine could read them.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from deploy.local.flight_sql_server.authentication import Credentials
from deploy.local.flight_sql_server.engine import Engine
from deploy.local.flight_sql_server.server import FlightSqlServer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.flight_sql_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=32010)
    parser.add_argument("--path", type=Path, help="the database's file; without it, it lives in memory")
    parser.add_argument("--user", default="axion")
    parser.add_argument("--certificate", type=Path, help="PEM; with --key, the server speaks TLS only")
    parser.add_argument("--key", type=Path)
    arguments = parser.parse_args()
    password, token = (os.environ.get(f"AXION_FLIGHT_SQL_{name}", "") for name in ("PASSWORD", "TOKEN"))
    if not password or not token:
        print("refusing to listen without AXION_FLIGHT_SQL_PASSWORD and _TOKEN", file=sys.stderr)  # noqa: T201 - a command's own output
        return 2
    tls = []
    if arguments.certificate and arguments.key:
        tls = [(arguments.certificate.read_bytes(), arguments.key.read_bytes())]
    engine = Engine(arguments.path)
    location = f"{'grpc+tls' if tls else 'grpc'}://{arguments.host}:{arguments.port}"
    server = FlightSqlServer(location, engine, Credentials(arguments.user, password, token), tls=tls)
    signal.signal(signal.SIGTERM, lambda *_: server.shutdown())
    server.serve()
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
