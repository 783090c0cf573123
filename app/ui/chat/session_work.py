"""Threads and timers of a chat's session: files looked up and read, pictures decoded, tokens counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from app.core.errors.app_error import AppError, expected_error
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.message_draft import DraftDocument, DraftPicture
from app.features.chat.session_parts import LEVELS
from app.features.document_library import DocumentStored, ReadEvent
from app.features.media import FileRefused, MediumAdded, UnsavedPicture
from app.store.attachments import Attachment, DocumentUse
from app.ui.i18n import sentence_for
from app.ui.shell import tasks
from app.ui.widgets.picture_widgets import as_png, read_rows
from app.ui.widgets.timers import new_timer
from app.ui.work.intake import FileThreads

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.prompt_inspector import DocumentFit
    from app.features.chat.session import ChatSession
    from app.store.conversation_row import Conversation

DRAFT_MS = 800
AGAIN_MS = 150


class SessionWork(QObject):
    """Starts what a session asks for on threads, and hands it the events.

    `is_free` returns whether the model can be asked now, `planned` a new chat as it will be stored.
    """

    def __init__(
        self,
        session: ChatSession,
        is_free: Callable[[], bool],
        planned: Callable[[], Conversation | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._threads = FileThreads(session, read_part, self)
        self._save = new_timer(self, DRAFT_MS, lambda: session.dispatch(m.SaveDraft()))
        self._next = new_timer(self, 0, lambda: session.dispatch(m.SendNext()))
        self.fitting = DocumentCounting(session, is_free, planned, self)
        pictures = PictureCounting(session, lambda: is_free() and not self.fitting.is_asking, self)
        session.serve(
            {
                m.OpenPictures: self._open_pictures,
                m.LoadPreviews: self._load_previews,
                m.CountDocuments: self.fitting.count,
                m.CountPictures: pictures.count,
                # Not later with each key: whoever types without a pause has a draft, too.
                f.SaveLater: lambda _effect: None if self._save.isActive() else self._save.start(),
                # In another turn of the event loop: the end of the answer before is shown first.
                m.AskForNext: lambda _effect: self._next.start(),
            }
        )

    def _open_pictures(self, effect: m.OpenPictures) -> None:
        session = self._session

        def is_wanted(part: DraftPicture) -> bool:
            return session.state.find(part.key) is not None

        tasks.run(
            lambda cancel: open_pictures(effect.parts, is_wanted, cancel),
            self,
            on_event=session.dispatch,
            on_end=lambda: session.dispatch(m.PicturesEnded(effect.batch)),
            on_failed=lambda error: session.dispatch(m.PicturesEnded(effect.batch, error)),
        )

    def _load_previews(self, effect: m.LoadPreviews) -> None:
        tasks.run(lambda _token: load_previews(effect.parts), self, on_event=self._session.dispatch)


def read_part(part: DraftDocument, cancel: CancelToken) -> Iterator[ReadEvent]:
    """Read a file into its chat's documents, or store a pasted text there."""
    documents = part.place.talk.documents
    if part.text:
        # A generator, so that the text is stored on the thread that reads this.
        return (DocumentStored(documents.keep_text(text, part.name)) for text in (part.text,))
    return documents.read_file(part.path, cancel, password=part.password, part=part.part, name=part.called)


def open_pictures(
    parts: Iterable[DraftPicture], is_wanted: Callable[[DraftPicture], bool], cancel: CancelToken
) -> Iterator[m.PictureOpened]:
    """Open a batch in one child process and yield each outcome. Pictures removed meanwhile are skipped."""
    of_talk: dict[AnswerService, list[DraftPicture]] = {}
    for part in parts:
        of_talk.setdefault(part.place.talk, []).append(part)
    for talk, own in of_talk.items():
        begun: list[DraftPicture] = []
        given = _given_files(own, begun, is_wanted)
        for found in talk.media.add_several(given, cancel):
            # The child asks for one file at a time, so the last one begun is what was found.
            yield _opened(begun[-1], found)


def _given_files(
    parts: Iterable[DraftPicture], begun: list[DraftPicture], is_wanted: Callable[[DraftPicture], bool]
) -> Iterator[Path | UnsavedPicture]:
    for part in parts:
        if is_wanted(part):
            begun.append(part)
            is_drawn = isinstance(part.given, QImage)
            yield UnsavedPicture(part.path, as_png(part.given)) if is_drawn else part.given


def _opened(part: DraftPicture, found: MediumAdded | FileRefused) -> m.PictureOpened:
    if isinstance(found, FileRefused):
        return m.PictureOpened(part.key, error=found.error)
    try:
        image = read_rows(part.place.talk.media.preview_path(found.media))
    # The error is this picture's; the others come all the same.
    except AppError as error:
        return m.PictureOpened(part.key, error=error)
    return m.PictureOpened(part.key, found.media, image, found.frames, found.is_cut)


def load_previews(parts: Iterable[DraftPicture]) -> Iterator[m.PreviewLoaded]:
    """Load the previews of pictures that are in a draft already."""
    for part in parts:
        assert part.use is not None
        try:
            yield m.PreviewLoaded(part.key, read_rows(part.place.talk.media.preview_path(part.use.media)))
        except AppError as error:
            yield m.PreviewLoaded(part.key, QImage(), sentence_for(error).text)


