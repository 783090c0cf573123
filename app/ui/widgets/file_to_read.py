"""One file that somebody gave: waiting, being read, read, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.visible import visible_name
from app.features.documents import WHOLE, Part
from app.store.documents import StoredDocument

if TYPE_CHECKING:
    from app.ui.shell.tasks import Task


class Stage(Enum):
    """How far it is."""

    ASKED = "asked"
    """It is large: the person is asked first."""
    WAITS = "waits"
    READING = "reading"
    LOCKED = "locked"
    READ = "read"
    FAILED = "failed"


@dataclass(eq=False)
class FileToRead:
    """What is known of it so far. `unit` is what its pages are; `error` says why it could not be read."""

    path: Path
    part: Part = WHOLE
    password: str = ""
    stage: Stage = Stage.WAITS
    page: int = 0
    pages: int = 0
    unit: str = ""
    error: str = ""
    task: Task | None = None
    document: StoredDocument | None = None

    @property
    def name(self) -> str:
        """The file's name, safe to show."""
        return self.document.name if self.document else visible_name(self.path.name)

    @property
    def is_on_its_way(self) -> bool:
        """Whether it will be there unless something goes wrong."""
        return self.stage in (Stage.ASKED, Stage.WAITS, Stage.READING, Stage.LOCKED)

    @property
    def has_pages_to_choose(self) -> bool:
        """Whether a part of it can be read instead."""
        return self.document is not None and bool(self.document.unit) and self.document.pages > 1

    @property
    def has_encoding(self) -> bool:
        """Whether its letters can be read in another encoding."""
        info = self.document.info if self.document else {}
        told = {str(remark["name"]) for remark in info.get("remarks", ())}
        return bool(info.get("encoding") or self.part.encoding or "legacy_font" in told)
