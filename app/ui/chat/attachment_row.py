"""Row of the draft's attachments: a chip for each, and notices about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from app.core.lazy_dataclasses import dataclass
from app.features.chat.message_draft import DraftDocument, DraftPart, DraftPicture
from app.features.files_to_read import Stage, is_recording
from app.store.attachments import DocumentUse
from app.ui.chat.draft_pictures import NotSensed, PictureChip, remarks_of
from app.ui.document.document_chip import DocumentChip
from app.ui.document.document_details import remarks_words, short_name, size_words, spoken_size, tokens_words
from app.ui.document.document_files import FileAction
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number, join_facts, join_list
from app.ui.shared_labels import WAITS_LABEL
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import FittingScroll, FlowLayout, drop_margins, fill_layout, scrolled
from app.ui.work.picture_reading import READ_ITS_TEXT, PicturesLine

TOO_LONG_PASSAGES_INSTEAD = "{name} is too long for the model’s context. Each question gets its most relevant passages."
WAITS_FOR_MODEL = "waiting for the model"
LISTENING_TO_MINUTE = "listening, minute {page} of {pages}"


MOST_LINES = 3
HIGH_CHIP_PX, ROOMY_PX = 40, 700
"""Height from which a chip has a picture, and window height below which one line less of those is visible."""
LOW_PX = 560
"""Window height below which only one line of chips is visible; the rest scrolls."""
MOST_REMARKS = 2
MOST_COUNTED = 8
"""From more chips than this their number is shown, since not all are visible."""


class DraftChip(DocumentChip):
    """Chip that shows the page being read."""

    def show_reading(self, draft_document: DraftDocument) -> None:
        self.show_progress(draft_document.page, draft_document.pages)
        unit = draft_document.unit or "page"
        if is_recording(draft_document.name):
            minute = min(draft_document.page + 1, draft_document.pages)
            self._show_words(tr(LISTENING_TO_MINUTE, page=minute, pages=format_number(draft_document.pages)))
            return
        self._show_words(
            tr(
                "reading, {unit} {page} of {pages}",
                unit=unit,
                page=draft_document.page,
                pages=format_number(draft_document.pages),
            )
        )


@dataclass(frozen=True)
class PartActions:
    """What is done with an attachment of a draft; the detail is chosen at a picture's chip."""

    open: Callable[[DraftPart], object]
    remove: Callable[[DraftPart], object]
    show_menu: Callable[[DraftPart, QPoint], object]
    choose_detail: Callable[[DraftPicture, DocumentChip], object]


