"""Paths of everything stored, private permissions, and the meaning of disk errors."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from app import APP_ID
from app.core.errors.saving_errors import DiskFailing, DiskFull, DiskReadOnly, FolderNotWritable, NameTooLong
from app.core.lazy_dataclasses import dataclass, replace


@dataclass(frozen=True)
class RestorePaths:
    """Folders of a full backup on its way to the data, and of what it takes the place of."""

    data: Path

    @property
    def unpacked(self) -> Path:
        """An unpacked backup, as long as nobody has confirmed that it is wanted."""
        return self.data / "restoring.part"

    @property
    def waiting(self) -> Path:
        """A full backup that replaces the data once no other process uses it."""
        return self.data / "restoring"

    @property
    def replaced(self) -> Path:
        """Data that a restored backup has replaced, one folder each time."""
        return self.data / "before-restoring"


@dataclass(frozen=True)
class AppPaths:
    """Folders of the user's data. Nothing is created until needed."""

    data: Path
    config: Path
    cache: Path
    logs: Path
    unlocked: Path | None = None
    """Folder in memory for open copies of what a lock encrypts, as long as this process has opened it."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that contain all others, for whoever has to make them private."""
        return self.data, self.config, self.cache, self.logs

    @property
    def models(self) -> Path:
        """Installed models, unless the settings name another folder for them."""
        return self.data / "models"

    @property
    def lock(self) -> Path:
        """The key of the data, encrypted with the passphrase; there only while a lock is set."""
        return self.data / LOCK

    @property
    def encrypted_files(self) -> Path:
        """Database of the files that a lock encrypts, such as pictures and recordings."""
        return self.data / "files.db"

    @property
    def _passing(self) -> Path:
        return self.unlocked / "cache" if self.unlocked else self.cache

    @property
    def checker(self) -> Path:
        """The claim checker's files, which are there only if it was downloaded."""
        return self.data / "checker"

    @property
    def database(self) -> Path:
        """SQLite file of the user's data: chats, documents, jobs, pages."""
        return self.data / "fireside.db"

    @property
    def own_words(self) -> Path:
        """Words that the spelling check is to accept, one a line."""
        return (self.unlocked or self.data) / "words.txt"

    @property
    def settings(self) -> Path:
        return (self.unlocked or self.config) / "settings.json"

    @property
    def engine(self) -> Path:
        """Working directory of the engine child, with what it measured."""
        return self.cache / "engine"

    @property
    def downloads(self) -> Path:
        """Working directory of the download child; the downloads themselves go to the models folder."""
        return self.cache / "downloads"

    @property
    def documents(self) -> Path:
        """Working directory of the document child, where it may write."""
        return self._passing / "documents"

    @property
    def translations(self) -> Path:
        """Copies of the documents that are translated, a folder for each."""
        return (self.unlocked or self.data) / "translations"

    @property
    def own_texts(self) -> Path:
        """Translations of the program that the person uses in place of its own, named by their language."""
        return self.data / "languages"

    @property
    def media(self) -> Path:
        """Original pictures and sounds of messages, named by their content."""
        return (self.unlocked or self.data) / "media"

    @property
    def recordings(self) -> Path:
        """Recordings that were made with the microphone, as sound files."""
        return (self.unlocked or self.data) / "recordings"

    @property
    def decoded(self) -> Path:
        """Pictures and sounds as the engine takes them; they can be made again."""
        return self._passing / "media"

    @property
    def heard(self) -> Path:
        """Pieces of sound on their way to the engine, a folder for each recording."""
        return self._passing / "heard"

    @property
    def restore(self) -> RestorePaths:
        """Folders that a full backup passes through, when it is restored."""
        return RestorePaths(self.data)

    @property
    def snapshots(self) -> Path:
        """Daily copies of the database, named by their day."""
        return self.data / "snapshots"

    @property
    def servers(self) -> Path:
        """Model servers, one folder for each, and their certificates."""
        return self.data / "servers"

    @property
    def connections(self) -> Path:
        """Log of all network connections, one JSON object per line."""
        return self.data / "connections.jsonl"

    @property
    def states(self) -> Path:
        """Saved KV states of chats and documents; they can be made again."""
        return self._passing / "states"

    @classmethod
    def from_environment(cls) -> AppPaths:
        """Return the paths: below `FIRESIDE_HOME` or a folder `data` next to the program, else the system's usual
        places.
        """
        home = os.environ.get("FIRESIDE_HOME") or _beside_program()
        if home:
            # Absolute, as children have other working folders.
            root = Path(home).expanduser().absolute()
            folders = (root / "data", root / "config", root / "cache", root / "logs")
            return cls(*folders, unlocked=_unlocked_places.get(folders[0]))
        import platformdirs  # no child needs it

        dirs = platformdirs.PlatformDirs(APP_ID, appauthor=False)
        data = Path(dirs.user_data_dir)
        config, cache, logs = Path(dirs.user_config_dir), Path(dirs.user_cache_dir), Path(dirs.user_log_dir)
        return cls(data, config, cache, logs, unlocked=_unlocked_places.get(data))


_unlocked_places: dict[Path, Path] = {}
"""Folders of open copies by the data folders that this process has unlocked."""
LOCK = "lock.db"
LOCK_CHANGES = ("lock-building", "lock-built", "lock-placing")
"""Folders of a change of the lock, in the order that it makes them; see `app.features.lock.lock_change`."""


