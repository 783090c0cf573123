"""What is being written in a chat: a text, documents and pictures, each with its progress. Immutable, without Qt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass
from app.core.visible import visible_name
from app.features.files_to_read import FileToRead, Stage
from app.store.attachments import Attachment, DocumentUse
from app.store.media_store import MediaUse

if TYPE_CHECKING:
    from app.engine.protocol import MediaCount
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.prompt_inspector import DocumentFit

MOST_WORDS = 15_000
"""Most words of a document that can be moved into the message, well below the field's limit."""


@dataclass(frozen=True)
class ChatPlace:
    """A chat of a service: the program's, or a temporary one's. `conversation_id` None is a new chat's."""

    talk: AnswerService
    conversation_id: int | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class DraftDocument(FileToRead):
    """A file attached to a draft: first being read, then with the share of it that the model sees."""

    place: ChatPlace
    attachment: Attachment | None = None
    fit: DocumentFit | None = None
    """Share that fits into the context; None until counted."""
    is_background_chosen: bool = False
    """True if the user wants it searched for passages, even if all of it fits."""
    text: str = ""
    """Text that was pasted instead of a file, until it is stored; the path is only a name then."""
    called: str = ""
    """Display name if it differs from the file's, such as for a picture whose text is read."""

    @property
    def name(self) -> str:
        return self.called or super().name

    @property
    def is_kept_unread(self) -> bool:
        return super().is_kept_unread and not self.text and not self.place.talk.is_temporary

    @property
    def use(self) -> DocumentUse:
        return self.attachment.use if self.attachment else DocumentUse.UNDECIDED

    @property
    def is_too_long(self) -> bool:
        """True if it is searched for passages only because all of it does not fit."""
        is_background = self.use is DocumentUse.BACKGROUND and not self.is_background_chosen
        return is_background and self.fit is not None and not self.fit.is_whole

    @property
    def can_be_whole(self) -> bool:
        """True if all of it would fit if it took precedence over the draft's other documents."""
        return self.fit is not None and self.use is DocumentUse.BACKGROUND and self.fit.tokens <= self.fit.most_tokens

    @property
    def is_pasted(self) -> bool:
        """True if it was pasted and is not a file."""
        return bool(self.text) or (self.document is not None and bool(self.document.info.get("pasted")))

    @property
    def is_short(self) -> bool:
        """True if its whole text fits into the message field."""
        return self.document is not None and self.document.info.get("words", 0) <= MOST_WORDS


@dataclass(frozen=True)
class DetailLevel:
    """Detail at which a picture can be encoded: a token limit, and the resulting size and token count."""

    most_tokens: int
    count: MediaCount


@dataclass(frozen=True, eq=False, kw_only=True)
class DraftPicture:
    """Picture of a draft: loading, ready, or refused with an `error`. `levels` come from the model, fewest tokens
    first.
    """

    key: int
    place: ChatPlace
    given: Any
    """A file's path, an `UnsavedPicture`, or the window's own kind of picture."""
    path: Path
    stage: Stage = Stage.WAITS
    error: str = ""
    use: MediaUse | None = None
    image: Any = None
    """Preview, of the window's own kind; None until it is loaded."""
    frames: int = 1
    is_cut: bool = False
    levels: tuple[DetailLevel, ...] = ()
    is_unseen: bool = False
    """True if the loaded model cannot see pictures."""
    host: str = ""
    """Server that the picture is sent to; "" while the model runs on this computer."""

    @property
    def name(self) -> str:
        return self.use.name if self.use is not None else visible_name(self.path.name)

    @property
    def is_on_its_way(self) -> bool:
        return self.stage in (Stage.WAITS, Stage.READING)

    @property
    def count(self) -> MediaCount | None:
        """Size and tokens at the chosen detail; None until the model has counted."""
        most = self.use.most_tokens if self.use is not None else 0
        return next((level.count for level in self.levels if level.most_tokens == most), None)

    @property
    def choices(self) -> tuple[DetailLevel, ...]:
        """The distinct levels of detail, one for each token count, fewest first."""
        # Several limits may lead to the same picture for the model; the lowest stands for them.
        different: dict[int, DetailLevel] = {}
        for level in self.levels:
            different.setdefault(level.count.tokens, level)
        return tuple(different[tokens] for tokens in sorted(different))


DraftPart = DraftDocument | DraftPicture
