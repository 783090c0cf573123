"""Where everything lies, that a person's folders are for that person alone, and what it means when a disk refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app import APP_ID
from app.core.errors import DiskFull, FolderNotWritable, NameTooLong


@dataclass(frozen=True)
class AppPaths:
    """Folders for what the program writes for a person. Nothing is created until it is needed."""

    data: Path
    config: Path
    cache: Path
    logs: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that the others are in."""
        return self.data, self.config, self.cache, self.logs

    @property
    def models(self) -> Path:
        """Installed models, unless the settings name another folder."""
        return self.data / "models"

    @property
    def checker(self) -> Path:
        """The claim checker, where one was fetched."""
        return self.data / "checker"

    @property
    def database(self) -> Path:
        """The SQLite file of what a person wrote, had read and had made: chats, documents, jobs, pages."""
        return self.data / "fireside.db"

    @property
    def own_words(self) -> Path:
        """What is right in the person's own spelling, one word a line."""
        return self.data / "words.txt"

    @property
    def settings(self) -> Path:
        return self.config / "settings.json"

    @property
    def engine(self) -> Path:
        """The engine child's own working directory."""
        return self.cache / "engine"

    @property
    def downloads(self) -> Path:
        """The download child's own working directory."""
        return self.cache / "downloads"

    @property
    def documents(self) -> Path:
        """The document child's own working directory."""
        return self.cache / "documents"

    @property
    def translations(self) -> Path:
        """Copies of the documents that are translated, a folder for each."""
        return self.data / "translations"

    @property
    def media(self) -> Path:
        """Pictures and sounds of messages as they were given, by their content."""
        return self.data / "media"

    @property
    def recordings(self) -> Path:
        """What was recorded with the microphone."""
        return self.data / "recordings"

    @property
    def decoded(self) -> Path:
        """What became of them; it can be made again."""
        return self.cache / "media"

    @property
    def restoring(self) -> Path:
        """A whole backup that takes the place of what is here when nobody uses it."""
        return self.data / "restoring"

    @property
    def unpacked(self) -> Path:
        """A backup that was read and is not yet wanted."""
        return self.data / "restoring.part"

    @property
    def before_restoring(self) -> Path:
        """What was here before, a folder for each time."""
        return self.data / "before-restoring"

    @property
    def servers(self) -> Path:
        """Other servers with models, a folder for each."""
        return self.data / "servers"

    @property
    def connections(self) -> Path:
        """Every connection to the network that was ever made, one JSON object a line."""
        return self.data / "connections.jsonl"

    @property
    def states(self) -> Path:
        """What models had read of chats and documents, to go on from."""
        return self.cache / "states"

    @classmethod
    def from_environment(cls) -> AppPaths:
        """`FIRESIDE_HOME` moves everything below it, and so does a folder `data` beside the program; otherwise the
        system's usual places."""
        home = os.environ.get("FIRESIDE_HOME") or _beside_program()
        if home:
            root = Path(home).expanduser().absolute()
            return cls(root / "data", root / "config", root / "cache", root / "logs")
        import platformdirs  # no child needs it

        dirs = platformdirs.PlatformDirs(APP_ID, appauthor=False)
        return cls(
            Path(dirs.user_data_dir), Path(dirs.user_config_dir), Path(dirs.user_cache_dir), Path(dirs.user_log_dir)
        )


def _beside_program() -> str:
    """Return the folder `data` beside a portable program, as on a USB stick, where somebody made one; "" elsewhere."""
    if not getattr(sys, "frozen", False):
        return ""
    one_file = os.environ.get("APPIMAGE")  # which is where the person sees it, not where it is mounted
    around = Path(sys.executable).parents
    bundle = next((folder for folder in around if folder.suffix == ".app"), None)  # macOS: nothing in it may change
    folder = Path(one_file or bundle or around[0]).parent / "data"
    return str(folder) if folder.is_dir() and os.access(folder, os.W_OK) else ""


def resource_root() -> Path:
    """Return the folder `resources/`, in a checkout, an installed wheel and a frozen program."""
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen:
        return Path(frozen) / "resources"
    beside = Path(__file__).resolve().parents[2]
    return beside / "resources" if (beside / "resources").is_dir() else beside / "fireside_resources"


def resource_path(name: str) -> Path:
    """Return the path of one resource, by its name with forward slashes; it may not exist."""
    return resource_root() / name


BUILD_VARIABLE = "FIRESIDE_ENGINE_BUILD"
"""Names the log of a set-up that is still building the engine and making the starter; see `app.engine.engine_build`."""
STARTER_FILE = "SmolLM2-135M-Instruct-Q8_0.gguf"


def starter_model() -> Path | None:
    """Return the model that comes with the program, or None where set-up has not made it."""
    return next(iter(sorted(resource_path("models").glob("*.gguf"))), None)


def coming_starter() -> Path | None:
    """Return where set-up is going to put the starter, if this program was started before that was done."""
    return resource_path("models") / STARTER_FILE if os.environ.get(BUILD_VARIABLE) else None


REMOTE_ENDING = ".remote"
"""Of a file that stands for a model on another server; see `app.remote.servers`."""


def runs_elsewhere(model: Path | str) -> bool:
    """Return whether the path of a model says that it runs on a server."""
    return str(model).endswith(REMOTE_ENDING)


_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each as closed to others as the one that it is in. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=_folder_mode(folder.parent))


def private_opener(path: str, flags: int) -> int:
    """For `open`: a new file is as closed to others as the folder that it is in."""
    return os.open(path, flags, _folder_mode(Path(path).parent) & 0o666)


def be_as_closed_as(folder: Path) -> None:
    """From now on everything this process makes is as closed to others as `folder`, or what will hold it."""
    while not folder.is_dir():
        folder = folder.parent
    os.umask(0o777 & ~_folder_mode(folder))


def close_to_others(folders: Iterable[Path], *, deeply: bool) -> None:
    """Take from everybody else what they may do with these folders and what lies directly in them.

    And with all that is in them if `deeply`, or where the folder itself was open: then somebody could go on into it.
    Folders that are not there are made. What cannot be changed stays: whoever needs it then says so.
    """
    for folder in folders:
        was_open = False
        with contextlib.suppress(OSError):
            _make_closed(folder)
            was_open = _close_to_others(folder)
        for here, inner, files in os.walk(folder):
            for name in (*inner, *files):
                with contextlib.suppress(OSError):
                    _close_to_others(Path(here) / name)
            if not (deeply or was_open):
                break


def disk_problem(error: OSError, folder: Path) -> DiskFull | FolderNotWritable | NameTooLong:
    """Return the situation behind a failure to write into `folder`."""
    if error.errno == errno.ENAMETOOLONG:
        return NameTooLong(os.fsdecode(error.filename2 or error.filename or str(folder)))
    return DiskFull(str(folder)) if error.errno in _FULL else FolderNotWritable(str(folder))


def _folder_mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode) & 0o777


def _make_closed(folder: Path) -> None:
    if not folder.exists():
        _make_closed(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)


def _close_to_others(path: Path) -> bool:
    """Return whether others could do anything with it until now; what knows no modes, as a USB stick, stays as it
    is.
    """
    status = path.lstat()
    is_elsewhere_too = stat.S_ISREG(status.st_mode) and status.st_nlink > 1  # a model that was linked, not copied
    if stat.S_ISLNK(status.st_mode) or is_elsewhere_too or not status.st_mode & 0o077:
        return False
    path.chmod(stat.S_IMODE(status.st_mode) & 0o700)
    return not path.lstat().st_mode & 0o077
