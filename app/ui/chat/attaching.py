"""Attachments of the draft: shown as chips with their menus and questions, and what a person does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.core.catalogue import CountedTexts
from app.core.events import ModelLoaded
from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.message_draft import DraftDocument, DraftPart, DraftPicture
from app.features.chat.session import ChatSession
from app.features.chat.session_parts import MOST_PICTURES
from app.features.error_messages import message_of_words
from app.features.files_to_read import Stage, is_recording
from app.features.media import UnsavedPicture
from app.store.attachments import DocumentUse
from app.ui.chat.attachment_row import AttachmentRow, PartActions
from app.ui.chat.draft_pictures import choose_detail, size_words
from app.ui.document.document_details import short_name, spoken_size
from app.ui.document.document_files import DocumentQuestions, FileAction, offers_menu
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.shared_labels import CHOOSE_PAGES, OPEN, PUT_INTO_MESSAGE, REMOVE, SUMMARIZE, TRANSLATE, TRY_AGAIN
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.labels import announce
from app.ui.work.intake import report_left_out
from app.ui.work.picture_reading import PicturesLine, can_read_text

if TYPE_CHECKING:
    from app.features.chat.message_draft import ChatPlace
    from app.store.media_store import MediaUse
    from app.ui.shell.picture_reading import PictureReading

DOCUMENTS_REMOVED: CountedTexts = ("Removed {count} document.", "Removed {count} documents.")
PICTURES_REMOVED: CountedTexts = ("Removed {count} picture.", "Removed {count} pictures.")
SHOW_ALL = "Show whole document"
USE_AS_BACKGROUND = "Use as background"
STILL_READING = "{name} is still being read"
SUMMARIZE_ALL = "Summarize document"
REMOVE_ALL = "Remove all"
STILL_LISTENING = "{name} is still being listened to"


class ChatAttachments(QObject):
    """Shows the attachments of the session's draft, and gives it what a person does with them.

    `model` returns the loaded model; `focus_message` gives the keyboard to the message.
    """

    changed = Signal()
    """The attachments changed, or whether they can be sent."""

    def __init__(
        self,
        session: ChatSession,
        row: AttachmentRow,
        *,
        theme: Theme,
        notify: Notify,
        model: Callable[[], ModelLoaded | None],
        focus_message: Callable[[], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._session, self._row, self._notify, self._window = session, row, notify, parent
        self._model = model
        self._seen: object = None
        """What was shown last of the state."""
        self._questions = questions = DocumentQuestions(theme, parent, session, add=self.add, remove=self.remove)
        self.ask = questions.ask_for_files
        """Opens the file dialog."""
        self.ask_for_folder = questions.ask_for_folder
        self.scans = DraftScans(row.scans, session, self)
        """OCR of the draft's picture pages."""
        row.not_seen.models_wanted.connect(lambda: session.send_request(m.FindVisionModel()))
        row.not_seen.instead_wanted.connect(
            lambda: self.read_pictures([part.use for part in self.pictures if part.is_unseen and part.use is not None])
        )
        row.scans.opened.connect(lambda number, mark: session.send_request(m.ShowDocument(number, mark)))
        row.not_heard.models_wanted.connect(row.scans.models_wanted)
        menus = AttachmentMenus(self, session, row, questions, focus_message=focus_message, window=parent)
        row.part_actions = PartActions(
            self.open_part,
            self.remove,
            menus.show_menu,
            lambda part, chip: choose_detail(session, part, chip, theme, parent),
        )
        session.serve(
            {
                m.WatchScans: self.scans.follow_chat,
                f.BeginScan: self.scans.begin,
                m.StopScans: self.scans.stop,
                f.ReportError: lambda effect: notify.error(effect.error),
                f.ReportLeftOut: lambda effect: report_left_out(notify, effect),
                f.ReportParts: self._report_parts,
            }
        )
        session.listen(self._on_state)

    @property
    def shown(self) -> list[DraftDocument]:
        return list(self._session.state.documents)

    @property
    def pictures(self) -> list[DraftPicture]:
        return list(self._session.state.pictures)

    @property
    def waits_for(self) -> str:
        """Name of the first attachment that is still being read or expected; "" if all are ready."""
        return short_name(self._session.state.waits_for)

    def reason_to_wait(self) -> str:
        """Return why the message cannot be sent yet, or "" if it can."""
        name = self.waits_for
        if is_recording(name):
            return tr(STILL_LISTENING, name=name)
        return tr(STILL_READING, name=name) if name else ""

    def add(self, files: Sequence[str | Path], *, are_read: bool = False) -> None:
        """Attach files, and the files in folders, which are scanned on a thread.

        Files with a picture's suffix become pictures, unless `are_read` wants their text.
        """
        self._session.dispatch(m.AttachFiles(tuple(Path(file) for file in files), are_read))

    def add_pictures(self, given: Sequence[Path | QImage], name: str = "") -> None:
        """Attach files as pictures, or pixels that are to be named `name`."""
        self._session.dispatch(m.AttachPictures(tuple(given), name))

    def add_drawn(self, picture: bytes | QImage, name: str) -> None:
        """Attach a picture that is not a file: its file contents as bytes, or its pixels."""
        given = UnsavedPicture(Path(name), picture) if isinstance(picture, bytes) else picture
        self._session.dispatch(m.AttachPictures((given,), name))

    def remove(self, part: DraftPart) -> None:
        """Remove an attachment from the draft or stop reading it."""
        self.remove_all([part])

    def remove_all(self, parts: Sequence[DraftPart], *, is_told: bool = True) -> None:
        """Remove attachments from the draft; undo can restore them."""
        # Asked before the chips go, which pass the focus on.
        focus = self._window.focusWidget()
        had_focus = focus is not None and self._row.isAncestorOf(focus)
        self._session.dispatch(m.RemoveParts(tuple(part.key for part in parts), is_told))
        if had_focus:
            chips = self._row.chips
            (chips[-1] if chips else self._window).setFocus()

    def refit(self) -> None:
        """Check again what fits, because the model or its availability changed.

        Also transcribes recordings that waited for a model with audio.
        """
        self._session.dispatch(f.ModelChanged(self._model()))
        self.changed.emit()

    def take_over(self, earlier_id: int, document_id: int, is_temporary: bool) -> None:
        """Replace a document after more of it was read; it keeps its place and is counted again."""
        self._session.dispatch(m.DocumentReplaced(earlier_id, document_id, is_temporary))

    def read_pictures(self, uses: Sequence[MediaUse]) -> None:
        """Attach the text of pictures as documents; the pictures stay where they are."""
        talk = self._session.state.place.talk
        for use in uses:
            if use.media.sha256 not in self._read_shas:
                self._session.dispatch(m.AttachFile(talk.media.original_path(use.media), called=use.name))

    @property
    def _read_shas(self) -> set[str]:
        """SHA-256 hashes of the pictures whose text is in the draft or will be."""
        documents = [part.document for part in self.shown if part.document is not None]
        return {*(part.path.name for part in self.shown if part.called), *(document.sha256 for document in documents)}

    def read_again(self, part: DraftDocument) -> None:
        self._session.dispatch(f.ReadAgain(part.key))

    def open_part(self, part: DraftPart) -> None:
        if isinstance(part, DraftPicture):
            there = [picture.use for picture in self.pictures if picture.use is not None]
            if part.use in there:
                self._session.send_request(m.ShowPictures(tuple(there), there.index(part.use)))
            elif part.error:
                self._notify.show_notice(message_of_words(part.error), is_error=True)
        elif part.document is not None:
            self._session.send_request(m.ShowDocument(part.document.id))
        elif part.error:
            self._notify.show_notice(message_of_words(part.error), is_error=True)

    def _on_state(self) -> None:
        state = self._session.state
        seen = (state.shown, state.awaited, state.scanned, state.is_counting, state.place)
        if seen == self._seen:
            return
        self._seen = seen
        self._row.show_parts(state.shown)
        unseen = [part for part in state.pictures if part.is_unseen]
        known = self._read_shas
        unread = [part for part in unseen if part.use is not None and part.use.media.sha256 not in known]
        self._row.not_seen.instead.setVisible(bool(unread) and can_read_text())
        self._row.not_seen.setVisible(bool(unseen))
        self._row.not_heard.setVisible(any(part.is_unheard for part in state.documents))
        self.changed.emit()

    def _report_parts(self, effect: f.ReportParts) -> None:
        parts, session = effect.parts, self._session
        if effect.kind is f.ReportKind.ATTACHED:
            announce(self._window, join_list((parts[0].name, _said_size(parts[0]), tr("attached"))))
        elif effect.kind is f.ReportKind.FAILED:
            announce(self._window, parts[0].error)
        elif effect.kind is f.ReportKind.EXPLAINED:
            self._notify.show_notice(message_of_words(parts[0].error), is_error=True)
        elif effect.kind is f.ReportKind.REMOVED:
            several = PICTURES_REMOVED if isinstance(parts[0], DraftPicture) else DOCUMENTS_REMOVED
            keys = tuple(part.key for part in parts)
            self._notify.undo(
                tr("Removed {name}.", name=short_name(parts[0].name)),
                lambda: session.dispatch(m.PutBackParts(keys)),
                several=several,
                count=len(keys),
            )
        else:
            told = tr_count(
                "You can attach up to {count} picture to a message. The others were left out.",
                "You can attach up to {count} pictures to a message. The others were left out.",
                MOST_PICTURES,
            )
            self._notify.show_notice(message_of_words(told))


