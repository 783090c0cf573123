"""One file beside what is being written: being read, and then whether the model can be shown all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.store.attachments import Attachment, Use
from app.ui.widgets.file_to_read import FileToRead

if TYPE_CHECKING:
    from app.features.chat import Chat, Fit


@dataclass(eq=False, kw_only=True)
class DraftDocument(FileToRead):
    """`talk` and `conversation_id` say whose draft it is in; None is that of a new chat."""

    talk: Chat
    conversation_id: int | None
    attachment: Attachment | None = None
    fit: Fit | None = None
    """None: not known yet."""

    @property
    def use(self) -> Use:
        """How it is shown to the model."""
        return self.attachment.use if self.attachment else Use.UNDECIDED

    @property
    def is_undecided(self) -> bool:
        """Whether the person has to say what becomes of it, since all of it does not fit."""
        return self.fit is not None and not self.fit.is_whole and self.use is Use.UNDECIDED

    def is_in(self, talk: Chat, conversation_id: int | None) -> bool:
        """Whether it is in this draft."""
        return self.talk is talk and self.conversation_id == conversation_id
