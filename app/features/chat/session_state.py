"""The state of a chat being written in: one immutable value, without Qt."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass, field, replace
from app.features.chat.message_draft import ChatPlace, DraftDocument, DraftPart, DraftPicture
from app.features.file_reading import FilesState
from app.store.queued import QueuedMessage

if TYPE_CHECKING:
    from app.features.chat.answer_draft import AnswerDraft
    from app.store.conversations import StoredMessage


class QueueState(Enum):
    """State that decides when the queued messages of a chat are sent automatically."""

    ON = "on"
    AFTER_STOP = "after stop"
    """Queued while an answer was being stopped: sent once it has ended."""
    AFTER_NEXT = "after next"
    """The previous answer was stopped or failed: sent after another one ends well, or when the user sends them."""
    OFF = "off"
    """Sent only when the user sends them."""


@dataclass(frozen=True)
class HeldMessage:
    """A message that was sent and waits for its parts; these are the keys of those it had, or got since."""

    keys: frozenset[int]
    is_whole: bool = False


@dataclass(frozen=True)
class RunningAnswer:
    """An answer being written. Its text grows in `draft`, which is None until it has its row in the store."""

    key: int
    place: ChatPlace
    is_main: bool = True
    is_paired: bool = False
    """True for one of two that are compared."""
    is_stopped: bool = False
    is_finished: bool = False
    is_asking: bool = False
    """True while it waits for the person to allow a tool."""
    draft: AnswerDraft | None = None
    full_id: int = 0
    """Message that the full context leaves no room for; 0 for none."""

    @property
    def message_id(self) -> int:
        return self.draft.message_id if self.draft is not None else 0


@dataclass(frozen=True)
class ChatState(FilesState):
    """The shown chat, what is written in it, and whatever is under way for other drafts."""

    place: ChatPlace
    text: str = ""
    held: HeldMessage | None = None
    batch: int = 0
    """Number of the batch of pictures being decoded; 0 for none."""
    chosen: frozenset[tuple[ChatPlace, int]] = frozenset()
    """Attachments that the user wants searched for passages."""
    first_key: int = 0
    """Key of the document that is shown whole in preference to the others."""
    unsaved: Mapping[ChatPlace, str] = field(default_factory=dict)
    """Texts of drafts that are not stored yet."""
    is_counting: bool = False
    scanned: frozenset[tuple[bool, int]] = frozenset()
    """Documents whose picture pages are being read, as in `ScansChanged`."""
    branch: tuple[StoredMessage, ...] = ()
    """Messages of the shown branch, without answers being written."""
    hidden: tuple[int, ...] = ()
    """Ids of those that the model isn't shown."""
    opened: int = 0
    """How often a chat was opened."""
    project_id: int | None = None
    """Project in which a new chat will be stored."""
    answers: tuple[RunningAnswer, ...] = ()
    whole: tuple[ChatPlace, int] | None = None
    """Question to be answered from whole documents once no answer runs."""
    queue: tuple[QueuedMessage, ...] = ()
    """Queued messages of the shown chat, next one first."""
    queue_names: tuple[tuple[str, ...], ...] = ()
    """Names of the attachments of each of them."""
    queue_states: Mapping[ChatPlace, QueueState] = field(default_factory=dict)
    """Chats that are not in it are OFF."""
    edited_id: int | None = None
    """The queued message being edited."""
    ended_in: ChatPlace | None = None
    """The chat that was answered last; its queue goes first."""
    may_send_queue: bool = True
    is_next_due: bool = False
    is_next_asked: bool = False

    @property
    def shown(self) -> tuple[DraftPart, ...]:
        """All attachments of the shown draft, in order, pictures first."""
        own = [part for part in self.parts if part.place == self.place]
        return (*(p for p in own if isinstance(p, DraftPicture)), *(p for p in own if isinstance(p, DraftDocument)))

    @property
    def documents(self) -> tuple[DraftDocument, ...]:
        return tuple(part for part in self.shown if isinstance(part, DraftDocument))

    @property
    def pictures(self) -> tuple[DraftPicture, ...]:
        return tuple(part for part in self.shown if isinstance(part, DraftPicture))

    @property
    def key(self) -> tuple[object, ...]:
        """Key that changes whenever the draft's attachments would take other tokens."""
        documents = [(part.document.id, part.use) for part in self.documents if part.document is not None]
        uses = [part.use for part in self.pictures if part.use is not None]
        return (*documents, *((use.id, use.most_tokens) for use in uses))

    @property
    def waits_for(self) -> str:
        """Name of the first attachment that is still being read or expected; "" if all are ready."""
        # Its place is known, but nothing can be said of it before it was looked at on the disk.
        names = [part.name for part in self.shown if part.is_on_its_way or self.is_scanning(part)]
        names += [file.name for file in self.awaited if file.place == self.place]
        return names[0] if names else ""

    @property
    def is_busy(self) -> bool:
        """True while any answer is running, in this chat or another."""
        return bool(self.answers)

    @property
    def asking_chats(self) -> frozenset[int]:
        """Ids of the stored chats that wait for the person to allow a tool."""
        asking = [answer.place for answer in self.answers if answer.is_asking and not answer.is_stopped]
        return frozenset(place.conversation_id or 0 for place in asking if not place.talk.is_temporary)

    def answers_in(self, place: ChatPlace) -> tuple[RunningAnswer, ...]:
        return tuple(answer for answer in self.answers if answer.place == place)

    def answer_of(self, key: int) -> RunningAnswer | None:
        return next((answer for answer in self.answers if answer.key == key), None)

    def message_of(self, message_id: int) -> StoredMessage | None:
        return next((message for message in self.branch if message.id == message_id), None)

    def with_answer(self, answer: RunningAnswer) -> ChatState:
        """Return the state with this answer in the place of the one with its key."""
        return replace(self, answers=tuple(answer if other.key == answer.key else other for other in self.answers))

    @property
    def queue_state(self) -> QueueState:
        return self.queue_states.get(self.place, QueueState.OFF)

    @property
    def may_pause_queue(self) -> bool:
        """True if messages wait in the shown chat that would be sent automatically."""
        return bool(self.queue) and self.queue_state is not QueueState.OFF

    @property
    def unread_lines(self) -> tuple[str, ...]:
        """Files for the settings, so that the next start resumes them."""
        kept = [part for part in self.parts if isinstance(part, DraftDocument) and part.is_kept_unread]
        return tuple(unread_line(part.place, part.path) for part in kept)

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The same when the window closes: also what is still looked up or decoded then."""
        lines = [
            (part.place, part.given) for part in self.parts if isinstance(part, DraftPicture) and part.is_on_its_way
        ]
        lines += [(file.place, path) for file in self.awaited for path in file.paths]
        kept = [unread_line(*line) for line in lines if isinstance(line[1], Path) and not line[0].talk.is_temporary]
        return (*self.unread_lines, *kept)

    def is_scanning(self, part: DraftPart) -> bool:
        """Return whether picture pages of an attachment are being read."""
        if not isinstance(part, DraftDocument) or part.document is None:
            return False
        return (part.place.talk.is_temporary, part.document.id) in self.scanned

    def new_file(self, **fields: Any) -> DraftDocument:
        return DraftDocument(**fields)


def unread_line(place: ChatPlace, path: Path) -> str:
    return f"{place.conversation_id or ''}={path}"


Step = tuple[ChatState, tuple[object, ...]]
"""A state, and the effects to be started."""