class AttachmentMenus(QObject):
    """Offers what can be done with an attachment of the draft: in its menu, and in the notice about long documents."""

    def __init__(
        self,
        parts: ChatAttachments,
        session: ChatSession,
        row: AttachmentRow,
        questions: DocumentQuestions,
        *,
        focus_message: Callable[[], object],
        window: QWidget,
    ) -> None:
        super().__init__(parts)
        self._parts, self._session, self._row, self._questions = parts, session, row, questions
        self._focus_message, self._window = focus_message, window
        self._picture_menu = self._picture_offers()
        self._menu = self._offers()

    def _offers(self) -> list[FileAction]:
        """Return the actions for a document, and give the notice about long documents those that apply to it."""

        def is_alone_too_long(part: DraftDocument) -> bool:
            return [other.key for other in self._parts.shown if other.is_too_long] == [part.key]

        as_whole, as_background = partial(self._choose, is_background=False), partial(self._choose, is_background=True)
        summarize = partial(self._hand_over, is_translated=False)
        translate = partial(self._hand_over, is_translated=True)
        whole = FileAction(tr(SHOW_ALL), as_whole, lambda part: part.can_be_whole)
        pages = FileAction(tr(CHOOSE_PAGES), self._questions.ask_for_pages, lambda part: part.has_pages_to_choose)
        self._row.too_long.offers = [
            FileAction(tr(SUMMARIZE_ALL), summarize, _is_kept),
            replace(whole, serves=lambda part: part.can_be_whole and is_alone_too_long(part)),
            replace(pages, serves=lambda part: part.has_pages_to_choose and is_alone_too_long(part)),
        ]
        # What a temporary chat has is kept nowhere else, so the other tabs are not offered there.
        return [
            FileAction(tr(OPEN), self._parts.open_part),
            whole,
            FileAction(tr(USE_AS_BACKGROUND), as_background, lambda part: part.use is not DocumentUse.BACKGROUND),
            pages,
            FileAction(tr(SUMMARIZE), summarize, _is_kept),
            FileAction(tr(TRANSLATE), translate, lambda part: _is_kept(part) and not part.is_pasted),
            FileAction(tr(PUT_INTO_MESSAGE), self._put_into_message, lambda part: part.is_short),
            FileAction(tr(REMOVE), self._parts.remove),
            FileAction(
                tr(REMOVE_ALL),
                lambda _one: self._parts.remove_all(self._parts.shown),
                lambda _one: len(self._parts.shown) > 1,
            ),
        ]

    def _picture_offers(self) -> list[FileAction]:
        return [
            FileAction(tr(OPEN), self._parts.open_part, lambda part: part.use is not None),
            FileAction(
                tr("Read its text instead"),
                self._read_text,
                lambda part: part.given == part.path and part.path.is_file(),
            ),
            FileAction(tr(REMOVE), self._parts.remove),
            FileAction(
                tr("Remove all pictures"),
                lambda _one: self._parts.remove_all(self._parts.pictures),
                lambda _one: len(self._parts.pictures) > 1,
            ),
        ]

    def _read_text(self, picture: DraftPicture) -> None:
        """Replace a picture by a document with the text read from it."""
        self._parts.remove(picture)
        self._parts.add([picture.path], are_read=True)

    def _choose(self, part: DraftDocument, *, is_background: bool) -> None:
        """Set whether a document is searched for passages or shown whole, if necessary at the expense of others."""
        self._session.dispatch(m.ChooseUse(part.key, is_background))

    def _hand_over(self, part: DraftDocument, *, is_translated: bool) -> None:
        """Move a document to the translation or summary tab; the rest of the draft stays."""
        if part.document is not None:
            if is_translated:
                self._session.send_request(m.TranslateFile(part.path))
            else:
                self._session.send_request(m.SummarizeDocument(part.document.id))
            self._parts.remove_all([part], is_told=False)

    def _put_into_message(self, part: DraftDocument) -> None:
        self._session.dispatch(m.PutIntoMessage(part.key))
        self._focus_message()

    def show_menu(self, part: DraftPart, at: QPoint) -> None:
        if isinstance(part, DraftPicture):
            offers_menu(part, self._picture_menu, self._window).popup(at)
        elif part.document is not None:
            self._questions.show_menu(part, at, self._menu)
        elif part.stage is Stage.FAILED and not part.text:
            offers = [FileAction(tr(TRY_AGAIN), self._parts.read_again), FileAction(tr(REMOVE), self._parts.remove)]
            self._questions.show_menu(part, at, offers)


