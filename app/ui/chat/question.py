"""View of a question: a bubble with the text as typed, editable in place."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QObject, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.core.counted_units import count_units
from app.core.events import Role
from app.store.attachments import DocumentUse
from app.store.conversations import StoredMessage
from app.store.document_store import StoredDocument
from app.store.media_store import MediaUse
from app.ui.chat.actions import MORE, VERSIONS, TurnAction, TurnCommand
from app.ui.chat.branch_documents import BranchDocuments, RecalledTurn, SourceRow
from app.ui.chat.turn import ROW_PX, TURN_GAP_PX, TurnHost, TurnView
from app.ui.document.document_chip import DocumentChip
from app.ui.document.document_details import size_words, spoken_size, tokens_words
from app.ui.i18n import InContext, tr, tr_count
from app.ui.locale_formats import join_facts, join_list
from app.ui.screen_reader import read_as
from app.ui.shared_labels import COPY, EDIT_LABEL, FORK_CHAT, READ_ALOUD, REMEMBER_ANSWER, SAVE_AS_PROMPT, YOU_LINE
from app.ui.text.pieces import ProseLine, StyledSpan
from app.ui.text.prose import ProseView
from app.ui.text.selectable import SelectableText
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_caption, plain_label, plain_tip
from app.ui.widgets.layouts import FlowLayout, drop_margins, fill_layout
from app.ui.work.picture_reading import READ_ITS_TEXT, can_read_text

PICTURES_UNSEEN = "Not shown to the model: it can’t see pictures."
ANSWER_THIS = InContext("button", "Answer")

SHOWN_TO_MODEL = "Shown to the model:"

ONE_TURN_RECALLED = "1 earlier turn recalled"
NO_PASSAGE_ANSWERS = "No passage seems to answer this."
READ_ALL_QUESTION = "Read whole document?"

WIDEST = 0.8
PADDING_PX = (18, 6)
BOTTOM_PX = 12  # the extra line height is above the letters
ANSWER_GAP_PX = 6
"""Room from the bubble to its answer: 16 px to the letters, above which a line has 10 px of its own."""
BELOW_GAP_PX = 16
"""The same from what is below the bubble."""
FIRST_CHARACTERS = 1_500
MOST_CHARACTERS = 60_000


class QuestionView(TurnView):
    """A user's message. Long ones are shown in part, with a button for the rest."""

    role = Role.USER
    overhang_px = 11

    def __init__(
        self, theme: Theme, message: StoredMessage, parent: QWidget | None = None, host: TurnHost | None = None
    ) -> None:
        super().__init__(theme, parent, host)
        self.setProperty("align_end", True)
        self._bubble = QRect()
        self._end = 0
        self._text = ProseView(theme, self)
        self._text.setAccessibleName(tr("Your message"))
        self._more: QPushButton | None = None
        self._is_open = False
        self._is_answerless = False
        self._again: QPushButton | None = None
        self.documents = QuestionDocuments(theme, self)
        self.recalled: RecalledLine | None = None
        """Line about recalled turns; None unless forgotten turns were given to the model with the question."""
        self.set_message(message)

    @property
    def text(self) -> str:
        return self.message.text if self.message else ""

    def set_message(self, message: StoredMessage) -> None:
        is_new_text = self.message is None or self.message.text != message.text
        had_marks = self.toolbar.has_marks
        self.message = message
        self.setAccessibleName(tr(YOU_LINE, words=message.text[:200]))
        if is_new_text:
            self._show_text()
        elif self.toolbar.has_marks != had_marks:
            self.host.resized.emit(self)
        self.update_actions()

    @property
    def is_kept(self) -> bool:
        is_looked_at = self.recalled is not None and self.recalled.is_open
        return super().is_kept or self._is_open or is_looked_at

    def show_documents(self, documents: BranchDocuments) -> None:
        if self.message is None:
            return
        is_another = self.documents.show_documents(documents, self.message.id)
        if self._show_recalled(documents.recalled(self.message.id)) or is_another:
            self.host.resized.emit(self)

    def _show_recalled(self, turns: Sequence[RecalledTurn]) -> bool:
        if self.recalled is None and turns:
            self.recalled = RecalledLine(self.theme, self)
        return self.recalled is not None and self.recalled.show_turns(turns)

    def actions_offered(self) -> Sequence[TurnAction]:
        return (
            TurnAction(TurnCommand.COPY, "copy", tr(COPY), is_quick=True),
            TurnAction(TurnCommand.EDIT, "pencil-simple", tr(EDIT_LABEL), is_quick=True),
            TurnAction(TurnCommand.FORK, "git-fork", tr(FORK_CHAT), group=VERSIONS),
            TurnAction(TurnCommand.PROMPT, "note", tr(SAVE_AS_PROMPT)),
            *self._spoken_offer(),
            TurnAction(TurnCommand.REMEMBER, "bookmark-simple", tr(REMEMBER_ANSWER), group=MORE),
        )

    def _spoken_offer(self) -> Sequence[TurnAction]:
        if self.host.read_aloud is None:
            return ()
        return (TurnAction(TurnCommand.READ_ALOUD, "speaker-high", tr(READ_ALOUD), group=MORE),)

    def spoken_views(self) -> Sequence[SelectableText]:
        return [self._text]

    def set_answerless(self, is_answerless: bool) -> None:
        """Show or hide the button that answers a question left without an answer by a crash."""
        if is_answerless and self._again is None:
            self._again = text_button(
                tr(ANSWER_THIS),
                "link",
                self,
                on_click=lambda: self.host.action_requested.emit(TurnCommand.ANSWER, self),
            )
        if self._again is not None and is_answerless != self._is_answerless:
            self._again.setVisible(is_answerless)
            self._is_answerless = is_answerless
            self.host.resized.emit(self)

    def arrange(self, width: int, *, is_again: bool = False) -> int:  # noqa: ARG002
        px = self.theme.px
        widest = int(width * WIDEST)
        left, top, bottom = px(PADDING_PX[0]), px(PADDING_PX[1]), px(BOTTOM_PX)
        begin = self.documents.place_above(width)
        self._text.setVisible(self.editor is None)
        if self._more is not None:
            self._more.setVisible(self.editor is None)
        if self.editor is not None:
            height = self.editor.sizeHint().height()
            # The editor replaces the bubble, so it gets the widest one possible.
            self._bubble = self._at_end(width, widest, height).translated(0, begin)
            self.editor.setGeometry(self._bubble)
            self._end = self._place_below(width, begin + height)
            return self._end + self._gap_below()
        # Wrapped at the greatest width first, which tells the width that its longest line really needs.
        self._text.height_for(widest - 2 * left)
        ideal = min(math.ceil(self._text.document().idealWidth()) + 1, widest - 2 * left)
        height = self._text.height_for(ideal)
        more = self._more.sizeHint().height() if self._more is not None else 0
        bubble_width = max(ideal, self._more.sizeHint().width() if self._more else 0) + 2 * left
        self._bubble = self._at_end(width, bubble_width, height + top + bottom + more).translated(0, begin)
        top += begin
        self._text.setGeometry(self._bubble.x() + left, top, ideal, height)
        if self._more is not None:
            self._more.setGeometry(self._bubble.x() + left - px(4), top + height, self._more.sizeHint().width(), more)
        end = self._end = self._place_below(width, self._bubble.bottom() + 1)
        if self._again is not None and self._is_answerless:
            size = self._again.sizeHint()
            end += self._gap_below()
            self._again.setGeometry(0, end, size.width(), size.height())
            end += size.height()
        return end + self._gap_below()

    def _gap_below(self) -> int:
        is_bare = self._end == self._bubble.bottom() + 1
        return self.theme.px(TURN_GAP_PX if self.toolbar.has_marks else ANSWER_GAP_PX if is_bare else BELOW_GAP_PX)

    def _place_below(self, width: int, top: int) -> int:
        end = self.documents.place_below(width, top)
        return end if self.recalled is None else self.recalled.place_line(width, end)

    def row_rect(self) -> QRect:
        px = self.theme.px
        if self.toolbar.has_marks:
            # Below what was shown to the model, but above the button that answers.
            return QRect(0, self._end + (px(TURN_GAP_PX) - px(ROW_PX)) // 2, self.width(), px(ROW_PX))
        # Between the words of the bubble and those of the answer.
        bottom = self._end + self._gap_below() + px(self.overhang_px)
        return QRect(0, bottom - px(ROW_PX), self.width(), px(ROW_PX))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = smooth_painter(self, fill=QColor(self.theme.tokens.bubble))
        radius = self.theme.px(14)
        painter.drawRoundedRect(self._bubble.toRectF(), radius, radius)

    def _at_end(self, width: int, wanted: int, height: int) -> QRect:
        return QRect(0 if self.isRightToLeft() else width - wanted, 0, wanted, height)

    def _show_text(self) -> None:
        # Laying out a very long text would block the window, so even an opened one ends somewhere.
        most = MOST_CHARACTERS if self._is_open else FIRST_CHARACTERS
        shown = self.text[:most]
        if len(self.text) > most:
            shown = shown.rstrip() + "…"
        # As typed: a question is no Markdown.
        self._text.set_lines(
            tuple(ProseLine((StyledSpan(line),) if line else (), "typed") for line in shown.split("\n"))
        )
        if self._more is not None:
            self._more.hide()
            self._more.deleteLater()
            self._more = None
        if len(self.text) > most and not self._is_open:
            self._more = text_button(
                tr_count("Show all {count} character", "Show all {count} characters", len(self.text)),
                "link",
                self,
                on_click=self.show_whole,
            )
            self._more.show()
        self.host.resized.emit(self)

    def show_whole(self) -> None:
        if self._more is not None:
            self._is_open = True
            self._show_text()


# Attachments of a question: its documents above it, and below it the passages that the model was shown.

GAP_PX = 6


class QuestionDocuments(QObject):
    """Attachments of a question. The view places `place_above` first, then `place_below` under the bubble."""

    def __init__(self, theme: Theme, turn: TurnView) -> None:
        super().__init__(turn)
        self._theme, self._turn = theme, turn
        self._above: QWidget | None = None
        self._below: list[SourceRow] = []
        self._pictures: QWidget | None = None
        self._unseen: QWidget | None = None
        self._unanswered: QWidget | None = None
        self._shown: object = None

    def show_documents(self, documents: BranchDocuments, message_id: int) -> bool:
        """Rebuild the rows if the documents changed. Return whether they did."""
        attached, passages = documents.attached(message_id), documents.passages(message_id)
        pictures = documents.pictures(message_id)
        is_unanswered = documents.is_unanswered(message_id)
        shown = (attached, passages, pictures, documents.are_unseen(message_id), is_unanswered)
        # Most questions have nothing attached, and of those no rows are made.
        if shown == self._shown or (self._shown is None and not attached and not passages and not pictures):
            return False
        self._shown = shown
        for widget in [self._above, self._pictures, self._unseen, self._unanswered, *self._below]:
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._above, self._pictures, self._unseen, self._unanswered, self._below = None, None, None, None, []
        if pictures:
            # Few messages have one.
            from app.ui.chat.sent_pictures import SentPictures

            self._pictures = SentPictures(self._theme, self._turn, is_at_end=True)
            self._pictures.show_uses(documents, pictures)
        # A picture whose text is attached as a document was shown to the model after all.
        known = {attached_document.document.sha256 for attached_document in attached}
        unread = [picture for picture in pictures if picture.media.sha256 not in known]
        if unread and documents.are_unseen(message_id):
            self._unseen = self._not_shown(documents, unread)
            self._unseen.show()
        if attached:
            self._above = QWidget(self._turn)
            flow = self._theme.dress(FlowLayout(self._above, is_at_end=True), spacing=GAP_PX)
            for attached_document in attached:
                flow.addWidget(
                    self._chip(
                        attached_document.document,
                        attached_document.tokens,
                        is_background=attached_document.attachment.use is DocumentUse.BACKGROUND,
                    )
                )
            self._above.show()
        if is_unanswered:
            # Where everything was shown already, reading it all would find no more.
            is_rest = not all(documents.is_all_shown(document, message_id) for document, _, _ in passages)
            self._unanswered = self._no_answer(can_read_all=is_rest and documents.can_read_all())
            self._unanswered.show()
        for document, places, more in passages:
            row = SourceRow(self._theme, self._turn, self._turn.host.place_wanted.emit, is_at_end=True)
            has_others = len(documents.ids) > 1
            lead = tr("From {name}, shown to the model:", name=document.name) if has_others else tr(SHOWN_TO_MODEL)
            is_all = documents.is_all_shown(document, message_id)
            row.show_places(lead, places, tail_of(document, more, is_all=is_all))
            self._below.append(row)
        return True

    def _no_answer(self, *, can_read_all: bool) -> QWidget:
        """Return a line that says no passage seems to answer, with a button to read everything if the model can."""
        line = QWidget(self._turn)
        line.setObjectName("no_answer")
        flow = FlowLayout(line, is_at_end=True)
        words = plain_label(tr(NO_PASSAGE_ANSWERS), kind="muted")
        words.setObjectName("no_answer_words")
        words.setToolTip(plain_tip(tr("The document was searched by words and by meaning.")))
        line.setAccessibleName(words.text())
        flow.addWidget(words)
        self._theme.dress(words, font="small")
        if can_read_all:
            read = text_button(
                tr(READ_ALL_QUESTION),
                "link",
                on_click=lambda: self._turn.host.action_requested.emit(TurnCommand.READ_ALL, self._turn),
            )
            read.setObjectName("read_all")
            read.setToolTip(tr("Let the model read the whole document for this question, section by section"))
            flow.addWidget(read)
            self._theme.dress(read, font="control")
        self._theme.dress(flow, spacing=GAP_PX)
        return line

    def _not_shown(self, documents: BranchDocuments, pictures: Sequence[MediaUse]) -> QWidget:
        """Return a line that says the pictures were not seen and have no text either, with what can be done."""
        line = QWidget(self._turn)
        words = plain_label(tr(PICTURES_UNSEEN), kind="muted")
        words.setObjectName("unseen")
        row = fill_layout(drop_margins(QHBoxLayout(line)), words)
        self._theme.dress(words, font="small")
        if (read_text := documents.read_text) is not None and can_read_text():
            read = text_button(tr(READ_ITS_TEXT), "link", on_click=lambda: read_text(pictures), name="read_sent_text")
            read.setToolTip(tr("Attach its text to your next message"))
            row.addWidget(read)
            self._theme.dress(read, font="control")
        self._theme.dress(row, spacing=12)
        return line

    def place_above(self, width: int) -> int:
        """Place pictures and chips at the top. Return the y position of the bubble."""
        top = 0
        for row in (self._pictures, self._above):
            flow = row.layout() if row is not None else None
            if row is not None and flow is not None:
                height = flow.heightForWidth(width)
                row.setGeometry(0, top, width, height)
                top += height + self._theme.px(GAP_PX)
        return top

    def place_below(self, width: int, top: int) -> int:
        """Place the rows below the bubble. Return the y position of their end."""
        if self._unseen is not None:
            size = self._unseen.sizeHint()
            left = 0 if self._turn.isRightToLeft() else width - size.width()
            self._unseen.setGeometry(left, top + self._theme.px(GAP_PX), size.width(), size.height())
            top = self._unseen.geometry().bottom() + 1
        layout = self._unanswered.layout() if self._unanswered is not None else None
        if self._unanswered is not None and layout is not None:
            height = layout.heightForWidth(width)
            self._unanswered.setGeometry(0, top + self._theme.px(GAP_PX), width, height)
            top = self._unanswered.geometry().bottom() + 1
        for row in self._below:
            top += self._theme.px(GAP_PX)
            height = row.height_for(width)
            row.setGeometry(QRect(0, top, width, height))
            top += height
        return top

    def _chip(self, document: StoredDocument, tokens: int | None, *, is_background: bool) -> DocumentChip:
        chip = DocumentChip(self._theme, self._above)
        chip.show_name(document.name)
        chip.set_removable(False)
        background = tr("searched for each question") if is_background else ""
        chip.show_words(join_facts((size_words(document), background)))
        said = (document.name, spoken_size(document), background, tr("attached"))
        chip.setAccessibleName(join_list(said))
        chip.setToolTip(plain_tip("\n".join(part for part in (document.name, tokens_words(tokens)) if part)))
        chip.clicked.connect(lambda: self._turn.host.place_wanted.emit(document.id, None))
        return chip


def tail_of(document: StoredDocument, more: int, *, is_all: bool) -> str:
    """Return the text after the chips: how many more places there are, and whether only parts were read."""
    words = [tr("and {count} more", count=more)] if more > 0 else []
    if not is_all and document.unit and document.pages:
        words.append(
            tr(
                "only parts of the {pages} were read for this question",
                pages=count_units(document.unit, document.pages),
            )
        )
    elif not is_all:
        words.append(tr("only parts were read for this question"))
    # A dot would lead the next line where the chips fill theirs.
    return join_facts(words) if more > 0 else "".join(f"({word})" for word in words)


# The line below a question about forgotten turns that the model was shown with it; it expands to them.

RECALLED_GAP_PX = 4
CARET_PX = 13


class RecalledLine(QWidget):
    """Collapsible list of recalled turns; hidden without any."""

    def __init__(self, theme: Theme, turn: TurnView) -> None:
        super().__init__(turn)
        self._theme, self._turn = theme, turn
        self._turns: list[RecalledTurn] = []
        self._rows: list[QPushButton] = []
        self._line: QPushButton = text_button("", "quiet", self, name="recalled")
        self._line.setCheckable(True)
        read_as(self._line, QAccessible.Role.Button, folds=True)
        self._line.toggled.connect(self._on_toggled)
        self._column = QVBoxLayout(self)
        self._column.setSpacing(0)
        self._column.addWidget(self._line, 0, Qt.AlignmentFlag.AlignTrailing)
        theme.dress(self._column, margins=(0, RECALLED_GAP_PX, 0, 0))
        theme.dress(self._line, font="control")
        theme.changed.connect(self._update)
        self.hide()

    @property
    def opener(self) -> QPushButton:
        return self._line

    @property
    def is_open(self) -> bool:
        return self._line.isChecked()

    def show_turns(self, turns: Sequence[RecalledTurn]) -> bool:
        """Set the recalled turns. Return whether they changed."""
        if list(turns) == self._turns:
            return False
        self._turns = list(turns)
        # The rows are those of the former turns.
        if self.is_open:
            self._line.setChecked(False)
        self._update()
        self.setVisible(bool(turns))
        return True

    def place_line(self, width: int, top: int) -> int:
        """Place the line below the bubble. Return the y position of its end."""
        if not self._turns:
            return top
        # Collapsed, there are no rows.
        for row, turn in zip(self._rows, self._turns, strict=False):
            room = int(width * WIDEST) - self._theme.px(24)
            row.setText(plain_caption(row.fontMetrics().elidedText(turn.words, Qt.TextElideMode.ElideRight, room)))
        # The texts set above changed the size hints, which the layout has cached.
        self._column.invalidate()
        height = self._column.totalSizeHint().height()
        self.setGeometry(QRect(0, top, width, height))
        return top + height

    def _on_toggled(self, is_open: bool) -> None:
        for row in self._rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [self._row(turn) for turn in self._turns] if is_open else []
        self._update()
        self._turn.host.resized.emit(self._turn)

    def _row(self, turn: RecalledTurn) -> QPushButton:
        row = text_button("", "link", self, on_click=lambda: self._turn.host.message_wanted.emit(turn.message_id))
        row.setObjectName("recalled_turn")
        row.setAccessibleName(turn.words)
        row.setAccessibleDescription(tr("Show in the document"))
        row.setToolTip(plain_tip(turn.words))
        self._theme.dress(row, font="control")
        self._column.addWidget(row, 0, Qt.AlignmentFlag.AlignTrailing)
        row.show()
        return row

    def _update(self) -> None:
        count = len(self._turns)
        self._line.setText(tr_count(ONE_TURN_RECALLED, "{count} earlier turns recalled", count))
        self._line.setAccessibleName(self._line.text())
        self._line.setAccessibleDescription(tr("Hide recalled turns") if self.is_open else tr("Show recalled turns"))
        self._line.setToolTip(tr("These turns no longer fit the context, but your question is about them."))
        closed = "caret-left" if self.isRightToLeft() else "caret-right"
        self._theme.dress(self._line, glyph=("caret-down" if self.is_open else closed, "muted", CARET_PX))
