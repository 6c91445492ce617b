"""`python -m deploy.local.prepare`: installs the project's Python packages and, in parallel, builds what the stack
needs.

It runs in a virtual environment that only has rich (see venv.sh), so it imports nothing else.
"""

import argparse
import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.markup import escape

from deploy.local.command import ended_on_interrupt, run_logged
from deploy.local.doctor import blocking, examine
from deploy.local.doctor_table import table
from deploy.local.errors import StackError
from deploy.local.interrupt import terminable
from deploy.local.lock import locked
from deploy.local.paths import CHECKOUT
from deploy.local.progress import Progress
from deploy.local.provision.everything import provision, provision_for_tests

EXTRAS = "s3,bigquery,flight-sql,impala,local,dev"
_STAMP = CHECKOUT / ".venv" / "axion-installed"


def install_packages(progress: Progress) -> None:
    """Runs `pip install -e .` unless this exact pyproject.toml was installed before. The stamp is written last."""
    with locked(_STAMP.with_suffix(".lock"), progress=progress, waiting_for="an installation into .venv"):
        wanted = _wanted()
        if _STAMP.is_file() and _STAMP.read_text() == wanted:
            return
        log = CHECKOUT / ".axion" / "pip.log"
        with progress.step("installing Python packages", log):
            _STAMP.unlink(missing_ok=True)
            run_logged(
                [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-e", f"{CHECKOUT}[{EXTRAS}]"],
                log=log,
            )
            _STAMP.write_text(wanted)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.prepare", description=__doc__)
    parser.add_argument("--packages-only", action="store_true", help="do not build the stack's servers")
    for_tests = "build the warehouses' emulators and install a browser, too"
    parser.add_argument("--for-tests", action="store_true", help=for_tests)
    arguments = parser.parse_args()
    packages_only = arguments.packages_only
    console = Console(stderr=True)
    try:
        if not packages_only and blocking(checks := examine()):
            console.print(table(checks))
            raise StackError("this machine lacks what the table marks as missing")
        with terminable(), Progress(console) as progress, ThreadPoolExecutor(2) as pool, ended_on_interrupt():
            others = [pool.submit(install_packages, progress)]
            if arguments.for_tests:
                others.append(pool.submit(provision_for_tests, progress))
            if not packages_only:
                provision(progress)
            for other in others:
                other.result()
    except StackError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted")
        return 130
    return 0


def _wanted() -> str:
    content = (CHECKOUT / "pyproject.toml").read_bytes() + sys.version.encode() + EXTRAS.encode()
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
