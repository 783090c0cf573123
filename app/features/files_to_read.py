"""Files on their way into the library: waiting, being read, read, or refused; the state of one, without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

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


class ReadableFile:
    """What follows from the fields of a file on its way, whichever tab it is in."""

    path: Path
    part: ReadRange
    password: str
    stage: Stage
    is_unheard: bool
    document: StoredDocument | None

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
        is_plain = not self.password and self.part == WHOLE
        is_asked_about = self.stage in (Stage.ASKED, Stage.LOCKED)
        return is_plain and (self.is_unheard or (self.is_on_its_way and not is_asked_about))

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


@dataclass(eq=False)
class FileToRead(ReadableFile):
    """A file with its reading state. `unit` names its pages; `error` holds why it couldn't be read."""

    path: Path
    part: ReadRange = WHOLE
    password: str = ""
    stage: Stage = Stage.WAITS
    page: int = 0
    pages: int = 0
    unit: str = ""
    error: str = ""
    is_unheard: bool = False
    """True if it was skipped because the model can't take audio."""
    unheard_by: str = ""
    """Path of that model."""
    awaits_model: bool = False
    """True if it was skipped because no model was available."""
    task: Any = None
    """What reads it, with `cancel`; None before and after."""
    document: StoredDocument | None = None

    @property
    def is_on_its_way(self) -> bool:
        """True while it is queued, being read, or waits for an answer to a question."""
        is_in_hand = self.task is not None  # a file that was read may not be stored yet
        return is_in_hand or super().is_on_its_way

    @property
    def kept_as(self) -> str:
        """Path as stored in the settings for the next start."""
        return str(self.path)

    @property
    def group(self) -> object:
        """Key of files that count as duplicates of each other."""
        return None

    def with_part(self, part: ReadRange) -> FileToRead:
        """Return a copy for another range, not read yet."""
        return FileToRead(self.path, part, self.password)

    def take_event(self, event: object) -> bool:
        """Update the state by a reader's event; return whether it advanced."""
        changes = progress_of(event)
        for name, value in changes.items():
            setattr(self, name, value)
        return bool(changes) and self.stage is not Stage.READ


def progress_of(event: object) -> dict[str, Any]:
    """Return the fields of a file that a reader's event changes."""
    from app.documents.protocol import Found  # imported already where files are read
    from app.documents.source import PageRead

    if isinstance(event, DocumentStored):
        return {"document": event.document, "stage": Stage.READ}
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
