"""Pictures of chats on their way into other files, as they were given or as PNG where a reader knows no other, and
back; and those of other programs' chats on their way in.
"""

from __future__ import annotations

import base64
import binascii
import logging
import struct
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.core.paths import make_folder
from app.core.visible import visible_name
from app.documents.limits import MOST_PICTURE_BYTES
from app.features.exchange.foreign import (
    ForeignChat,
    ForeignMessage,
    GivenPicture,
    count_of,
    fields_of,
    list_of,
    name_of,
    text_of,
)
from app.features.media import PICTURE, MediaLibrary, MediumAdded, UnsavedPicture, ending_of
from app.store.media_store import MediaUse, NewUse, StoredMedia

log = logging.getLogger(__name__)

IN_BROWSERS = ("png", "jpeg", "gif", "webp", "bmp", "svg")
IN_WORD = ("png", "jpeg", "gif", "bmp", "tiff")
MIME = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "bmp": "image/bmp",
        "svg": "image/svg+xml"}  # fmt: skip
MOST_EMBEDDED_BYTES = 60_000_000
"""Of pictures in one chat of our own file, which is read a chat at a time."""


def find_file(library: MediaLibrary, use: MediaUse, formats: Collection[str]) -> tuple[bytes, str] | None:
    """Return a picture in one of these formats, else as PNG, and the format; None if it is gone."""
    try:
        if use.media.format in formats:
            return library.original_path(use.media).read_bytes(), use.media.format
        # Decoded by the child once; the rows it left are read again.
        return png_of(Path(library.decode_media(use.media).path)), "png"
    except (AppError, OSError) as error:
        log.info("a picture did not go along: %s", type(error).__name__)
        return None


def png_of(rows: Path) -> bytes:
    """Convert a binary PPM to PNG, row by row without a filter (PNG specification, third edition, 9.2)."""
    # Each row begins with the filter byte, 0 for none.
    _, size, _, pixels = rows.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    packer, line = zlib.compressobj(6), 3 * width
    data = b"".join(packer.compress(b"\0" + pixels[at * line : (at + 1) * line]) for at in range(height))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", data + packer.flush()),
        (b"IEND", b""),
    ]
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def address_of(library: MediaLibrary, use: MediaUse) -> str:
    """Return the picture as a data URL; "" if it is gone."""
    found = find_file(library, use, IN_BROWSERS)
    return f"data:{MIME[found[1]]};base64,{base64.b64encode(found[0]).decode()}" if found is not None else ""


class FolderBeside:
    """Folder for an exported text's pictures, next to it; created with the first one."""

    def __init__(self, path: Path) -> None:
        self._folder = path.with_name(f"{path.stem} pictures")
        self._names: dict[str, str] = {}

    def copy_picture(self, library: MediaLibrary, use: MediaUse) -> str:
        """Copy a picture once and return its path relative to the text; "" if it is gone. Raises OSError."""
        if (known := self._names.get(use.media.sha256)) is None:
            if (found := find_file(library, use, IN_BROWSERS)) is None:
                return ""
            ending = ending_of(use.media) if found[1] == use.media.format else ".png"
            # Numbered, since pictures often have the same name.
            stem = visible_name(Path(use.name).stem).replace("/", " ").strip() or "picture"
            known = f"{len(self._names) + 1} {stem[:60]}{ending}"
            make_folder(self._folder)
            (self._folder / known).write_bytes(found[0])
            # By content: the same picture in ten messages is one file.
            self._names[use.media.sha256] = known
        return f"{self._folder.name}/{known}"


def picture_fields(library: MediaLibrary, uses: Sequence[MediaUse], written: set[str]) -> list[dict[str, Any]]:
    """Return the fields of pictures; `written` has those whose content the chat already includes, and grows."""
    found = []
    for use in uses:
        fields: dict[str, Any] = {"name": use.name, "sha256": use.media.sha256, "kind": use.media.kind}
        fields["most_tokens"] = use.most_tokens
        if use.media.sha256 not in written and _has_room(written, use):
            written.add(use.media.sha256)
            try:
                fields["data"] = base64.b64encode(library.original_path(use.media).read_bytes()).decode()
            except OSError as error:
                log.info("a picture did not go along: %s", type(error).__name__)
        found.append(fields)
    return found


