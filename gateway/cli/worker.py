"""`axion worker`: runs the jobs."""

import asyncio

from gateway.cli.configuration import load_settings
from gateway.cli.loading import loading


def worker() -> None:
    """Runs jobs until it is told to end (SIGTERM lets running jobs finish or hand back)."""
    with loading():
        import uvloop

        from gateway.logs import configure_logs
        from gateway.worker import run_worker

    settings = load_settings()
    configure_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_worker(settings))
