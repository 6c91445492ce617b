"""A browser for the tests of GraphiQL: whichever is installed, else Debian's Chromium."""

import shutil

from deploy.local.paths import cache_folder
from deploy.local.privilege import may_become_root
from deploy.local.progress import Progress
from deploy.local.provision.host_packages import has_apt, install

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def installed() -> str | None:
    """The path of a Chromium or Chrome."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def may_install() -> bool:
    return has_apt() and may_become_root()


def provide_browser(progress: Progress) -> None:
    """Installs Chromium where there is no browser and it can be had; elsewhere the tests that need one are skipped."""
    if installed() is None and may_install():
        log = cache_folder() / "logs" / "chromium.log"
        with progress.step("installing Chromium", log):
            install("chromium", log=log)
