"""Attachments of the draft: read, checked for fitting the context, and sent with the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.core.events import CancelToken, ModelLoaded
from app.features.document_library import DocumentStored, ReadEvent
from app.features.error_messages import PersonMessage
from app.features.media import is_picture
from app.store.conversations import Attachment, DocumentUse
from app.store.media_store import MediaUse
from app.ui.chat.attachment_row import AttachmentRow, DraftDocument
from app.ui.chat.draft_pictures import DraftPicture, DraftPictures, offers_of
from app.ui.document.document_files import (
    FileAction,
    Stage,
    is_recording,
    short_name,
    spoken_size,
)
from app.ui.i18n import tr
from app.ui.shared_labels import CHOOSE_PAGES, OPEN, PUT_INTO_MESSAGE, REMOVE, SUMMARIZE, TRANSLATE, TRY_AGAIN
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.labels import announce
from app.ui.work.intake import Intake, Unread
from app.ui.work.picture_reading import PicturesLine, can_read_text

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.prompt_inspector import DocumentFit
    from app.store.conversations import Conversation
    from app.ui.shell.picture_reading import PictureReading

SHOW_ALL = "Show whole document"
USE_AS_BACKGROUND = "Use as background"
STILL_READING = "{name} is still being read"
SUMMARIZE_ALL = "Summarize document"
REMOVE_ALL = "Remove all"
STILL_LISTENING = "{name} is still being listened to"


MOST_TAKEN_OUT = 200
"""Most removed attachments kept for undo: as many as can be attached at once."""


class ChatAttachments(QObject):
    """Documents of the visible draft, and those being read for other drafts.

    `is_free` returns whether the model can be asked now, `model` the loaded one, `planned` a new chat as it will be
    stored.
    """

    changed = Signal()
    """The attachments changed, or whether they can be sent."""
    opened = Signal(int, object)
    """A document should be opened from its beginning: its id, and None."""
    renewed = Signal(object, int, int)
    """A temporary chat's document was replaced after more was read: its service, old id and new id."""
    model_wanted = Signal()
    """A model is needed to tell whether a document fits."""
    summarize_wanted = Signal(int)
    """A document should be summarized instead of asked about; carries its id."""
    translate_wanted = Signal(object)
    """A document should be translated instead; carries its path."""
    text_wanted = Signal(object)
    """A `DraftDocument` should become text of the message instead."""
    models_wanted = Signal()
    """There are pictures, and the model cannot see them: open the models tab."""
    picture_opened = Signal(object, int)
    """Pictures should be shown large: their `MediaUse`, and the index of the first."""

    def __init__(
        self,
        row: AttachmentRow,
        *,
        theme: Theme,
        notify: Notify,
        model: Callable[[], ModelLoaded | None],
        is_free: Callable[[], bool],
        planned: Callable[[], Conversation | None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._row, self._notify, self._window = row, notify, parent
        self._model = model
        self._talk: AnswerService | None = None
        self.draft_of: int | None = None
        """Chat id of the visible draft; None for that of a new chat."""
        self._taken_out: list[DraftDocument] = []
        """Removed documents that undo can restore."""
        self._intake = Intake(_read, theme, notify, parent)
        self._intake.refused.connect(self.remove)
        self._intake.moved.connect(
            lambda draft_document: row.show_progress(draft_document) if draft_document in self.shown else None
        )
        self._intake.read.connect(self._on_read)
        self._intake.failed.connect(self._on_failed)
        self._intake.replaced.connect(self._on_replaced)
        self._intake.changed.connect(self._show)
        self.left_out = self._intake.left_out
        """Signal: some files were not accepted, which the user was told."""
        self.take = self._intake.add_wanted
        """Attaches a `DraftDocument` without asking whether it is wanted."""
        self.unread = Unread(self._intake, model)
        self._questions = self._intake.questions
        self._questions.files_chosen.connect(self.add)
        self.pictures = DraftPictures(theme, notify, model, lambda: is_free() and not self.fitting.is_asking, parent)
        """Pictures of the draft."""
        self.pictures.changed.connect(self._show)
        row.not_seen.models_wanted.connect(self.models_wanted)
        row.not_seen.instead_wanted.connect(
            lambda: self.read_pictures(
                [draft_picture.use for draft_picture in self.pictures.unseen if draft_picture.use is not None]
            )
        )
        self.scans = DraftScans(row.scans, self)
        """OCR of the draft's picture pages."""
        self.scans.changed.connect(self._show)
        self.scans.renewed.connect(self.take_over)
        self.scans.passed.connect(self.renewed)
        row.scans.opened.connect(self.opened)
        row.not_heard.models_wanted.connect(row.scans.models_wanted)
        self.ask = self._questions.ask_for_files
        """Opens the file dialog."""
        self.ask_for_folder = self._questions.ask_for_folder
        self.fitting = DraftFitting(model, is_free, planned, self)
        self.fitting.ended.connect(self._show)
        row.remove_wanted.connect(self.remove)
        row.detail_wanted.connect(self.pictures.choose_detail)
        self._picture_menu = offers_of(self.pictures, self._on_opened, self._read_text)
        row.opened.connect(self._on_opened)
        row.menu_wanted.connect(self._on_menu_wanted)
        self._menu = self._offers()

    def _offers(self) -> list[FileAction]:
        """Return the actions for a document, and give the notice about long documents those that apply to it."""

        def is_alone_too_long(draft_document: DraftDocument) -> bool:
            return [other for other in self.shown if other.is_too_long] == [draft_document]

        as_whole, as_background = partial(self._choose, is_background=False), partial(self._choose, is_background=True)
        summarize = partial(self._hand_over, is_translated=False)
        translate = partial(self._hand_over, is_translated=True)
        whole = FileAction(tr(SHOW_ALL), as_whole, lambda draft_document: draft_document.can_be_whole)
        pages = FileAction(
            tr(CHOOSE_PAGES), self._questions.ask_for_pages, lambda draft_document: draft_document.has_pages_to_choose
        )
        self._row.too_long.offers = [
            FileAction(tr(SUMMARIZE_ALL), summarize, lambda draft_document: not draft_document.talk.is_temporary),
            replace(
                whole, serves=lambda draft_document: draft_document.can_be_whole and is_alone_too_long(draft_document)
            ),
            replace(
                pages,
                serves=lambda draft_document: draft_document.has_pages_to_choose and is_alone_too_long(draft_document),
            ),
        ]
        # What a temporary chat has is kept nowhere else, so the other tabs are not offered there.
        return [
            FileAction(tr(OPEN), self._on_opened),
            whole,
            FileAction(
                tr(USE_AS_BACKGROUND),
                as_background,
                lambda draft_document: draft_document.use is not DocumentUse.BACKGROUND,
            ),
            pages,
            FileAction(tr(SUMMARIZE), summarize, lambda draft_document: not draft_document.talk.is_temporary),
            FileAction(
                tr(TRANSLATE),
                translate,
                lambda draft_document: not draft_document.talk.is_temporary and not draft_document.is_pasted,
            ),
            FileAction(tr(PUT_INTO_MESSAGE), self.text_wanted.emit, lambda draft_document: draft_document.is_short),
            FileAction(tr(REMOVE), self.remove),
            FileAction(tr(REMOVE_ALL), lambda _one: self._remove(self.shown), lambda _one: len(self.shown) > 1),
        ]

    @property
    def shown(self) -> list[DraftDocument]:
        return [file for file in self._intake.files if file.is_in(self._talk, self.draft_of)]

    @property
    def parts(self) -> list[DraftDocument | DraftPicture]:
        """All attachments of the visible draft, pictures first."""
        return [*self.pictures.shown, *self.shown]

    @property
    def key(self) -> tuple[object, ...]:
        documents = tuple(
            (draft_document.document.id, draft_document.use)
            for draft_document in self.shown
            if draft_document.document is not None
        )
        return (*documents, *self.pictures.key)

    def reason_to_wait(self) -> str:
        """Return why the message cannot be sent yet, or "" if it can."""
        name = self.waits_for
        if is_recording(name):
            return tr(STILL_LISTENING, name=name)
        return tr(STILL_READING, name=name) if name else ""

    @property
    def waits_for(self) -> str:
        """Name of the first attachment that is still being read or expected; "" if all are ready."""
        # Its place is known, but nothing can be said of it before it was looked at on the disk.
        awaited = [part for part in self.parts if part.is_on_its_way or self.scans.is_reading(part)]
        awaited += [file for file in self._intake.looked_at if file.is_in(self._talk, self.draft_of)]
        return short_name(awaited[0].name) if awaited else ""

    # User actions.

    def add(self, files: Sequence[str | Path], *, are_read: bool = False) -> None:
        """Attach files, and the files in folders, which are scanned on a thread.

        Files with a picture's suffix become pictures, unless `are_read` wants their text.
        """
        if self._talk is None:
            return
        paths = [Path(file) for file in files]
        pictures = [path for path in paths if is_picture(path) and not are_read]
        self.pictures.add(pictures)
        documents = [path for path in paths if path not in pictures]
        self._intake.add(documents, partial(DraftDocument, talk=self._talk, conversation_id=self.draft_of))

    def expect(self, name: str) -> DraftDocument | None:
        """Reserve a place in the visible draft for a file being created, such as a recording; the message
        waits for it.
        """
        if self._talk is None:
            return None
        draft_document = DraftDocument(Path(name), talk=self._talk, conversation_id=self.draft_of)
        self._intake.looked_at.append(draft_document)
        self._show()
        return draft_document

    def complete_expected(self, draft_document: DraftDocument, path: Path | None) -> None:
        """Attach an expected file once it exists; None means it will not come."""
        # The temporary chat that it was for has been left, and nothing of it stays.
        if path is None or (draft_document.talk.is_temporary and draft_document.talk is not self._talk):
            self._intake.leave_out(draft_document)
            return
        self._intake.looked_at.remove(draft_document)
        self._intake.add_wanted(
            DraftDocument(path, talk=draft_document.talk, conversation_id=draft_document.conversation_id)
        )

    def remove(self, attachment: DraftDocument | DraftPicture, *, is_told: bool = True) -> None:
        """Remove an attachment from the draft or stop reading it."""
        if isinstance(attachment, DraftPicture):
            self.pictures.remove([attachment])
        elif attachment in self._intake.files:
            self._remove([attachment], is_told=is_told)

    def _remove(self, gone: Sequence[DraftDocument], *, is_told: bool = True) -> None:
        # Asked before the chips go, which pass the focus on.
        focus = self._window.focusWidget()
        had_focus = focus is not None and self._row.isAncestorOf(focus)
        for draft_document in gone:
            self._intake.drop(draft_document)
            with self._notify.guard():
                draft_document.detach()
            self.scans.stop(draft_document)
        attached = [draft_document for draft_document in gone if draft_document.attachment is not None]
        if attached and is_told:
            told = tr("Removed {name}.", name=short_name(attached[0].name))
            if len(attached) > 1:
                told = tr("Removed {count} documents.", count=len(attached))
            # Undo puts them into this draft, or after it was sent into the chat's next one.
            self._taken_out = [*self._taken_out, *attached][-MOST_TAKEN_OUT:]
            self._notify.undo(told, lambda: self._put_back(attached))
        self.refit()
        if had_focus:
            chips = self._row.chips
            (chips[-1] if chips else self._window).setFocus()

    def _put_back(self, gone: Sequence[DraftDocument]) -> None:
        """Restore removed documents to their places in the draft they were in."""
        with self._notify.guard():
            for draft_document in gone:
                if draft_document.attachment is not None:
                    draft_document.talk.documents.attachments.put_back(draft_document.attachment)
        if self._talk is not None:
            self.show(self._talk, self.draft_of)

    def _choose(self, draft_document: DraftDocument, *, is_background: bool) -> None:
        """Set whether a document is searched for passages or shown whole, if necessary at the expense of others."""
        self.fitting.choose(draft_document, is_background=is_background)
        self.refit()

    def _hand_over(self, draft_document: DraftDocument, *, is_translated: bool) -> None:
        """Move a document to the translation or summary tab; the rest of the draft stays."""
        if draft_document.document is not None:
            if is_translated:
                self.translate_wanted.emit(draft_document.path)
            else:
                self.summarize_wanted.emit(draft_document.document.id)
            self.remove(draft_document, is_told=False)

    def recount(self) -> None:
        """Count again what is unknown and request a sleeping model, because the user is typing."""
        if (
            any(draft_document.document is not None and draft_document.fit is None for draft_document in self.shown)
            and not self.fitting.is_counting
        ):
            self.refit()
            if self._model() is None:
                self.model_wanted.emit()

    # Which draft.

    def show(self, talk: AnswerService, conversation_id: int | None) -> None:
        """Show the attachments of a draft; reading for other drafts continues."""
        # A temporary chat that was left: nobody waits for what is being read for it.
        if self._talk is not talk and self._talk is not None and self._talk.is_temporary:
            for draft_document in [file for file in self._intake.files if file.talk is self._talk]:
                self._intake.drop(draft_document)
        if self._talk is not talk:
            self.scans.follow_chat(talk)
        self._talk, self.draft_of = talk, conversation_id
        self.pictures.show(talk, conversation_id)
        attached: list[DraftDocument] = []
        with self._notify.guard():
            for attachment in talk.documents.attachments.in_draft(conversation_id):
                document = talk.documents.store.get(attachment.document_id)
                if document is not None:
                    attached.append(DraftDocument.restored(document, attachment, talk, conversation_id))
                    self.fitting.recall(attached[-1])
        # What is still being read stays, for whichever draft it is.
        unread = [file for file in self._intake.files if file.is_on_its_way or file.is_unheard]
        self._intake.files = [*attached, *unread]
        self.refit()

    def sent(self, conversation_id: int) -> None:
        """Clear the draft after it was sent. Documents restored by undo belong to this chat's next draft."""
        for draft_document in [
            draft_document for draft_document in self._taken_out if draft_document.is_in(self._talk, self.draft_of)
        ]:
            draft_document.conversation_id = conversation_id
            if draft_document.attachment is not None:
                draft_document.attachment = replace(draft_document.attachment, conversation_id=conversation_id)
        self._intake.files = [file for file in self._intake.files if file not in self.shown]
        self.draft_of = conversation_id
        self.pictures.sent(conversation_id)
        self.refit()

    def refit(self) -> None:
        """Check again what fits, because the model, its availability or the documents changed.

        Also transcribes recordings that waited for a model with audio.
        """
        if self._talk is not None:
            self.fitting.count_documents(self._talk, self.draft_of, self.shown)
            self.pictures.refresh_counts()
        self.unread.transcribe_waiting(self.shown)
        self._show()

    # Reading.

    def _on_read(self, draft_document: DraftDocument) -> None:
        document = draft_document.document
        assert document is not None
        try:
            draft_document.attachment = draft_document.talk.documents.attachments.add_to_draft(
                draft_document.conversation_id, document.id
            )
        except AppError as error:
            self._notify.error(error)
            self._intake.drop(draft_document)
        else:
            said = (draft_document.name, spoken_size(document), tr("attached"))
            announce(self._window, ", ".join(part for part in said if part))
            # Only the model can tell whether it fits.
            if self._model() is None and draft_document in self.shown:
                self.model_wanted.emit()
            self.scans.begin(draft_document)
        self.refit()

    def take_over(self, earlier_id: int, document_id: int, is_temporary: bool) -> None:
        """Replace a document after more of it was read; it keeps its place and is counted again."""
        for file in self._intake.files:
            is_known = file.talk.is_temporary == is_temporary and file.document is not None
            if is_known and file.document is not None and file.document.id == earlier_id:
                # It may have been deleted meanwhile.
                file.document = file.talk.documents.store.get(document_id) or file.document
                file.fit = None
                if file.attachment is not None:
                    # Passages are numbers of blocks, which are counted anew in the new document.
                    file.attachment = replace(file.attachment, document_id=document_id, passages=())
        self.refit()

    def _on_failed(self, draft_document: DraftDocument) -> None:
        """Handle a failed document: return a pasted text to the message, or let a recording wait for a model."""
        if self.unread.waits(draft_document):
            if self._model() is None:
                self.model_wanted.emit()
            return
        announce(self._window, draft_document.error)
        if draft_document.text:
            self._intake.explain(draft_document)
            self.text_wanted.emit(draft_document)

    def _on_replaced(self, draft_document: DraftDocument) -> None:
        with self._notify.guard():
            draft_document.detach()
        self.refit()

    def read_pictures(self, uses: Sequence[MediaUse]) -> None:
        """Attach the text of pictures as documents; the pictures stay where they are."""
        talk, known = self._talk, self._read_pictures
        for use in uses if talk is not None else ():
            if use.media.sha256 not in known:
                assert talk is not None
                path = talk.media.original_path(use.media)
                self._intake.add_wanted(DraftDocument(path, talk=talk, conversation_id=self.draft_of, called=use.name))

    @property
    def _read_pictures(self) -> set[str]:
        """SHA-256 hashes of the pictures whose text is in the draft or will be."""
        documents = [draft_document.document for draft_document in self.shown if draft_document.document is not None]
        return {
            *(document.path.name for document in self.shown if document.called),
            *(stored_document.sha256 for stored_document in documents),
        }

    def _read_text(self, draft_picture: DraftPicture) -> None:
        """Replace a picture by a document with the text read from it."""
        self.pictures.remove([draft_picture])
        self.add([draft_picture.path], are_read=True)

    def _on_opened(self, attachment: DraftDocument | DraftPicture) -> None:
        if isinstance(attachment, DraftPicture):
            there = [draft_picture for draft_picture in self.pictures.shown if draft_picture.use is not None]
            if attachment in there:
                self.picture_opened.emit([picture.use for picture in there], there.index(attachment))
            elif attachment.error:
                self._notify.show_notice(PersonMessage(attachment.error))
        elif attachment.document is not None:
            self.opened.emit(attachment.document.id, None)
        elif attachment.error:
            self._intake.explain(attachment)

    def _on_menu_wanted(self, attachment: DraftDocument | DraftPicture, at: QPoint) -> None:
        if isinstance(attachment, DraftPicture):
            self.pictures.show_menu(attachment, at, self._picture_menu)
        elif attachment.document is not None:
            self._questions.show_menu(attachment, at, self._menu)
        elif attachment.stage is Stage.FAILED and not attachment.text:
            offers = [FileAction(tr(TRY_AGAIN), self._intake.again), FileAction(tr(REMOVE), self.remove)]
            self._questions.show_menu(attachment, at, offers)

    def _show(self) -> None:
        self._row.show_parts(self.parts)
        unread = [draft_picture for draft_picture in self.pictures.unseen if draft_picture.use is not None]
        unread = [picture for picture in unread if picture.use and picture.use.media.sha256 not in self._read_pictures]
        self._row.not_seen.instead.setVisible(bool(unread) and can_read_text())
        self._row.not_seen.setVisible(self.pictures.are_unseen)
        self._row.not_heard.setVisible(any(draft_document.is_unheard for draft_document in self.shown))
        self.changed.emit()


def _read(draft_document: DraftDocument, cancel: CancelToken) -> Iterator[ReadEvent]:
    # A generator, so that the text is stored on the thread that reads this.
    if draft_document.text:
        return (
            DocumentStored(draft_document.talk.documents.keep_text(text, draft_document.name))
            for text in (draft_document.text,)
        )
    return draft_document.talk.documents.read_file(
        draft_document.path,
        cancel,
        password=draft_document.password,
        part=draft_document.part,
        name=draft_document.called,
    )


class DraftScans(QObject):
    """OCR for the drafts' documents, of stored chats and of a temporary one.

    `line` shows the progress for the visible draft.
    """

    changed = Signal()
    renewed = Signal(int, int, bool)
    """A document was replaced after more was read: old id, new id, and True for a temporary chat's."""
    passed = Signal(object, int, int)
    """A temporary chat's document was replaced: its service, old id and new id."""

    def __init__(self, line: PicturesLine, parent: QObject) -> None:
        super().__init__(parent)
        self._line = line
        self._kept: PictureReading | None = None
        self._passing: PictureReading | None = None
        """OCR of the visible temporary chat; None without one."""

    def watch(self, pictures: PictureReading, open_models: Callable[[], object]) -> None:
        """Connect the OCR for stored chats; `open_models` is called where no model can read pictures."""
        self._kept = pictures
        self._line.watch(pictures)
        self._line.models_wanted.connect(open_models)
        pictures.changed.connect(self.changed)
        pictures.renewed.connect(lambda earlier, document: self.renewed.emit(earlier, document, False))

    def follow_chat(self, talk: AnswerService) -> None:
        """Switch to the OCR of the visible chat, ending that of a temporary chat that was left."""
        if self._passing is not None:
            self._passing.end()
            self._passing = None
        if self._kept is None:
            return
        if talk.is_temporary:
            passing, documents = self._kept.of_temporary(talk), talk.documents
            self._passing = passing
            passing.changed.connect(self.changed)
            passing.renewed.connect(lambda earlier, document: self.renewed.emit(earlier, document, True))
            passing.renewed.connect(lambda earlier, document: self.passed.emit(documents, earlier, document))
        self._line.watch(self._passing or self._kept)

    def begin(self, draft_document: DraftDocument) -> None:
        """Read what the settings allow without asking, or a picture whose text was requested."""
        scans = self._reading_of(draft_document)
        if scans is not None and draft_document.document is not None:
            scans.begin_by_itself(draft_document.document, is_asked_for=bool(draft_document.called))

    def is_reading(self, attachment: DraftDocument | DraftPicture) -> bool:
        """Return whether picture pages of the attachment are being read."""
        if not isinstance(attachment, DraftDocument) or attachment.document is None:
            return False
        scans = self._reading_of(attachment)
        return scans is not None and scans.is_reading(attachment.document)

    def stop(self, draft_document: DraftDocument) -> None:
        scans = self._reading_of(draft_document)
        if scans is not None and draft_document.document is not None and self.is_reading(draft_document):
            scans.stop(draft_document.document)

    def _reading_of(self, draft_document: DraftDocument) -> PictureReading | None:
        return self._passing if draft_document.talk.is_temporary else self._kept


# How the draft's documents fit into the context: counted on a thread, in order.

AGAIN_MS = 150


@dataclass(frozen=True)
class AttachmentDraft:
    """Input of a count. `chosen` are ids of attachments to be searched for passages; `first_id` goes first."""

    talk: AnswerService
    conversation_id: int | None
    planned: Conversation | None
    attachments: tuple[Attachment, ...]
    chosen: frozenset[int] = frozenset()
    first_id: int = 0


class DraftFitting(QObject):
    """Counts how a draft's documents fit, one count at a time; a new one replaces it and starts once the model is free.

    `model` returns the loaded model, `is_free` whether it can be asked now, `planned` as in `ChatAttachments`.
    """

    ended = Signal()
    """A count ended; its results are in the documents."""

    def __init__(
        self,
        model: Callable[[], Any],
        is_free: Callable[[], bool],
        planned: Callable[[], Conversation | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._model, self._is_free, self._planned = model, is_free, planned
        self._counted_for: object = None
        self._chosen: set[tuple[object, int]] = set()
        """Attachments that the user wants searched for passages."""
        self._first: DraftDocument | None = None
        """Document that is shown whole in preference to the others."""
        self._documents: Sequence[DraftDocument] = ()
        self._draft: AttachmentDraft | None = None
        self._task: tasks.BackgroundTask | None = None
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._begin)

    @property
    def is_counting(self) -> bool:
        """True while a count is running or waiting."""
        return self._task is not None or self._draft is not None

    @property
    def is_asking(self) -> bool:
        """True while a count uses the model's tokenizer."""
        return self._task is not None

    def choose(self, draft_document: DraftDocument, *, is_background: bool) -> None:
        """Set whether a document is searched for passages, or shown whole before the others."""
        draft_document.is_background_chosen = is_background
        if draft_document.attachment is not None:
            key = (draft_document.talk.documents, draft_document.attachment.id)
            (self._chosen.add if is_background else self._chosen.discard)(key)
        if not is_background:
            self._first = draft_document

    def recall(self, draft_document: DraftDocument) -> None:
        assert draft_document.attachment is not None
        draft_document.is_background_chosen = (
            draft_document.talk.documents,
            draft_document.attachment.id,
        ) in self._chosen

    def count_documents(
        self, talk: AnswerService, conversation_id: int | None, documents: Sequence[DraftDocument]
    ) -> None:
        """Count how the documents fit the loaded model, as soon as it can be asked."""
        model = self._model()
        key = (model.path, model.context_tokens) if model is not None else None
        # Another model or another context: nothing that was counted holds.
        if key is not None and key != self._counted_for:
            self._counted_for = key
            for document in documents:
                document.fit = None
        self._documents, self._draft = documents, None
        attached = {document.attachment.id: document for document in documents if document.attachment is not None}
        if model is not None and attached:
            attachments = tuple(
                draft_document.attachment
                for draft_document in attached.values()
                if draft_document.attachment is not None
            )
            chosen = frozenset(
                number for number, draft_document in attached.items() if draft_document.is_background_chosen
            )
            first = next((number for number, draft_document in attached.items() if draft_document is self._first), 0)
            self._draft = AttachmentDraft(talk, conversation_id, self._planned(), attachments, chosen, first)
        if self._task is not None:
            # The next count begins when this one has ended.
            self._task.cancel()
        else:
            self._begin()

    def _begin(self) -> None:
        draft = self._draft
        if draft is None or self._task is not None:
            return
        if not self._is_free():
            # The tokenizer is the model's, which an answer or another count is using.
            self._again.start()
            return
        self._draft = None
        task = self._task = tasks.run(lambda token: fits_of(draft, token), self)
        task.event.connect(self._on_fitted)
        task.finished.connect(self._on_end)
        task.failed.connect(self._on_end)

    def _on_fitted(self, fitted: tuple[Attachment, DocumentFit]) -> None:
        # A count that is replaced tells nothing any more.
        for document in self._documents if self._draft is None else ():
            if document.attachment is not None and document.attachment.id == fitted[0].id:
                document.attachment, document.fit = fitted

    def _on_end(self, error: BaseException | None = None) -> None:
        """Start the count that waits, or announce the end."""
        self._task = None
        if self._draft is not None:
            self._begin()
            return
        self.ended.emit()
        # Nobody asked for the count, so an expected error shows no notice; a defect goes to the hook for those.
        if error is not None and not isinstance(error, AppError):
            raise error


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