class DocumentCounting(QObject):
    """Counts how a draft's documents fit, one count at a time, once the model is free; a new one replaces it."""

    def __init__(
        self,
        session: ChatSession,
        is_free: Callable[[], bool],
        planned: Callable[[], Conversation | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._is_free, self._planned = session, is_free, planned
        self._next: m.CountDocuments | None = None
        self._task: tasks.BackgroundTask | None = None
        self._again = new_timer(self, AGAIN_MS, self._begin)
        # In another turn of the event loop, when all of a chat that is opened is shown.
        self._soon = new_timer(self, 0, self._begin)

    @property
    def is_counting(self) -> bool:
        return self._task is not None or self._next is not None

    @property
    def is_asking(self) -> bool:
        """True while a count uses the model's tokenizer."""
        return self._task is not None

    def count(self, effect: m.CountDocuments) -> None:
        """Count how the documents fit the loaded model, as soon as it can be asked."""
        is_wanted = self._session.state.model is not None and bool(effect.documents)
        self._next = effect if is_wanted else None
        if self._task is not None:
            # The next count begins when this one has ended.
            self._task.cancel()
        else:
            self._soon.start()

    def _begin(self) -> None:
        if self._next is None or self._task is not None:
            return
        if not self._is_free():
            # The tokenizer is the model's, which an answer or another count is using.
            self._again.start()
            return
        draft, self._next = _draft_of(self._next, self._planned()), None
        # A count that is replaced tells nothing any more.
        self._task = tasks.run(
            lambda token: fits_of(draft, token),
            self,
            on_event=lambda fitted: self._session.dispatch(m.FitCounted(*fitted)) if self._next is None else None,
            on_end=self._on_end,
            on_failed=self._on_end,
        )

    def _on_end(self, error: BaseException | None = None) -> None:
        """Start the count that waits, or announce the end."""
        self._task = None
        if self._next is not None:
            self._begin()
            return
        self._session.dispatch(m.FitEnded())
        # Nobody asked for the count, so an expected error shows no notice; a defect goes to the hook for those.
        if error is not None and not isinstance(error, AppError):
            raise error


@dataclass(frozen=True)
class AttachmentDraft:
    """Input of a count. `chosen` are ids of attachments to be searched for passages; `first_id` goes first."""

    talk: AnswerService
    conversation_id: int | None
    planned: Conversation | None
    attachments: tuple[Attachment, ...]
    chosen: frozenset[int] = frozenset()
    first_id: int = 0


def _draft_of(effect: m.CountDocuments, planned: Conversation | None) -> AttachmentDraft:
    attached = {part.attachment.id: part for part in effect.documents if part.attachment is not None}
    return AttachmentDraft(
        effect.place.talk,
        effect.place.conversation_id,
        planned,
        tuple(part.attachment for part in effect.documents if part.attachment is not None),
        frozenset(number for number, part in attached.items() if part.is_background_chosen),
        next((number for number, part in attached.items() if part.key == effect.first_key), 0),
    )


def fits_of(draft: AttachmentDraft, cancel: CancelToken) -> Iterator[tuple[Attachment, DocumentFit]]:
    """Yield attachments with how they fit.

    Decides in order which documents are shown whole; those that do not fit are searched for passages.
    """
    store = draft.talk.documents.attachments
    attachments = sorted(draft.attachments, key=lambda attachment: attachment.id != draft.first_id)
    # All are undecided at first: what is shown whole would count against those before it.
    for attachment in attachments:
        store.set_use(attachment.id, DocumentUse.BACKGROUND if attachment.id in draft.chosen else DocumentUse.UNDECIDED)
    for attachment in attachments:
        fit = None if cancel.cancelled else _fit_document(draft, attachment)
        # Sent or removed meanwhile: the answer decides about the rest.
        if fit is None or cancel.cancelled:
            return
        use = DocumentUse.WHOLE if fit.is_whole and attachment.id not in draft.chosen else DocumentUse.BACKGROUND
        store.set_use(attachment.id, use)
        yield replace(attachment, use=use), fit


def _fit_document(draft: AttachmentDraft, attachment: Attachment) -> DocumentFit | None:
    try:
        return draft.talk.looks.fit_of(attachment, draft.conversation_id, draft.planned)
    # It was removed meanwhile.
    except KeyError:
        return None


class PictureCounting(QObject):
    """Counts the tokens of a draft's pictures at every level of detail, once for each model and set of pictures."""

    def __init__(self, session: ChatSession, is_free: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._is_free = session, is_free
        self._counted: object = None
        """Key of what was counted last or is being counted, to skip repeated counts."""
        self._is_asking = False
        self._next: m.CountPictures | None = None
        self._again = new_timer(self, AGAIN_MS, self._begin)

    def count(self, effect: m.CountPictures) -> None:
        """Count as soon as the model can be asked, unless these pictures were counted for it."""
        self._next = effect
        self._begin()

    def _begin(self) -> None:
        effect, model = self._next, self._session.state.model
        if effect is None or model is None or self._is_asking:
            return
        keys = tuple(part.key for part in effect.pictures)
        key = (model.path, model.projector, effect.place, keys)
        if key == self._counted and not any(self._has_no_levels(part) for part in effect.pictures):
            return
        if not self._is_free():
            self._again.start()
            return
        self._next, self._counted, self._is_asking = None, key, True
        looks = effect.place.talk.looks
        # All levels at once: the slider shows which of them differ.
        uses = [replace(part.use, most_tokens=most) for part in effect.pictures if part.use for most in LEVELS]

        def on_counted(counts: Any) -> None:
            # Else the model has gone.
            if len(counts) == len(uses):
                self._session.dispatch(m.PicturesCounted(keys, tuple(counts)))
            self._is_asking = False
            self._begin()

        tasks.ask(lambda _token: looks.media_counts(uses), self, on_counted, self._on_failed)

    def _on_failed(self, error: BaseException) -> None:
        self._is_asking = False
        # Nobody asked for the count, so an expected error shows no notice.
        expected_error(error)

    def _has_no_levels(self, part: DraftPicture) -> bool:
        now = self._session.state.find(part.key)
        return isinstance(now, DraftPicture) and not now.levels
