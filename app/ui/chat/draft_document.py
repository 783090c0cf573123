"""One file beside what is being written: waiting, being read, read, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from app.features.documents import WHOLE, Part
from app.store.attachments import Attachment, Use
from app.store.documents import StoredDocument

if TYPE_CHECKING:
    from app.features.chat import Chat, Fit
    from app.ui.tasks import Task


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
class DraftDocument:
    """`talk` and `conversation_id` say whose draft it is in; None is that of a new chat."""

    path: Path
    talk: Chat
    conversation_id: int | None
    part: Part = WHOLE
    password: str = ""
    stage: Stage = Stage.WAITS
    page: int = 0
    pages: int = 0
    unit: str = ""
    error: str = ""
    task: Task | None = None
    document: StoredDocument | None = None
    attachment: Attachment | None = None
    fit: Fit | None = None
    """None: not known yet."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.document.name if self.document else self.path.name

    @property
    def is_on_its_way(self) -> bool:
        """Whether it will be attached unless something goes wrong."""
        return self.stage in (Stage.ASKED, Stage.WAITS, Stage.READING, Stage.LOCKED)

    @property
    def use(self) -> Use:
        """How it is shown to the model."""
        return self.attachment.use if self.attachment else Use.UNDECIDED

    @property
    def is_undecided(self) -> bool:
        """Whether the person has to say what becomes of it, since all of it does not fit."""
        return self.fit is not None and not self.fit.is_whole and self.use is Use.UNDECIDED

    @property
    def has_pages_to_choose(self) -> bool:
        """Whether a part of it can be read instead."""
        return self.document is not None and bool(self.document.unit) and self.document.pages > 1

    @property
    def has_encoding(self) -> bool:
        """Whether its letters can be read in another encoding."""
        return self.document is not None and bool(self.document.info.get("encoding"))

    def is_in(self, talk: Chat, conversation_id: int | None) -> bool:
        """Whether it is in this draft."""
        return self.talk is talk and self.conversation_id == conversation_id
