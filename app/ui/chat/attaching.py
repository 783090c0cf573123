"""Documents beside what is being written: taken, read, looked at for whether they fit, and sent with the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.chat.answers import Fit
from app.features.documents import Part, ReadEvent
from app.store.conversations import Attachment, Use
from app.store.documents import StoredDocument
from app.ui.document.files import (
    DocumentChip,
    FileToRead,
    Offer,
    Stage,
    part_of,
    remarks_words,
    short_name,
    size_words,
    spoken_size,
    tokens_words,
)
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout
from app.ui.work.intake import Intake

if TYPE_CHECKING:
    from app.features.chat.answers import Chat, Fit


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


# The documents beside what is being written: a chip for each, and what there is to tell of them.


MOST_LINES = 3
LOW_PX = 560
"""A window lower than that has room for one line of chips; the others are scrolled to."""
MOST_REMARKS = 2


class DraftChip(DocumentChip):
    """A chip that names the page which is being read."""

    def show_reading(self, one: DraftDocument) -> None:
        """How far the reading is."""
        self.show_progress(one.page, one.pages)
        unit = one.unit or "page"
        self._say(tr("reading, {unit} {page} of {pages}", unit=unit, page=one.page, pages=f"{one.pages:,}"))


class AttachmentRow(QWidget):
    """Chips in several lines, of which at most three are seen at once."""

    opened = Signal(object)
    remove_wanted = Signal(object)
    menu_wanted = Signal(object, QPoint)
    """A `DraftDocument`, and where on the screen."""
    height_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chips: dict[DraftDocument, DraftChip] = {}
        self.too_long = TooLong(theme)
        self._page = QWidget()
        self._page.setObjectName("page")
        self._flow = FlowLayout(self._page)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(self._page)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setAccessibleName(tr("Attached documents"))
        self._remarks = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._remarks.setProperty("kind", "muted")
        self._remarks.hide()
        self._page.installEventFilter(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._scroll, self._remarks, self.too_long):
            self._column.addWidget(widget)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)  # words that wrap need more
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def chips(self) -> list[DraftChip]:
        """The chips, in order."""
        return list(self._chips.values())

    @property
    def remarks(self) -> str:
        """What there is to tell of them."""
        return self._remarks.text()

    def show_documents(self, documents: Sequence[DraftDocument]) -> None:
        """The whole draft, in order; chips that stay are kept."""
        if list(self._chips) != list(documents):
            for gone in [one for one in self._chips if one not in documents]:
                chip = self._chips.pop(gone)
                self._flow.removeWidget(chip)
                chip.hide()
                chip.deleteLater()
            for one in documents:
                if one not in self._chips:
                    self._chips[one] = self._new_chip(one)
        for one in documents:
            self._fill(self._chips[one], one)
        told = [one for one in documents if one.document is not None and remarks_words(one.document)]
        lines = [_remark_line(one, is_alone=len(documents) == 1) for one in told[:MOST_REMARKS]]
        if len(told) > MOST_REMARKS:
            lines.append(tr("{count} more have remarks; see their tool tips.", count=len(told) - MOST_REMARKS))
        self._remarks.setText("\n".join(lines))
        self._remarks.setVisible(bool(lines))
        self.too_long.show_documents([one for one in documents if one.is_too_long])
        self.setVisible(bool(documents))
        self._fit()

    def show_progress(self, one: DraftDocument) -> None:
        """One document is further."""
        if one in self._chips:
            self._fill(self._chips[one], one)
            self._fit()

    def _new_chip(self, one: DraftDocument) -> DraftChip:
        chip = DraftChip(self._theme)
        chip.show_name(one.name)
        chip.set_removable(True)
        chip.clicked.connect(lambda: self.opened.emit(one))
        chip.remove_wanted.connect(lambda: self.remove_wanted.emit(one))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(lambda at: self.menu_wanted.emit(one, chip.mapToGlobal(at)))
        self._flow.addWidget(chip)
        chip.show()
        return chip

    def _fill(self, chip: DraftChip, one: DraftDocument) -> None:
        if one.stage is Stage.FAILED:
            chip.show_error(one.error)
        elif one.stage is Stage.READING and one.pages:
            chip.show_reading(one)
        elif one.stage is Stage.READING:
            chip.show_words(tr("reading"))
        elif one.stage is Stage.LOCKED:
            chip.show_words(tr("needs a password"))
        elif one.stage in (Stage.ASKED, Stage.WAITS):
            chip.show_words(tr("waits"))
        elif one.document is not None:
            self._fill_read(chip, one)

    def _fill_read(self, chip: DraftChip, one: DraftDocument) -> None:
        assert one.document is not None
        tokens = one.fit.tokens if one.fit is not None else None
        words = size_words(one.document)
        if one.use is Use.BACKGROUND:
            words = " · ".join(part for part in (words, tr("background")) if part)
        chip.show_words(words)
        size = spoken_size(one.document)
        chip.setAccessibleName(", ".join(part for part in (one.name, size, tr("attached")) if part))
        remarks = remarks_words(one.document)
        chip.setAccessibleDescription(remarks)
        chip.setToolTip(plain_tip("\n".join(part for part in (one.name, tokens_words(tokens), remarks) if part)))

    def _fit(self) -> None:
        """As high as the chips, up to three lines of them where there is room."""
        width = self._scroll.viewport().width() or self.width()
        wanted = self._flow.heightForWidth(max(1, width))
        line = max((chip.sizeHint().height() for chip in self._chips.values()), default=0)
        lines = MOST_LINES if self.window().height() >= self._theme.px(LOW_PX) else 1
        most = lines * line + (lines - 1) * self._flow.gap_px
        self._scroll.setFixedHeight(max(1, min(wanted, most)))
        margins = self._column.contentsMargins()
        self._remarks.setMinimumHeight(0)  # or it is as high as before
        room = max(1, self.width() - margins.left() - margins.right())
        self._remarks.setMinimumHeight(max(0, self._remarks.heightForWidth(room)))
        self.updateGeometry()
        self.height_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.LayoutRequest:
            self._fit()  # a chip says something else now
        return super().eventFilter(watched, event)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setSpacing(px(8))
        self._column.setContentsMargins(0, 0, px(6), px(6))
        self._flow.gap_px = px(6)
        self._remarks.setFont(self._theme.font(13))
        self._fit()


def _remark_line(one: DraftDocument, *, is_alone: bool) -> str:
    assert one.document is not None
    words = remarks_words(one.document)
    return words if is_alone else f"{short_name(one.name)}: {words}"


# One file beside what is being written: being read, and then how much of it the model is shown.


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


# How the documents of a draft fit into the model's memory: counted on a thread, in their order.


AGAIN_MS = 150


@dataclass(frozen=True)
class Draft:
    """What is counted. `chosen` are the ids of attachments that stay background, `first_id` is one that goes first."""

    talk: Chat
    conversation_id: int | None
    system: str
    attachments: tuple[Attachment, ...]
    chosen: frozenset[int] = frozenset()
    first_id: int = 0


@dataclass(frozen=True)
class Fitted:
    """An attachment as it is used now, and how it fits."""

    attachment: Attachment
    fit: Fit


class Fitting(QObject):
    """One counting at a time; a new one replaces it. `is_free` says whether the model can be asked now."""

    fitted = Signal(object)
    """`Fitted`, one after the other."""
    ended = Signal()
    """All that could be counted was."""
    failed = Signal(object)

    def __init__(self, is_free: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._is_free = is_free
        self._draft: Draft | None = None
        self._task: tasks.Task | None = None
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._begin)

    @property
    def is_counting(self) -> bool:
        """Whether something is still to be counted."""
        return self._task is not None or self._draft is not None

    @property
    def is_asking(self) -> bool:
        """Whether the model's tokenizer is at work for this."""
        return self._task is not None

    def look(self, draft: Draft | None) -> None:
        """Counts this draft as soon as it can be; None: nothing any more."""
        self._draft = draft if draft is not None and draft.attachments else None
        if self._task is not None:
            self._task.cancel()  # the next one begins when it has ended
        else:
            self._begin()

    def _begin(self) -> None:
        draft = self._draft
        if draft is None or self._task is not None:
            return
        if not self._is_free():
            self._again.start()
            return
        self._draft = None
        task = self._task = tasks.run(lambda token: fits_of(draft, token), self)
        task.event.connect(self._on_fitted)
        task.finished.connect(lambda: self._on_end(None))
        task.failed.connect(self._on_end)

    def _on_fitted(self, fitted: Fitted) -> None:
        if self._draft is None:
            self.fitted.emit(fitted)

    def _on_end(self, error: BaseException | None) -> None:
        self._task = None
        if self._draft is not None:
            self._begin()
        elif error is not None:
            self.failed.emit(error)
        else:
            self.ended.emit()


