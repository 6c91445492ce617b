"""The server's command: runs until SIGTERM or SIGINT, then cancels what runs, closes the store and ends.

The password comes from `--password-file`, or from AXION_CLICKHOUSE__PASSWORD: never from the command line, where other
users of the machine could read it.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from deploy.local.clickhouse_server.credentials import Credentials
from deploy.local.clickhouse_server.engine import Engine, FolderInUse
from deploy.local.clickhouse_server.exchange import AnswerBroken
from deploy.local.clickhouse_server.http import Application


class _Server(uvicorn.Server):
    """Uvicorn waits for running answers when told to end, and then lets the signal end the process.

    Here the queries behind the answers are cancelled first, and the process ends by itself once the store is closed.
    """

    def __init__(self, config: uvicorn.Config, app: Application) -> None:
        super().__init__(config)
        self._app = app
        self._draining: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self._end)
        yield

    def _end(self) -> None:
        """A second signal does not wait for answers in progress."""
        self.force_exit = self.should_exit
        self.should_exit = True
        if self._draining is None:
            self._draining = asyncio.create_task(self._app.running.drain())


def _without_broken_answers(record: logging.LogRecord) -> bool:
    """Filters log records of answers that failed midway: the client was told, and it is no fault of the server."""
    return not (record.exc_info and isinstance(record.exc_info[1], AnswerBroken))


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text().rstrip("\r\n")
    return os.environ.get("AXION_CLICKHOUSE__PASSWORD", "")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.clickhouse_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--path", type=Path, required=True, help="data folder; one process at a time may own it")
    parser.add_argument("--user", default="default")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--max-concurrent-queries", type=int, default=64)
    arguments = parser.parse_args()
    credentials = Credentials(arguments.user, _password(arguments.password_file))
    if not credentials.password and arguments.host not in ("127.0.0.1", "::1", "localhost"):
        print(f"refusing to listen on {arguments.host} without a password", file=sys.stderr)  # noqa: T201 - a command's own output
        return 2
    try:
        engine = Engine(arguments.path)
    except FolderInUse as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's own output
        return 2
    with engine:
        app = Application(engine, credentials, max_queries=arguments.max_concurrent_queries)
        logging.getLogger("uvicorn.error").addFilter(_without_broken_answers)
        config = uvicorn.Config(
            app,
            host=arguments.host,
            port=arguments.port,
            lifespan="off",
            access_log=False,
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=10,
        )
        server = _Server(config, app)
        server.run()
        app.close()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
