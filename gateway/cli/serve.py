"""`axion serve`: the gateway's HTTP server."""

from gateway.cli.configuration import load_settings


def serve() -> None:
    """Serves GraphQL until it is told to end (SIGTERM lets running requests finish)."""
    import uvicorn

    from gateway.app import create_app

    settings = load_settings()
    uvicorn.run(
        create_app(settings),
        host=settings.http.host,
        port=settings.http.port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
