"""`axion serve`: the gateway's HTTP server."""

from gateway.cli.configuration import load_settings
from gateway.cli.failure import CommandFailed
from gateway.cli.loading import loading


def serve() -> None:
    """Serves GraphQL until it is told to end (SIGTERM lets running requests finish)."""
    with loading():
        import uvicorn

        from gateway.app import create_app
        from gateway.http.connection import KEEP_ALIVE_SECONDS, BoundedHttp
        from gateway.http.socket_connection import BoundedSocket
        from gateway.http.unread import BreaksOff
        from gateway.limits.trusted import BadManifest
        from gateway.logs import configure_logs

        settings = load_settings()
        configure_logs()
        try:
            app = create_app(settings)
        except BadManifest as error:
            raise CommandFailed(str(error)) from error
    BreaksOff.write_seconds = settings.http.write_timeout_seconds
    uvicorn.run(
        app,
        host=settings.http.host,
        port=settings.http.port,
        loop="uvloop",
        http=BoundedHttp,
        ws=BoundedSocket,
        ws_max_size=2 * settings.limits.max_body_bytes,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
    )