def is_locked(data: Path) -> bool:
    """Return whether a lock is set on a data folder, opened or not."""
    return (data / LOCK).exists()


def has_lock_to_open(paths: AppPaths) -> bool:
    """Return whether something has to be done about a lock before the data can be used."""
    is_changing = any((paths.data / name).exists() for name in LOCK_CHANGES)
    return is_changing or (paths.unlocked is None and is_locked(paths.data))


def use_unlocked_place(paths: AppPaths, place: Path | None) -> AppPaths:
    """Return the paths with open copies in `place`, and give them so to whoever asks later; None ends that."""
    if place is None:
        _unlocked_places.pop(paths.data, None)
    else:
        _unlocked_places[paths.data] = place
    return replace(paths, unlocked=place)


def _beside_program() -> str:
    """Return the folder `data` next to a portable program (e.g. on a USB stick) if it exists, else ""."""
    if not getattr(sys, "frozen", False):
        return ""
    # AppImage mounts its content elsewhere and says where its file is.
    one_file = os.environ.get("APPIMAGE")  # which is where the person sees it, not where it is mounted
    around = Path(sys.executable).parents
    bundle = next((folder for folder in around if folder.suffix == ".app"), None)  # macOS: nothing in it may change
    folder = Path(one_file or bundle or around[0]).parent / "data"
    # A stick that is write-protected serves as a program, not as a home.
    return str(folder) if folder.is_dir() and os.access(folder, os.W_OK) else ""


_BESIDE = Path(__file__).resolve().parents[2]  # once: the window asks for the starter with every look at its models


def resource_root() -> Path:
    """Return the folder `resources/`, in a checkout, an installed wheel and a frozen program."""
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen:
        return Path(frozen) / "resources"
    return _BESIDE / "resources" if (_BESIDE / "resources").is_dir() else _BESIDE / "fireside_resources"


def resource_path(name: str) -> Path:
    """Return the path of one resource, by its name with forward slashes; it may not exist."""
    return resource_root() / name


BUILD_VARIABLE = "FIRESIDE_ENGINE_BUILD"
"""Names the log of a set-up still building the engine and the starter; see `app.engine.engine_build`."""
LIBRARY_VARIABLE = "LLAMA_CPP_LIB_PATH"
"""Names the folder where llama-cpp-python looks for llama.cpp in place of its own; see `app.engine.own_library`."""
STARTER_FILE = "SmolLM2-135M-Instruct-Q8_0.gguf"


def starter_model() -> Path | None:
    """Return the model that comes with the program, or None where set-up has not made it."""
    # Sorted, so that it is the same at every start.
    return next(iter(sorted(resource_path("models").glob("*.gguf"))), None)


def coming_starter() -> Path | None:
    """Return where set-up will put the starter, if it is still running."""
    return resource_path("models") / STARTER_FILE if os.environ.get(BUILD_VARIABLE) else None


REMOTE_ENDING = ".remote"
"""Ending of a file that stands for a server's model; see `app.remote.servers`."""


def runs_elsewhere(model: Path | str) -> bool:
    """Return whether the path of a model says that it runs on a server."""
    return str(model).endswith(REMOTE_ENDING)


_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, each with its parent's permissions. Raises OSError."""
    # Step by step, as `mkdir(parents=True)` makes parents with the usual permissions.
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=_folder_mode(folder.parent))


def private_opener(path: str, flags: int) -> int:
    """Opener for `open` that gives a new file its folder's permissions."""
    # Execution rights are for folders only.
    return os.open(path, flags, _folder_mode(Path(path).parent) & 0o666)


def be_as_closed_as(folder: Path) -> None:
    """Set the umask so that new files get at most `folder`'s permissions."""
    while not folder.is_dir():
        folder = folder.parent
    # What the folder does not allow, the mask takes away.
    os.umask(0o777 & ~_folder_mode(folder))


def close_to_others(folders: Iterable[Path], *, deeply: bool) -> None:
    """Remove others' permissions from these folders and their direct contents, creating missing folders.

    With `deeply`, or if the folder itself was open to others, from everything below: otherwise someone could reach it.
    Failures are ignored; they show when a file is needed.
    """
    for folder in folders:
        was_open = False
        with contextlib.suppress(OSError):
            _make_closed(folder)
            was_open = _close_to_others(folder)
        # Only what lies directly in it, as a walk over all models and documents would take long.
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
    if error.errno == errno.EIO:
        return DiskFailing(str(folder))
    if error.errno == errno.EROFS:
        return DiskReadOnly(str(folder))
    return DiskFull(str(folder)) if error.errno in _FULL else FolderNotWritable(str(folder))


def _folder_mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode) & 0o777


def _make_closed(folder: Path) -> None:
    if not folder.exists():
        _make_closed(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)  # exist_ok: two starts may make it at once


def _close_to_others(path: Path) -> bool:
    """Return whether others could do anything with it until now; what knows no modes, as a USB stick, stays as it
    is.
    """
    status = path.lstat()
    is_elsewhere_too = stat.S_ISREG(status.st_mode) and status.st_nlink > 1  # a model that was linked, not copied
    if stat.S_ISLNK(status.st_mode) or is_elsewhere_too or not status.st_mode & 0o077:
        return False
    # Rights are only taken away: a file that its owner may not write stays so.
    path.chmod(stat.S_IMODE(status.st_mode) & 0o700)
    return not path.lstat().st_mode & 0o077
