"""A file on its way into a chat, a job or a project: waiting, being read, read, or refused; immutable, without Qt."""

from __future__ import annotations

from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from app.core.lazy_dataclasses import dataclass
from app.core.visible import visible_name
from app.documents.formats import registry
from app.features.document_library import WHOLE, DocumentStored, ReadRange, Waits
from app.store.document_store import StoredDocument

LARGE_BYTES = 100_000_000
"""Size from which the user is asked before a file is read."""


class Stage(Enum):
    """Stage of a file on its way into the library."""

    ASKED = "asked"
    """Waits for the user's consent, because it is large."""
    WAITS = "waits"
    READING = "reading"
    LOCKED = "locked"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, eq=False, kw_only=True)
class FileToRead:
    """A file, and how far its reading is. `key` stays the same while the fields change.

    `place` says what it goes into, as there may be several. `unit` names its pages; `error` holds why it couldn't be
    read.
    """

    key: int
    path: Path
    real_path: Path
    """The path without links, which tells whether two files are one."""
    place: Any = None
    part: ReadRange = WHOLE
    password: str = ""
    stage: Stage = Stage.WAITS
    page: int = 0
    pages: int = 0
    unit: str = ""
    error: str = ""
    is_heard: bool = False
    """True for a recording, which is transcribed while other files are read."""
    is_unheard: bool = False
    """True if it was skipped because the model can't take audio."""
    unheard_by: str = ""
    """Path of that model."""
    awaits_model: bool = False
    """True if it was skipped because no model was available."""
    reading: int = 0
    """Number of the reading that is under way; 0 for none."""
    document: StoredDocument | None = None

    @property
    def name(self) -> str:
        return self.document.name if self.document else visible_name(self.path.name)

    @property
    def is_on_its_way(self) -> bool:
        """True while it is queued, being read, or waits for an answer to a question."""
        return self.stage in (Stage.ASKED, Stage.WAITS, Stage.READING, Stage.LOCKED)

    @property
    def is_kept_unread(self) -> bool:
        """True if the next start should resume it; files with a password or a question are left out, as that would have
        to be asked again.
        """
        is_asked_about = self.stage in (Stage.ASKED, Stage.LOCKED)
        return self.is_plain and (self.is_unheard or (self.is_on_its_way and not is_asked_about))

    @property
    def is_whole(self) -> bool:
        """True once all that is made of it is there."""
        return self.document is not None

    @property
    def is_plain(self) -> bool:
        """True if its path says all that is needed to read it."""
        return not self.password and self.part == WHOLE

    @property
    def has_pages_to_choose(self) -> bool:
        """True if a range of its pages can be read instead."""
        return self.document is not None and bool(self.document.unit) and self.document.pages > 1

    @property
    def has_encoding(self) -> bool:
        """True if its text can be decoded in another encoding."""
        info = self.document.info if self.document else {}
        told = {str(remark["name"]) for remark in info.get("remarks", ())}
        return bool(info.get("encoding") or self.part.encoding or "legacy_font" in told)

    def changes_by(self, event: object) -> dict[str, Any]:
        """Return the fields that a reader's event changes; it is read only once its reading ended."""
        from app.documents.protocol import Found  # imported already where files are read
        from app.documents.source import PageRead

        if isinstance(event, DocumentStored):
            return {"document": event.document, "stage": Stage.READING}
        if isinstance(event, Waits):
            return {"stage": Stage.WAITS}
        if isinstance(event, Found):
            return {"stage": Stage.READING, "pages": event.opened.pages, "unit": event.opened.unit}
        return {"page": event.page} if isinstance(event, PageRead) else {}


def size_of(path: Path) -> int:
    """Return the size in bytes; 0 if it is unknown."""
    try:
        return path.stat().st_size
    except OSError:
        # Reading the file will say why.
        return 0


def is_recording(name: str) -> bool:
    """Return whether a file name is that of an audio recording."""
    sounds = registry.named("sound")
    return sounds is not None and sounds.has(PurePath(name).suffix)


def part_of(document: StoredDocument) -> ReadRange:
    """Return the part of its file that a document was read from."""
    part = document.info.get("part")
    return ReadRange(**part) if isinstance(part, dict) else ReadRange()
