"""Documents beside what is being written: taken, read, looked at for whether they fit, and sent with the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.documents import ReadEvent
from app.store.conversations import Attachment, Use
from app.store.documents import StoredDocument
from app.ui.chat.attachment_row import AttachmentRow
from app.ui.chat.draft_document import DraftDocument
from app.ui.chat.fitting import Draft, Fitted, Fitting
from app.ui.document.files import (
    Offer,
    Stage,
    part_of,
    short_name,
    spoken_size,
)
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.work.intake import Intake

if TYPE_CHECKING:
    from app.features.chat.answers import Chat


class Attaching(QObject):
    """Knows the documents of every draft that is being read, and all those of the draft that is shown.

    `is_free` says whether the model can be asked now, `model` what is loaded, `system` the chat's system prompt.
    """

    changed = Signal()
    """What is attached, or whether it can be sent, is another."""
    opened = Signal(int, object)
    """A document's id, and None: it is to be shown from its beginning."""
    model_wanted = Signal()
    """Whether a document fits cannot be said without a model."""
    summarize_wanted = Signal(int)
    translate_wanted = Signal(object)
    """The path of a document that is to be translated instead."""
    """A document's id: it is to be summarized instead of asked about."""

    def __init__(
        self,
        row: AttachmentRow,
        *,
        theme: Theme,
        notify: Notify,
        model: Callable[[], object],
        is_free: Callable[[], bool],
        system: Callable[[], str],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._row, self._notify, self._window = row, notify, parent
        self._model, self._system = model, system
        self._talk: Chat | None = None
        self._conversation_id: int | None = None
        self._counted_for: object = None
        self._chosen: set[tuple[object, int]] = set()
        """Attachments that are background because the person wants it."""
        self._first: DraftDocument | None = None
        """The document whose whole text goes before that of the others."""
        self._tokens: dict[tuple[object, int], int] = {}
        self._intake = Intake(_read, theme, notify, parent)
        self._intake.refused.connect(self.remove)
        self._intake.moved.connect(self._on_moved)
        self._intake.read.connect(self._on_read)
        self._intake.failed.connect(lambda one: self._say(one.error))
        self._intake.replaced.connect(self._on_replaced)
        self._intake.changed.connect(self._show)
        self._questions = self._intake.questions
        self._questions.files_chosen.connect(self.add)
        self.fitting = Fitting(is_free, self)
        self.fitting.fitted.connect(self._on_fitted)
        self.fitting.ended.connect(self._show)
        self.fitting.failed.connect(self._on_fitting_failed)
        row.remove_wanted.connect(self.remove)
        row.opened.connect(self._on_opened)
        row.menu_wanted.connect(self._on_menu_wanted)
        whole = Offer(tr("Show all of it"), self.show_whole, lambda one: one.can_be_whole)
        pages = Offer(tr("Choose pages…"), self._questions.ask_for_pages, lambda one: one.has_pages_to_choose)
        row.too_long.offers = [
            Offer(tr("Summarize all of it"), self.summarize, lambda one: not one.talk.is_temporary),
            replace(whole, serves=lambda one: one.can_be_whole and self._is_alone_too_long(one)),
            replace(pages, serves=lambda one: one.has_pages_to_choose and self._is_alone_too_long(one)),
        ]
        self._menu = [
            Offer(tr("Open"), self._on_opened),
            whole,
            Offer(tr("Use as background"), self.use_as_background, lambda one: one.use is not Use.BACKGROUND),
            pages,
            Offer(tr("Summarize"), self.summarize, lambda one: not one.talk.is_temporary),
            Offer(tr("Translate"), self.translate, lambda one: not one.talk.is_temporary),
            Offer(tr("Remove"), self.remove),
        ]

    @property
    def _all(self) -> list[DraftDocument]:
        return self._intake.files

    @property
    def shown(self) -> list[DraftDocument]:
        """The documents of the draft that is shown."""
        return [one for one in self._all if self._talk is not None and one.is_in(self._talk, self._conversation_id)]

    @property
    def draft_of(self) -> int | None:
        """Whose draft that is: a conversation's id, or None for a new chat."""
        return self._conversation_id

    @property
    def key(self) -> tuple[tuple[int, Use], ...]:
        """What the model would be shown of them."""
        return tuple((one.document.id, one.use) for one in self.shown if one.document is not None)

    def tokens_of(self, talk: Chat, document_id: int) -> int | None:
        """How long a document is for the loaded model, where that was counted."""
        return self._tokens.get((talk.documents, document_id))

    def hold(self) -> str:
        """What a message waits for before it goes; "" when it can go now."""
        return tr("{name} is still being read", name=self.waits_for) if self.waits_for else ""

    @property
    def waits_for(self) -> str:
        """The first document that is still being read, by name; "" when all are there."""
        return next((short_name(one.name) for one in self.shown if one.is_on_its_way), "")

    # What the person does.

    def ask(self) -> None:
        """Asks for files."""
        self._questions.ask_for_files()

    def add(self, files: Sequence[str | Path]) -> None:
        """Takes files and folders; folders are looked into on a thread."""
        if self._talk is None or not files:
            return
        self._intake.add(files, partial(DraftDocument, talk=self._talk, conversation_id=self._conversation_id))

    def remove(self, one: DraftDocument) -> None:
        """Takes a document out of the draft, or ends its reading."""
        if one not in self._all:
            return
        focus = self._window.focusWidget()
        had_focus = focus is not None and self._row.isAncestorOf(focus)
        self._intake.drop(one)
        if one.attachment is not None:
            self._store(lambda: one.talk.documents.attachments.remove(one.attachment.id))  # type: ignore[union-attr]
        self._say(tr("{name} removed", name=one.name))
        self._count()
        if had_focus:
            self._focus_row()

    def use_as_background(self, one: DraftDocument) -> None:
        """Passages of it are shown for each question, however well it fits."""
        one.is_background_chosen = True
        if one.attachment is not None:
            self._chosen.add((one.talk.documents, one.attachment.id))
        self._count()

    def show_whole(self, one: DraftDocument) -> None:
        """All of it is shown, if need be in place of other documents."""
        one.is_background_chosen = False
        if one.attachment is not None:
            self._chosen.discard((one.talk.documents, one.attachment.id))
        self._first = one
        self._count()

    def _is_alone_too_long(self, one: DraftDocument) -> bool:
        return [other for other in self.shown if other.is_too_long] == [one]

    def summarize(self, one: DraftDocument) -> None:
        """It goes over to the summaries; the rest of the draft stays. Of a temporary chat nothing is kept elsewhere."""
        if one.document is not None:
            self.summarize_wanted.emit(one.document.id)
            self.remove(one)

    def translate(self, one: DraftDocument) -> None:
        """It goes over to the translations, as `summarize` has it to the summaries."""
        if one.document is not None:
            self.translate_wanted.emit(one.path)
            self.remove(one)

    def nudge(self) -> None:
        """Somebody writes: what is not known yet is looked at again, and a sleeping model is asked for."""
        if any(one.document is not None and one.fit is None for one in self.shown) and not self.fitting.is_counting:
            self._count()
            if self._model() is None:
                self.model_wanted.emit()

    # Which draft.

    def show(self, talk: Chat, conversation_id: int | None) -> None:
        """Shows a draft; what is being read for another one goes on."""
        if self._talk is not talk and self._talk is not None and self._talk.is_temporary:
            for one in [one for one in self._all if one.talk is self._talk]:
                self._intake.drop(one)
        self._talk, self._conversation_id = talk, conversation_id
        on_their_way = [one for one in self._all if one.is_on_its_way]
        attached = [self._restored(one) for one in self._stored()]
        self._intake.files = [*(one for one in attached if one is not None), *on_their_way]
        self._count()

    def sent(self, conversation_id: int) -> None:
        """The draft went with a message; the next one is this conversation's."""
        self._intake.files = [one for one in self._all if one not in self.shown]
        self._conversation_id = conversation_id
        self.fitting.look(None)
        self._show()

    def look_again(self) -> None:
        """The model may be another one now, or has become free."""
        self._count()

    def _stored(self) -> list[Attachment]:
        if self._talk is None:
            return []
        try:
            return self._talk.documents.attachments.in_draft(self._conversation_id)
        except AppError as error:
            self._notify.error(error)
            return []

    def _restored(self, attachment: Attachment) -> DraftDocument | None:
        assert self._talk is not None
        document = self._talk.documents.store.get(attachment.document_id)
        if document is None:
            return None
        one = DraftDocument(
            document.path, part_of(document), stage=Stage.READ, talk=self._talk, conversation_id=self._conversation_id
        )
        one.document, one.attachment = document, attachment
        one.is_background_chosen = (one.talk.documents, attachment.id) in self._chosen
        return one

    # Reading.

    def _on_moved(self, one: DraftDocument) -> None:
        if one in self.shown:
            self._row.show_progress(one)

    def _on_read(self, one: DraftDocument) -> None:
        assert one.document is not None
        self._attach(one, one.document)
        self._count()

    def _attach(self, one: DraftDocument, document: StoredDocument) -> None:
        try:
            one.attachment = one.talk.documents.attachments.add_to_draft(one.conversation_id, document.id)
        except AppError as error:
            self._notify.error(error)
            self._intake.drop(one)
            return
        self._say(", ".join(part for part in (one.name, spoken_size(document), tr("attached")) if part))
        if self._model() is None and one in self.shown:
            self.model_wanted.emit()

    def _on_replaced(self, one: DraftDocument) -> None:
        if one.attachment is not None:
            self._store(lambda: one.talk.documents.attachments.remove(one.attachment.id))  # type: ignore[union-attr]
        self._count()

    def _on_opened(self, one: DraftDocument) -> None:
        if one.document is not None:
            self.opened.emit(one.document.id, None)
        elif one.error:
            self._intake.explain(one)

    def _on_menu_wanted(self, one: DraftDocument, at: QPoint) -> None:
        if one.document is not None:
            self._questions.show_menu(one, at, self._menu)

    # Fitting.

    def _count(self) -> None:
        """Looks at what fits, with the model that is there now."""
        model = self._model()
        key = (getattr(model, "path", ""), getattr(model, "context_tokens", 0)) if model is not None else None
        if key is not None and key != self._counted_for:
            self._counted_for = key
            self._tokens.clear()
            for one in self._all:
                one.fit = None
        attached = tuple(one.attachment for one in self.shown if one.attachment is not None)
        if self._talk is None or model is None:
            self.fitting.look(None)
        else:
            chosen = {one.attachment.id for one in self.shown if one.attachment and one.is_background_chosen}
            first = self._first.attachment if self._first in self.shown and self._first is not None else None
            first_id = first.id if first is not None else 0
            draft = Draft(self._talk, self._conversation_id, self._system(), attached, frozenset(chosen), first_id)
            self.fitting.look(draft)
        self._show()

    def _on_fitted(self, fitted: Fitted) -> None:
        for one in self._all:
            if one.attachment is not None and one.attachment.id == fitted.attachment.id and one in self.shown:
                one.attachment, one.fit = fitted.attachment, fitted.fit
                assert one.document is not None
                self._tokens[one.talk.documents, one.document.id] = fitted.fit.tokens

    def _on_fitting_failed(self, error: BaseException) -> None:
        """An engine that went away says so when it is asked something; here nobody asked."""
        self._show()
        if not isinstance(error, AppError):
            raise error

    # Showing.

    def _show(self) -> None:
        self._row.show_documents(self.shown)
        self.changed.emit()

    def _focus_row(self) -> None:
        chips = self._row.chips
        if chips:
            chips[-1].setFocus()
        else:
            self._window.setFocus()

    def _store(self, do: Callable[[], object]) -> bool:
        try:
            do()
        except AppError as error:
            self._notify.error(error)
            return False
        return True

    def _say(self, text: str) -> None:
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, text))


def _read(one: DraftDocument, cancel: CancelToken) -> Iterator[ReadEvent]:
    return one.talk.documents.read(one.path, cancel, password=one.password, part=one.part)