def _is_kept(part: DraftDocument) -> bool:
    return not part.place.talk.is_temporary


def _said_size(part: DraftPart) -> str:
    if isinstance(part, DraftDocument):
        return spoken_size(part.document) if part.document is not None else ""
    return size_words(part.use) if part.use is not None else ""


class DraftScans(QObject):
    """OCR for the drafts' documents, of stored chats and of a temporary one.

    `line` shows the progress for the visible draft.
    """

    passed = Signal(object, int, int)
    """A temporary chat's document was replaced after more was read: its service, old id and new id."""

    def __init__(self, line: PicturesLine, session: ChatSession, parent: QObject) -> None:
        super().__init__(parent)
        self._line, self._session = line, session
        self._kept: PictureReading | None = None
        self._passing: PictureReading | None = None
        """OCR of the visible temporary chat; None without one."""
        self._place: ChatPlace | None = None

    def watch(self, pictures: PictureReading, open_models: Callable[[], object]) -> None:
        """Connect the OCR for stored chats; `open_models` is called where no model can read pictures."""
        self._kept = pictures
        self._line.watch(pictures)
        self._line.models_wanted.connect(open_models)
        self._connect(pictures, is_temporary=False)

    def _connect(self, pictures: PictureReading, *, is_temporary: bool) -> None:
        pictures.changed.connect(self._on_changed)
        replaced = partial(m.DocumentReplaced, is_temporary=is_temporary)
        pictures.renewed.connect(lambda earlier, document: self._session.dispatch(replaced(earlier, document)))

    def follow_chat(self, effect: m.WatchScans) -> None:
        """Switch to the OCR of the visible chat, ending that of a temporary chat that was left."""
        talk = effect.place.talk
        if self._place is None or self._place.talk is not talk:
            if self._passing is not None:
                self._passing.end()
                self._passing = None
            if self._kept is not None and talk.is_temporary:
                passing, documents = self._kept.of_temporary(talk), talk.documents
                self._passing = passing
                self._connect(passing, is_temporary=True)
                passing.renewed.connect(lambda earlier, document: self.passed.emit(documents, earlier, document))
            if self._kept is not None:
                self._line.watch(self._passing or self._kept)
        self._place = effect.place
        self._on_changed()

    def begin(self, effect: f.BeginScan) -> None:
        """Read what the settings allow without asking, or a picture whose text was requested."""
        scans, document = self._reading_of(effect.part), effect.part.document
        if scans is not None and document is not None:
            scans.begin_by_itself(document, is_asked_for=bool(effect.part.called))
            self._on_changed()
        self._session.dispatch(m.ScanDecided(effect.part.key))

    def stop(self, effect: m.StopScans) -> None:
        for part in effect.parts:
            if (scans := self._reading_of(part)) is not None and part.document is not None:
                scans.stop(part.document)

    def _on_changed(self) -> None:
        documents = [part for part in self._session.state.parts if isinstance(part, DraftDocument)]
        scanned = frozenset(
            (part.place.talk.is_temporary, part.document.id)
            for part in documents
            if part.document is not None
            if (scans := self._reading_of(part)) is not None and scans.is_reading(part.document)
        )
        self._session.dispatch(f.ScansChanged(scanned))

    def _reading_of(self, part: DraftDocument) -> PictureReading | None:
        return self._passing if part.place.talk.is_temporary else self._kept