def _has_room(written: set[str], use: MediaUse) -> bool:
    # The more there are, the smaller each may be: a chat is read whole.
    return use.media.size_bytes <= MOST_EMBEDDED_BYTES // (len(written) + 1)


def take_pictures(library: MediaLibrary, value: Any) -> tuple[list[NewUse], list[str]]:
    """Return uses of pictures that are stored or come with their content, and the names of the others."""
    uses, missing = [], []
    for fields in map(fields_of, list_of(value)):
        sha256, name = text_of(fields.get("sha256")), name_of(fields.get("name")) or "picture"
        # The row may outlive the file.
        if (stored := library.store.get(sha256)) is None or not library.original_path(stored).is_file():
            stored = _add_picture(library, name, fields)
        if stored is None:
            missing.append(name)
        else:
            # Only content is believed, never a path in the file.
            uses.append((stored.sha256, name, count_of(fields.get("most_tokens"))))
    return uses, missing


Find = Callable[[str], Path | Callable[[], BinaryIO] | None]
"""Finds an export's file by the name or id in a message; None if it is missing."""


def bring_along(library: MediaLibrary | None, chat: ForeignChat, find: Find, cancel: CancelToken) -> Iterator[None]:
    """Import a chat's pictures; those that can't be are named in their place and counted.

    Yields after each; a chat cancelled midway must not be stored.
    """
    # In one go for the whole chat: the child decodes several side by side.
    wanted = [(said, given) for said in chat.messages for given in said.pictures]
    able = [given for said, given in wanted if library is not None and _can_open(said, given, find)]
    kept: dict[int, StoredMedia] = {}
    # Keyed by object: two messages may give the same picture.
    if library is not None and able:
        events = library.add_several((_open_picture(given, find) for given in able), cancel)
        for event, given in zip(events, able, strict=False):  # fewer where it was cancelled
            if isinstance(event, MediumAdded):
                kept[id(given)] = event.media
            yield
    for said, given in wanted:
        media = kept.get(id(given))
        # Of each picture whether it came, from which other texts of the message follow.
        said.brought.append((given.name, media is not None))
        if media is not None:
            said.media.append((media.sha256, given.name, 0))
        else:
            said.names.append(given.name)
            chat.left_out["picture"] += 1


def _can_open(said: ForeignMessage, given: GivenPicture, find: Find) -> bool:
    return bool(said.role) and bool(given.data or find(given.asset) is not None)


def _open_picture(given: GivenPicture, find: Find) -> Path | UnsavedPicture:
    """Return a file's path, or its content; empty content if it can't be had."""
    name = Path(given.name)
    try:
        if given.data:
            # Strict: other characters in base64 are no picture.
            return UnsavedPicture(name, base64.b64decode(given.data, validate=True))
        if (found := find(given.asset)) is None or isinstance(found, Path):
            return found or UnsavedPicture(name, b"")
        with found() as stream:
            # One byte more tells that it is too large without reading it all.
            data = stream.read(MOST_PICTURE_BYTES + 1)
        return UnsavedPicture(name, data if len(data) <= MOST_PICTURE_BYTES else b"")
    except (AppError, OSError, ValueError) as error:
        log.info("a picture did not come along: %s", type(error).__name__)
        return UnsavedPicture(name, b"")


def _add_picture(library: MediaLibrary, name: str, fields: dict[str, Any]) -> Any:
    """Add a picture from a foreign file, decoded in the child like any other."""
    try:
        data = base64.b64decode(text_of(fields.get("data")), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not data or fields.get("kind") != PICTURE:
        return None
    event = next(library.add_several([UnsavedPicture(Path(name), data)], CancelToken()), None)
    return event.media if isinstance(event, MediumAdded) else None