class AttachmentRow(QWidget):
    """Chips in several lines, of which at most three are visible."""

    part_actions: PartActions
    height_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chips: dict[int, DocumentChip] = {}
        """Chips by the keys of their parts."""
        self._parts: dict[int, DraftPart] = {}
        """Parts as they are shown."""
        self._wrong: set[int] = set()
        self._sought: int | None = None
        self.too_long = TooLong(theme)
        self.not_seen = NotSensed(
            theme,
            tr("This model can’t see pictures. They stay with the message but aren’t shown to it."),
            tr("Find vision models"),
            tr(READ_ITS_TEXT),
        )
        self.not_heard = NotSensed(
            theme,
            tr("This model can’t hear recordings. One that can will transcribe them."),
            tr("Find models that hear"),
        )
        self.scans = PicturesLine(theme)
        self._page = QWidget()
        self._page.setObjectName("page")
        self._flow = FlowLayout(self._page)
        self._scroll = scrolled(self._page)
        self._scroll.setAccessibleName(tr("Attached documents"))
        # A new chip has its place only once it was laid out.
        self._scroll.verticalScrollBar().rangeChanged.connect(self._seek)
        # Emitted when the user scrolls, not for a range or value that is set.
        self._scroll.verticalScrollBar().actionTriggered.connect(self._on_scrolled)
        self._remarks = plain_label(kind="muted", wraps=True)
        self._remarks.hide()
        self._page.installEventFilter(self)
        page = QWidget()
        page.setObjectName("page")
        notes = drop_margins(QVBoxLayout(page), 0)
        self._told = (self._remarks, self.not_seen, self.not_heard, self.scans, self.too_long)
        fill_layout(notes, *self._told)
        self._notes = FittingScroll(page)
        self._notes.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._notes.hide()
        fade_ends(self._notes, theme)
        for part in (page, *self._told):
            part.installEventFilter(self)
        self._column = fill_layout(QVBoxLayout(self), self._scroll, self._notes)
        # Wrapped words take more than the hint of one line.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        theme.dress(self._column, margins=(0, 0, 6, 6), spacing=8)
        theme.dress(notes, spacing=8)
        theme.dress(self._flow, spacing=6)
        theme.dress(self._remarks, font="small")
        theme.changed.connect(self._fit_height)
        self._fit_height()
        self.hide()

    @property
    def chips(self) -> list[DocumentChip]:
        return list(self._chips.values())

    def show_parts(self, parts: Sequence[DraftPart]) -> None:
        """Show the whole draft in order, keeping the chips of parts that are still there."""
        keys = [part.key for part in parts]
        before, added = set(self._chips), [key for key in keys if key not in self._chips]
        if list(self._chips) != keys:
            for gone in before - set(keys):
                chip = self._chips.pop(gone)
                self._flow.removeWidget(chip)
                chip.hide()
                chip.deleteLater()
            for part in parts:
                if part.key not in self._chips:
                    self._chips[part.key] = self._new_chip(part)
            # A draft that is shown anew stays at its beginning.
            self._sought = added[-1] if before and added else None
        for part in parts:
            if self._parts.get(part.key) is not part:
                self._fill(self._chips[part.key], part)
        self._parts = {part.key: part for part in parts}
        self._show_remarks(parts)
        documents = [part for part in parts if isinstance(part, DraftDocument)]
        self.scans.show_documents([document.document for document in documents if document.document is not None])
        self.too_long.show_documents([draft_document for draft_document in documents if draft_document.is_too_long])
        self.setVisible(bool(parts))
        self._fit_height()
        if added:
            self._seek()
        self._show_wrong([part.key for part in parts if part.stage in (Stage.FAILED, Stage.LOCKED)])

    def _show_remarks(self, parts: Sequence[DraftPart]) -> None:
        told = [part for part in parts if remarks_of(part)]
        lines = [_remark_line(part, is_alone=len(parts) == 1) for part in told[:MOST_REMARKS]]
        if len(told) > MOST_REMARKS:
            lines.append(tr("{count} more have notes. Point at a file to read them.", count=len(told) - MOST_REMARKS))
        pictures = [part for part in parts if isinstance(part, DraftPicture)]
        if len(parts) > MOST_COUNTED:
            lines.insert(0, _counted_words(len(pictures), len(parts) - len(pictures)))
        self._remarks.setText("\n".join(lines))
        self._remarks.setVisible(bool(lines))

    def _show_wrong(self, wrong: Sequence[int]) -> None:
        """Scroll to the first attachment that newly could not be opened."""
        fresh = [key for key in wrong if key not in self._wrong]
        self._wrong = set(wrong)
        # Out of sight, it would not be noticed that the message goes without it.
        if fresh:
            self._sought = fresh[0]
            self._seek()

    def _seek(self) -> None:
        if self._sought in self._chips:
            self._scroll.ensureWidgetVisible(self._chips[self._sought], 0, 0)

    def _on_scrolled(self) -> None:
        """Stop scrolling to a new chip because the user scrolls."""
        self._sought = None

    def _new_chip(self, part: DraftPart) -> DocumentChip:
        key, is_picture = part.key, isinstance(part, DraftPicture)
        chip: DocumentChip = (
            PictureChip(self._theme, choose_detail=lambda: self._choose_detail(key))
            if is_picture
            else DraftChip(self._theme)
        )
        chip.show_name(part.name)
        chip.set_removable(True)
        chip.clicked.connect(lambda: self.part_actions.open(self._parts[key]))
        chip.remove_wanted.connect(lambda: self.part_actions.remove(self._parts[key]))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(
            lambda at: self.part_actions.show_menu(self._parts[key], chip.mapToGlobal(at))
        )
        self._flow.addWidget(chip)
        chip.show()
        return chip

    def _choose_detail(self, key: int) -> None:
        part = self._parts[key]
        if isinstance(part, DraftPicture):
            self.part_actions.choose_detail(part, self._chips[key])

    def _fill(self, chip: DocumentChip, attachment: DraftPart) -> None:
        if isinstance(attachment, DraftPicture):
            if isinstance(chip, PictureChip):
                chip.show_one(attachment)
        elif attachment.stage is Stage.FAILED:
            chip.show_error(tr("not transcribed") if attachment.is_unheard else attachment.error)
        elif attachment.stage is Stage.READING and attachment.pages and isinstance(chip, DraftChip):
            chip.show_reading(attachment)
        elif attachment.stage is Stage.READING:
            chip.show_words(tr("listening") if is_recording(attachment.name) else tr("reading"))
        elif attachment.stage is Stage.LOCKED:
            chip.show_words(tr("needs a password"))
        elif attachment.stage in (Stage.ASKED, Stage.WAITS):
            chip.show_words(tr(WAITS_FOR_MODEL) if attachment.awaits_model else tr(WAITS_LABEL))
        elif attachment.document is not None:
            self._fill_read(chip, attachment)

    def _fill_read(self, chip: DocumentChip, draft_document: DraftDocument) -> None:
        assert draft_document.document is not None
        tokens = draft_document.fit.tokens if draft_document.fit is not None else None
        words = size_words(draft_document.document)
        if draft_document.use is DocumentUse.BACKGROUND:
            words = join_facts((words, tr("searched for each question")))
        chip.show_words(words)
        size = spoken_size(draft_document.document)
        chip.setAccessibleName(join_list((draft_document.name, size, tr("attached"))))
        remarks = remarks_words(draft_document.document)
        chip.setAccessibleDescription(remarks)
        chip.setToolTip(
            plain_tip("\n".join(part for part in (draft_document.name, tokens_words(tokens), remarks) if part))
        )

    def _fit_height(self) -> None:
        """Set the height to that of the chips, up to three lines if the window has room."""
        # Before the first layout the viewport has no width.
        width = self._scroll.viewport().width() or self.width()
        wanted = self._flow.heightForWidth(max(1, width))
        line = max((chip.sizeHint().height() for chip in self._chips.values()), default=0)
        px, height = self._theme.px, self.window().height()
        is_tight = line >= px(HIGH_CHIP_PX) and height < px(ROOMY_PX)
        lines = 1 if height < px(LOW_PX) else MOST_LINES - is_tight
        most = lines * line + (lines - 1) * self._flow.gap_px
        self._scroll.setFixedHeight(max(1, min(wanted, most)))
        margins = self._column.contentsMargins()
        # Or a wrapped label keeps the height that it had.
        self._remarks.setMinimumHeight(0)
        room = max(1, self.width() - margins.left() - margins.right())
        self._remarks.setMinimumHeight(max(0, self._remarks.heightForWidth(room)))
        self.scans.setMinimumHeight(0)
        self.scans.setMinimumHeight(max(0, self.scans.heightForWidth(room)))
        self.updateGeometry()
        self.height_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            # At once, or what is shown in it could not be seen until the next layout.
            self._notes.setHidden(all(note.isHidden() for note in self._told))
        elif event.type() == QEvent.Type.LayoutRequest and watched not in self._told:
            # A chip says something else, so it may be wider.
            self._fit_height()
        return super().eventFilter(watched, event)


