"""Pictures of messages: originals stored once, decoded in the child for display and models.

Originals are in the data folder by SHA-256. Decoded ones are in the cache and made again when missing.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO, FileIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable, PictureUnreadable
from app.core.events import CancelToken, Media, Message
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import AppPaths, disk_problem, make_folder, private_opener
from app.core.synced_files import place_file
from app.documents.limits import MOST_PICTURE_BYTES, sent_size
from app.store.database import Database
from app.store.encrypted_files import fetch_file, forget_file, store_file, stored_files
from app.store.media_store import MediaStore, MediaUse, StoredMedia

if TYPE_CHECKING:
    from app.documents.protocol import Decoded
    from app.documents.read_document import PictureDecoder

PICTURE = "picture"
ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg", ".heic", ".heif")
"""Of files that are taken for pictures; what they really are, their content says."""
COPIED_BYTES = 1024 * 1024
MOST_CACHED_BYTES = 1_000_000_000
"""Of decoded pictures: some hundred photographs."""
UNTOUCHED_S = 600.0
"""Seconds since last use during which a cached file stays, however full the cache: an engine may be about to
read it.
"""
PASSING, HALF = "passing-", "new-"
_numbers = count()
_USUAL = {"jpeg": ".jpg", "tiff": ".tif"}


def is_picture(path: Path) -> bool:
    """Return whether the file's suffix is a picture's."""
    return path.suffix.lower() in ENDINGS


def ending_of(media: StoredMedia) -> str:
    return _USUAL.get(media.format, f".{media.format}")


def plan_media(use: MediaUse) -> Media:
    """Plan a picture for the engine from stored facts, without touching files; see `MediaLibrary.decode_messages`."""
    media = use.media
    width, height = sent_size(media.width, media.height) if media.kind == PICTURE else (0, 0)
    return Media(media.sha256, "", media.kind, width, height, media.seconds, 0, use.most_tokens)


@dataclass(frozen=True)
class UnsavedPicture:
    """A picture that is no file, such as a pasted one: its bytes, and a path that has only its name."""

    path: Path
    data: bytes


@dataclass(frozen=True)
class MediumAdded:
    """Event: a file is stored. Of several `frames` the first is shown; `is_cut`: the file is truncated."""

    path: Path
    media: StoredMedia
    frames: int = 1
    is_cut: bool = False


@dataclass(frozen=True)
class FileRefused:
    """Event: a file was refused, and why; the others continue."""

    path: Path
    error: AppError


class MediaLibrary:
    """From any thread; what decodes takes a while: not for the window's. One file at a time is decoded.

    `originals` holds what was given, `decoded` what became of it, `folder` is the document child's own.
    """

    def __init__(self, store: MediaStore, originals: Path, decoded: Path, folder: Path) -> None:
        self.store, self._originals, self._decoded, self._folder = store, originals, decoded, folder
        self._decoding: PictureDecoder | None = None
        self._lent = 0
        self._lock = threading.Lock()
        self._keeping = threading.Lock()  # what is about to be known again must not be what is just removed

    def add_picture(self, path: Path, cancel: CancelToken | None = None) -> StoredMedia:
        """Store a picture. Raises PictureUnreadable, DocumentUnreadable, and errors of child and disk."""
        if (added := self._add_given(path, cancel or CancelToken())) is None:
            raise PictureUnreadable(str(path), "damaged")
        return added.media

    def add_several(
        self, given: Iterable[Path | UnsavedPicture], cancel: CancelToken
    ) -> Iterator[MediumAdded | FileRefused]:
        """Store several one by one, yielding the refused ones, too; ends when cancelled."""
        with self._decoding_child():
            for picture in given:
                try:
                    added = self._add_given(picture, cancel)
                except AppError as error:
                    yield FileRefused(picture if isinstance(picture, Path) else picture.path, error)
                    continue
                if added is None or cancel.cancelled:
                    return
                yield added

    def decode_media(self, stored: StoredMedia, *, most_tokens: int = 0, at: int = 0) -> Media:
        """Return a picture as the engine reads it, decoding again if the cache lost it. Raises as `add_picture`."""
        path = self._decoded_path(stored.sha256)
        if not path.is_file():
            self._decode_file(self.original_path(stored), stored.sha256, CancelToken())
        width, height = size_of_rows(path)
        # Tells the cache that it is in use: an engine may be about to read it.
        _touch_file(path)
        return Media(stored.sha256, str(path), stored.kind, width, height, stored.seconds, at, most_tokens)

    def decode_messages(self, messages: Sequence[Message]) -> list[Message]:
        """Replace planned media by decoded files.

        Raises PictureUnreadable if the original is gone, and as `add_picture`.
        """
        return [
            replace(message, media=tuple(map(self._decode_planned, message.media))) if message.media else message
            for message in messages
        ]

    def _decode_planned(self, media: Media) -> Media:
        if (stored := self.store.get(media.id)) is None or not self.original_path(stored).is_file():
            raise PictureUnreadable(media.id, "gone")
        return self.decode_media(stored, most_tokens=media.most_tokens, at=media.at)

    def preview_path(self, stored: StoredMedia) -> Path:
        """Return a preview of at most 512 pixels a side, as a binary PPM. Raises as `add_picture`."""
        path = self._small_path(stored.sha256)
        if not path.is_file():
            self._decode_file(self.original_path(stored), stored.sha256, CancelToken())
        return path

    def original_path(self, stored: StoredMedia) -> Path:
        return fetch_file(self._originals / stored.sha256[:2] / stored.sha256)

    def remove_unused(self, before: float) -> None:
        """Delete unused pictures added before a moment (seconds since 1970)."""
        with self._keeping:
            # Before the files: a row without a file would promise a picture that isn't there.
            for sha256 in self.store.forget_unused(before):
                self._forget_file(sha256)
        known = set(self.store.all())
        times = {path: path.stat().st_mtime for path in self._originals.glob("*/*")}
        for path, changed_at in (times | stored_files(self._originals)).items():
            # Files without a row are of a copy that was interrupted.
            if path.name not in known and changed_at < before:
                self._forget_file(path.name)
        halves = (*self._originals.glob(f"{HALF}*"), *self._decoded.glob("*-new-*"), *self._decoded.glob("*-small-*"))
        for path in halves:  # of a run that was ended by force
            if (status := _file_status(path)) is not None and status.st_mtime < before:
                with suppress(OSError):
                    path.unlink()
        self._make_room()

    def close(self) -> None:
        with self._lock:
            child = self._decoding
        if child is not None:
            child.close()

    def _add_given(self, given: Path | UnsavedPicture, cancel: CancelToken) -> MediumAdded | None:
        # By process and thread, since two may keep pictures at once.
        scratch = self._originals / f"{HALF}{os.getpid()}-{threading.get_ident()}"
        path = given if isinstance(given, Path) else given.path
        try:
            sha256, size_bytes = self._copy_given(given, scratch)
            with self._keeping:
                known = self.store.get(sha256)
                # Known and whole: nothing is decoded again.
                if known is not None and self._decoded_path(sha256).is_file() and self.original_path(known).is_file():
                    return MediumAdded(path, self.store.add(known))
            if (decoded := self._decode_file(scratch, sha256, cancel, name=path)) is None:
                # Cancelled in the middle of decoding.
                return None
            media = StoredMedia(sha256, PICTURE, decoded.format, size_bytes, decoded.width, decoded.height)
            target = self.original_path(media)
            make_folder(target.parent)
            # Under the lock, so that tidying up never takes the file between these two lines.
            with self._keeping:
                place_file(scratch, target)
                store_file(target)
                return MediumAdded(path, self.store.add(media), decoded.frames, decoded.is_cut)
        except OSError as error:
            raise disk_problem(error, self._originals) from error
        finally:
            scratch.unlink(missing_ok=True)

    def _copy_given(self, given: Path | UnsavedPicture, scratch: Path) -> tuple[str, int]:
        """Copy a file to where nobody changes it; return its SHA-256 and size."""
        import hashlib  # OpenSSL comes with it, which a window without a picture does without

        from app.documents.child_files import check_file  # with the wire of a child

        # Asked before copying: a huge file would fill the disk first.
        if isinstance(given, Path) and check_file(given).st_size > MOST_PICTURE_BYTES:
            raise PictureUnreadable(str(given), "too_large")
        make_folder(self._originals)
        found, size_bytes = hashlib.sha256(), 0
        with _open_given(given) as source, open(scratch, "wb", opener=private_opener) as target:
            while data := source.read(COPIED_BYTES):
                found.update(data)
                size_bytes += len(data)
                target.write(data)
        return found.hexdigest(), size_bytes

    def _decode_file(self, path: Path, sha256: str, cancel: CancelToken, name: Path | None = None) -> Decoded | None:
        """Decode into the cache; None when cancelled. `name` is the file's name for the user."""
        from app.documents.protocol import Decode

        folder = self._decoded_path(sha256).parent
        out, preview = (folder / f"{sha256}-{kind}-{threading.get_ident()}" for kind in ("new", "small"))
        try:
            make_folder(folder)
            for copy in (out, preview):
                # Made here with the right mode; the child may write these files, but create none.
                open(copy, "wb", opener=private_opener).close()
            with self._decoding_child() as child:
                decoded = child.decode(Decode(str(path), str(out), str(preview)), cancel)
            if decoded is not None:
                # The preview first: who finds the picture finds its preview, too.
                preview.replace(self._small_path(sha256))
                out.replace(self._decoded_path(sha256))
                self._make_room()
            return decoded
        except AppError as error:
            if name is not None and getattr(error, "path", "") == str(path):
                # The scratch file's name says nothing to a person.
                error.path = str(name)  # type: ignore[attr-defined]
            raise
        except OSError as error:
            raise disk_problem(error, folder) from error
        finally:
            for copy in (out, preview):
                copy.unlink(missing_ok=True)

    @contextmanager
    def _decoding_child(self) -> Iterator[PictureDecoder]:
        """Lend the decoding child, which ends with its last user."""
        from app.documents.read_document import (
            PictureDecoder,
        )  # processes and their wire: a window without a picture has none

        with self._lock:
            # One child for all who decode at once.
            child = self._decoding = self._decoding or PictureDecoder(self._folder)
            self._lent += 1
        try:
            yield child
        finally:
            with self._lock:
                self._lent -= 1
                is_last = not self._lent
                if is_last:
                    self._decoding = None
            if is_last:
                child.close()

    def _decoded_path(self, sha256: str) -> Path:
        return self._decoded / f"{sha256}.ppm"

    def _small_path(self, sha256: str) -> Path:
        return self._decoded / f"{sha256}.small.ppm"

    def _forget_file(self, sha256: str) -> None:
        forget_file(self._originals / sha256[:2] / sha256)
        for path in (self._originals / sha256[:2] / sha256, self._decoded_path(sha256), self._small_path(sha256)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Evict the least recently used decoded pictures above the cache's limit."""
        found = [(path, status) for path in self._decoded.glob("*.ppm") if (status := _file_status(path)) is not None]
        left = sum(status.st_size for _, status in found) - MOST_CACHED_BYTES
        for path, status in sorted(found, key=lambda each: each[1].st_mtime):
            # The rest was used more recently, so nothing more can go.
            if left <= 0 or time.time() - status.st_mtime < UNTOUCHED_S:
                return
            with suppress(OSError):
                path.unlink()
                left -= status.st_size


class PassingLibrary(MediaLibrary):
    """Media library for temporary chats: its files are in a separate folder, deleted by `remove_all`."""

    def __init__(self, store: MediaStore, cache: Path, folder: Path) -> None:
        self._place = cache / f"{passing_name()}{next(_numbers)}"
        self.folder = self._place / "pages"
        """Folder for other data to be deleted with it."""
        self.recordings = self._place / "recordings"
        super().__init__(store, self._place / "originals", self._place / "decoded", folder)

    def remove_all(self) -> None:
        self.close()
        shutil.rmtree(self._place, ignore_errors=True)


def remove_passing(folder: Path, before: float) -> None:
    """Delete temporary chats' data left by a killed run; data of running processes stays."""
    for place in folder.glob(f"{PASSING}*"):
        if (status := _file_status(place)) is not None and status.st_mtime < before and not _is_in_use(place):
            shutil.rmtree(place, ignore_errors=True)


def passing_name() -> str:
    """Return the prefix for folders of temporary data."""
    return f"{PASSING}{os.getpid()}-"


def _is_in_use(place: Path) -> bool:
    """Return whether the process that made it runs: terminal or server may run next to the window."""
    # A pid may be another process's by now; then a folder stays for one more run.
    pid = place.name.removeprefix(PASSING).partition("-")[0]
    if sys.platform == "win32" or not pid.isdecimal():  # there, to ask a process would end it
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def size_of_rows(path: Path) -> tuple[int, int]:
    """Width and height of a binary PPM that the child wrote. Raises PictureUnreadable."""
    try:
        with path.open("rb") as file:
            kind, size = file.readline(), file.readline()
        width, height = map(int, size.split())
    except (OSError, ValueError) as error:
        raise PictureUnreadable(str(path), "damaged") from error
    if kind != b"P6\n":
        raise PictureUnreadable(str(path), "damaged")
    return width, height


def _open_given(given: Path | UnsavedPicture) -> FileIO | BytesIO:
    if isinstance(given, UnsavedPicture):
        return BytesIO(given.data)
    try:
        return given.open("rb", buffering=0)
    except OSError as error:
        raise DocumentUnreadable.by_system(given, error) from error


def _touch_file(path: Path) -> None:
    with suppress(OSError):
        os.utime(path)


def _file_status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def build_media(paths: AppPaths, database: Database) -> MediaLibrary:
    return MediaLibrary(MediaStore(database), paths.media, paths.decoded, paths.documents)


def build_passing_media(paths: AppPaths) -> PassingLibrary:
    """Build a media library in memory, for temporary chats."""
    database = Database.in_memory()
    library = PassingLibrary(MediaStore(database), paths.decoded, paths.documents)
    # Nobody closes it: it goes with the last reference to the library.
    weakref.finalize(library, database.close)
    return library