def fits_of(draft: Draft, cancel: CancelToken) -> Iterator[Fitted]:
    """Decides in order which documents are shown whole; what does not fit becomes background by itself."""
    store = draft.talk.documents.attachments
    attachments = sorted(draft.attachments, key=lambda one: one.id != draft.first_id)
    for one in attachments:  # what is shown whole would count against those before it
        store.set_use(one.id, Use.BACKGROUND if one.id in draft.chosen else Use.UNDECIDED)
    for one in attachments:
        fit = None if cancel.cancelled else _fit(draft, one)
        if fit is None or cancel.cancelled:  # sent meanwhile, or taken away: the answer decides about what is left
            return
        use = Use.WHOLE if fit.is_whole and one.id not in draft.chosen else Use.BACKGROUND
        store.set_use(one.id, use)
        yield Fitted(replace(one, use=use), fit)


def _fit(draft: Draft, one: Attachment) -> Fit | None:
    try:
        return draft.talk.fit_of(one, draft.conversation_id, draft.system)
    except KeyError:  # it was taken away meanwhile
        return None


# Said once of documents that are too long to be shown to the model whole, with what reads all of them.


class TooLong(QFrame):
    """Nothing has to be decided here: the documents are background already; hidden without any."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.offers: list[Offer] = []
        """What can be done with all of those that an offer serves, one after the other."""
        self._shown: tuple[object, ...] = ()
        self.setObjectName("too_long")
        self._words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._words.setProperty("kind", "muted")
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._words)
        self._column.addWidget(self._buttons)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def text(self) -> str:
        """What is said; "" when every document is shown whole."""
        return self._words.text() if not self.isHidden() else ""

    def show_documents(self, documents: Sequence[DraftDocument]) -> None:
        """The documents that became background by themselves, in their order."""
        shown = tuple((one, one.fit) for one in documents)
        if shown == self._shown:
            return
        self._shown = shown
        self._flow.clear()
        self.setVisible(bool(documents))
        if not documents:
            return
        if len(documents) == 1:
            said = tr(
                "{name} is too long to be shown to the model whole: each question gets the passages that fit it best.",
                name=short_name(documents[0].name),
            )
        else:
            said = tr(
                "{count} documents do not fit whole: each question gets the passages of them that fit it best.",
                count=len(documents),
            )
        self._words.setText(said)
        self.setAccessibleName(said)
        for number, offer in enumerate(self.offers):
            served = [one for one in documents if offer.serves(one)]
            if len(served) == len(documents):
                self._add(offer.label, partial(_each, offer.do, served), is_first=number == 0)

    def _add(self, label: str, do: Callable[[], object], *, is_first: bool) -> None:
        button = text_button(label, "plain" if is_first else "quiet")
        button.setFont(self._theme.font(13, 500))
        button.setAccessibleDescription(self._words.text())
        button.clicked.connect(lambda _=False: do())
        self._flow.addWidget(button)
        button.show()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(12), px(8), px(12), px(10))
        self._column.setSpacing(px(6))
        self._flow.gap_px = px(6)
        self._words.setFont(self._theme.font(13))
        for button in self._buttons.findChildren(QWidget):
            button.setFont(self._theme.font(13, 500))


def _each(do: Callable[[DraftDocument], object], documents: Sequence[DraftDocument]) -> None:
    for one in documents:
        do(one)
