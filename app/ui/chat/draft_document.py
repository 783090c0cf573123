"""One file beside what is being written: being read, and then how much of it the model is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.features.documents import Part
from app.store.conversations import Attachment, Use
from app.ui.document.files import FileToRead

if TYPE_CHECKING:
    from app.features.chat.answers import Chat, Fit


@dataclass(eq=False, kw_only=True)
class DraftDocument(FileToRead):
    """`talk` and `conversation_id` say whose draft it is in; None is that of a new chat."""

    talk: Chat
    conversation_id: int | None
    attachment: Attachment | None = None
    fit: Fit | None = None
    """None: not known yet."""
    is_background_chosen: bool = False
    """Whether the person wants it as background, however well it fits."""

    @property
    def use(self) -> Use:
        """How it is shown to the model."""
        return self.attachment.use if self.attachment else Use.UNDECIDED

    @property
    def is_too_long(self) -> bool:
        """Whether it is background only because all of it does not fit."""
        is_background = self.use is Use.BACKGROUND and not self.is_background_chosen
        return is_background and self.fit is not None and not self.fit.is_whole

    @property
    def can_be_whole(self) -> bool:
        """Whether all of it would fit if it came before the other documents of the draft."""
        return self.fit is not None and self.use is Use.BACKGROUND and self.fit.tokens <= self.fit.most_tokens

    @property
    def group(self) -> object:
        return self.talk, self.conversation_id

    def with_part(self, part: Part) -> DraftDocument:
        return DraftDocument(self.path, part, self.password, talk=self.talk, conversation_id=self.conversation_id)

    def is_in(self, talk: Chat, conversation_id: int | None) -> bool:
        """Whether it is in this draft."""
        return self.talk is talk and self.conversation_id == conversation_id
