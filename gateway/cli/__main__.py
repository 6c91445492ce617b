"""`python -m gateway.cli`: how the stack starts the gateway and the worker."""

from gateway.cli.main import main

main()