def _remark_line(part: DraftPart, *, is_alone: bool) -> str:
    return remarks_of(part) if is_alone else f"{short_name(part.name)}: {remarks_of(part)}"


def _counted_words(pictures: int, documents: int) -> str:
    if not pictures:
        return tr_count("{count} document is attached.", "{count} documents are attached.", documents)
    if not documents:
        return tr_count("{count} picture is attached.", "{count} pictures are attached.", pictures)
    return tr_count("{count} file is attached.", "{count} files are attached.", pictures + documents)


class TooLong(QFrame):
    """Notice about documents that do not fit whole, with a button to read all of them; hidden without any.

    Needs no decision: they are searched for passages already.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.offers: list[FileAction] = []
        """Actions offered for the documents, each applied to all that it suits."""
        self._shown: tuple[object, ...] = ()
        self.setObjectName("too_long")
        self._words = plain_label(kind="muted", wraps=True)
        buttons = QWidget()
        self._flow = FlowLayout(buttons)
        theme.dress(fill_layout(QVBoxLayout(self), self._words, buttons), margins=(12, 8, 12, 10), spacing=6)
        theme.dress(self._flow, spacing=6)
        theme.dress(self._words, font="small")
        self.hide()

    def show_documents(self, documents: Sequence[DraftDocument]) -> None:
        """Show the documents that are searched for passages because they do not fit, in order."""
        shown = tuple((document.key, document.fit) for document in documents)
        # Made again for the same documents, a button would lose the focus.
        if shown == self._shown:
            return
        self._shown = shown
        self._flow.clear()
        self.setVisible(bool(documents))
        if not documents:
            return
        if len(documents) == 1:
            said = tr(TOO_LONG_PASSAGES_INSTEAD, name=short_name(documents[0].name))
        else:
            said = tr_count(
                "{count} document is too long for the context. Each question gets its most relevant passages.",
                "{count} documents are too long for the context. Each question gets their most relevant passages.",
                len(documents),
            )
        self._words.setText(said)
        self.setAccessibleName(said)
        for number, offer in enumerate(self.offers):
            served = [draft_document for draft_document in documents if offer.serves(draft_document)]
            # What can't be done with all of them is offered with none.
            if len(served) == len(documents):
                self._add(offer, served, is_first=number == 0)

    def _add(self, offer: FileAction, served: Sequence[DraftDocument], *, is_first: bool) -> None:
        button = text_button(
            offer.label,
            "plain" if is_first else "quiet",
            on_click=lambda: [offer.do(draft_document) for draft_document in served],
            elides=True,
        )
        self._theme.dress(button, font="control")
        button.setAccessibleDescription(self._words.text())
        self._flow.addWidget(button)
        button.show()
