"""Back up and restore all of the user's data in one file: chats, summaries, translations, pages, settings.

The file is a ZIP archive: `fireside.db` (a copy of the database as of one moment), `settings.json`, `words.txt` (the
user's own words for spelling), the copies of translated documents below `translations/`, the pictures of chats below
`media/` (since version 2), recordings below `recordings/` and other servers with models below `servers/` (since
version 3), and at its end `manifest.json`: `format` ("fireside-backup"), `version`, `program`, `made_at` (seconds
since 1970), `schema` (of the database) and `files`, each with `name`, `size_bytes` and `sha256`. Models are not in
it, nor the access token and the keys of servers, which the system keeps, nor which documents may be sent to a server:
that is asked again.

A backup is unpacked and compared as a whole before anything is touched, and its database is brought to the newest
schema, which has to be exactly the program's. It takes its place when nobody has the database open, which for the
window is its next start; what was there moves into a separate folder for 30 days, from which it can be put back in
the same way.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app import APP_NAME, __version__
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field
from app.core.paths import REMOTE_ENDING, AppPaths
from app.features.work.saved_file import scratch_beside, write_file
from app.store.database import Database, copied_schema
from app.store.encrypted_files import fetch_file, stored_files
from app.store.encryption import copy_file_database
from app.store.sqlite_access import held_key, is_encrypted

FORMAT = "fireside-backup"
VERSION = 3
"""With recordings or servers; with pictures alone it is 2, without any 1, which older programs read, too."""
DATABASE, SETTINGS, WORDS = "fireside.db", "settings.json", "words.txt"
TRANSLATIONS, MEDIA, RECORDINGS, SERVERS = "translations/", "media/", "recordings/", "servers/"
MANIFEST = "manifest.json"
OF_SERVERS = ("server.json", REMOTE_ENDING)
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class BackupProgress:
    """Progress in bytes written, of about `total`."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class BackupFinished:
    """The file is whole and in its place; or it was cancelled, and what was there before is as it was."""

    files: int
    size_bytes: int
    is_cancelled: bool = False


@dataclass(frozen=True)
class BackupUnpacked:
    """A backup waits in `RestorePaths.unpacked` for `accept` or `refuse_restored`; or none waits, as it was cancelled.

    `counts` is how many it has of each kind: chats, messages, projects, summaries and so on.
    """

    program: str
    made_at: float
    is_cancelled: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


class BackupCancelled(Exception):
    pass


def back_up(
    path: Path, places: AppPaths, database: Database, cancel: CancelToken
) -> Iterator[BackupProgress | BackupFinished]:
    """Write the backup, readable only by its owner, replacing the file at the end.

    Raises DiskFull, FolderNotWritable or NameTooLong.
    """
    done, files = 0, list[dict[str, Any]]()
    try:
        with scratch_beside(path, ".db") as copy, write_file(path, is_private=True) as out:
            yield BackupProgress(0, 0)
            # A copy of one moment: the database is written to while the backup is packed.
            _copy_open(database, copy)
            parts = [(DATABASE, copy), *_kept_files(places)]
            total = sum(file.stat().st_size for _, file in parts)
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                # The manifest comes last, since it tells sizes and hashes of what was really packed.
                for name, file in parts:
                    for size in _pack_file(archive, name, file, files):
                        raise_if_cancelled(cancel)
                        done += size
                        # Files may grow while they are packed.
                        yield BackupProgress(done, max(done, total))
                archive.writestr(MANIFEST, json.dumps(_make_manifest(files, copied_schema(copy)), indent=1))
    except BackupCancelled:
        yield BackupFinished(0, 0, is_cancelled=True)
        return
    yield BackupFinished(len(files), path.stat().st_size)


def _copy_open(database: Database, copy: Path) -> None:
    """Copy the database without the encryption of a lock: whoever needs the backup may have no passphrase."""
    if is_encrypted(database.path):
        copy_file_database(database.path, copy, held_key(), b"")
    else:
        database.copy_to(copy)


def _kept_files(places: AppPaths) -> Iterator[tuple[str, Path]]:
    for folder in folders_by_part(places).values():
        for encrypted in stored_files(folder):
            fetch_file(encrypted)
    for name, file in ((SETTINGS, places.settings), (WORDS, places.own_words)):
        if file.is_file():
            yield name, file
    for beginning, folder in folders_by_part(places).items():
        for here, _, names in os.walk(folder):
            for name in sorted(names):
                file = Path(here) / name
                # A file directly in the folder is on its way in; pictures lie one level deeper.
                is_on_its_way = folder == places.media and file.parent == folder
                is_left = folder == places.servers and not name.endswith(OF_SERVERS)
                # Links, pipes and devices are no data of ours.
                if stat.S_ISREG(file.lstat().st_mode) and not is_on_its_way and not is_left:
                    yield beginning + file.relative_to(folder).as_posix(), file


def folders_by_part(places: AppPaths) -> dict[str, Path]:
    """Return the folders to back up, by their prefix in the archive."""
    return {
        TRANSLATIONS: places.translations,
        MEDIA: places.media,
        RECORDINGS: places.recordings,
        SERVERS: places.servers,
    }


def _pack_file(archive: zipfile.ZipFile, name: str, file: Path, files: list[dict[str, Any]]) -> Iterator[int]:
    """Add a file to the archive and record it; yields the sizes of its pieces."""
    checksum, size_bytes = hashlib.sha256(), 0
    # Sizes aren't known before: a file over 4 GB needs ZIP64 from its beginning.
    with file.open("rb") as source, archive.open(_member_info(name), "w", force_zip64=True) as target:
        while data := source.read(CHUNK_BYTES):
            checksum.update(data)
            size_bytes += len(data)
            target.write(data)
            yield len(data)
    files.append({"name": name, "size_bytes": size_bytes, "sha256": checksum.hexdigest()})


def _member_info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=time.localtime()[:6])
    info.compress_type = zipfile.ZIP_STORED if name.startswith(MEDIA) else zipfile.ZIP_DEFLATED  # they are packed
    return info


def _make_manifest(files: list[dict[str, Any]], schema: int) -> dict[str, Any]:
    names = [file["name"] for file in files]
    since = {(RECORDINGS, SERVERS): VERSION, (MEDIA,): 2}
    # The lowest version that fits, so that older programs read what they can.
    version = next((since[new] for new in since if any(name.startswith(new) for name in names)), 1)
    head = {"format": FORMAT, "version": version, "program": f"{APP_NAME} {__version__}", "made_at": time.time()}
    return head | {"schema": schema, "files": files}


def raise_if_cancelled(cancel: CancelToken) -> None:
    if cancel.cancelled:
        raise BackupCancelled
