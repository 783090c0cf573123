"""Build information from packaging (a checkout has none), and a check that no module is missing."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import app
from app import APP_ID, APP_NAME, __version__
from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path


@dataclass(frozen=True)
class Build:
    """`commit` is abbreviated, `date` is the commit's (ISO 8601); both are empty in a checkout."""

    commit: str = ""
    date: str = ""

    @property
    def line(self) -> str:
        """Name and version; the build behind them, in a package."""
        return f"{APP_NAME} {__version__}" + (f" (build {self.commit} of {self.date})" if self.commit else "")


@dataclass(frozen=True)
class ReleaseHome:
    """Announcement of releases: the address of a file, and the Ed25519 key (base64) that must have signed it."""

    address: str = ""
    key: str = ""


RELEASES = ReleaseHome()
"""Empty while no home is decided: then nothing can be asked, and "Check for updates" says so."""


def this_build() -> Build:
    """Read the build note among the program's resources; empty values in a checkout."""
    try:
        found = json.loads(resource_path("build.json").read_text("utf-8"))
        return Build(str(found["commit"]), str(found["date"]))
    except (OSError, ValueError, LookupError, TypeError):
        return Build()


class ProgramFile:
    """The packaged program's file as it was when this process started. Upgrades replace it."""

    def __init__(self) -> None:
        # Looked at once, at the start: later nothing would show that it was replaced.
        self._was = _build_identity()

    @property
    def is_another(self) -> bool:
        """True if the program was upgraded or removed while this process runs; always False in a checkout."""
        return self._was != _build_identity()


def _build_identity() -> tuple[int, ...]:
    if not getattr(sys, "frozen", False):
        return ()
    try:
        status = Path(sys.executable).stat()
    # Removed altogether: that is another one, too.
    except OSError:
        return (0,)
    return status.st_dev, status.st_ino, status.st_mtime_ns


# Only checkouts have a Makefile beside the package.
def terminal_command(arguments: str) -> str:
    """Return the line to type for a command of the terminal: a checkout has no `fireside` that a shell finds, but
    make.
    """
    is_checkout = (Path(app.__file__).parents[1] / "Makefile").is_file()
    return f'make run ARGS="{arguments}"' if is_checkout else f"{APP_ID} {arguments}"


def main(names: list[str]) -> int:
    """Import the named modules and all of the program; report missing ones on standard error."""
    import pkgutil  # 1 MB that a window does without

    # All modules, as a package without one fails only when somebody needs it.
    ours = [module.name for module in pkgutil.walk_packages(app.__path__, "app.") if module.name != "app.__main__"]
    failed = 0
    for name in [*ours, *names]:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the package lacks something
            print(f"{name}: {error!r}", file=sys.stderr)  # noqa: T201
            failed += 1
    print(f"{len(ours) + len(names)} modules")  # noqa: T201
    return int(failed > 0)
