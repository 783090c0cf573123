"""Context usage of a chat: counted while a message is typed, shown by parts, and the question when it is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors.app_error import expected_error
from app.core.events import Role
from app.core.lazy_dataclasses import dataclass
from app.features.chat import session_messages as m
from app.features.chat.context_fitting import PromptBreakdown
from app.features.chat_services import Chats
from app.features.error_messages import PersonMessage
from app.ui.chat.open_chat import OpenChat
from app.ui.i18n import InContext, tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.shared_labels import (
    COUNTING,
    DOCUMENTS_LABEL,
    DROP_OLDEST,
    INSTRUCTIONS_FROM_BEFORE,
    MEMORIES_LABEL,
    NEW_CHAT,
    PART_TOKEN,
    PART_TOKENS,
    PICTURES,
    SYSTEM_PROMPT,
    THIS_MESSAGE,
    WHAT_MODEL_SEES,
)
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.parts_bar import BarPart, PartsBar
from app.ui.widgets.popovers import FloatingPanel
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.message_draft import ChatPlace
    from app.store.conversation_row import Conversation
    from app.ui.chat.chat_models import ChatModels
    from app.ui.chat.prompt_view import Look
    from app.ui.chat.session_work import DocumentCounting

NEXT_DOES_NOT_FIT = "The next message only fits if the oldest turns are left out."
NEXT_NEVER_FITS = "The next message is too long, even without earlier turns."

OLDEST_LEFT_OUT = "This chat is too long. The oldest messages will be left out."
TOO_LONG_WILL_ASK = "This chat is too long. Fireside will ask what to do."
MESSAGE_TOO_LONG = "Too long for this model’s context"
CONTEXT_ALMOST_FULL = "Context almost full. Old turns will soon be left out."
EARLIER_TURNS = "Earlier turns"
MESSAGES_LEFT_OUT = "{count} earlier messages aren’t shown to the model."
ONE_MESSAGE_LEFT_OUT = "1 earlier message isn’t shown to the model."
FREE = "Free"
PINNED_MESSAGES = InContext("messages", "Pinned")
RESERVED_FOR_ANSWER = "Reserved for the answer"


class ContextFull(QuestionDialog):
    """Asks what to do about a full context: `compact` or `begin_chat`; closing it changes nothing."""

    def __init__(
        self, theme: Theme, parent: QWidget, *, compact: Callable[[], object], begin_chat: Callable[[], object]
    ) -> None:
        words = tr(
            "Your message was kept, not sent. “Drop oldest” leaves out the oldest turns but keeps them in the chat. "
            "You can also move your message to a new chat."
        )
        super().__init__(theme, tr("This chat no longer fits into the model’s context."), words, parent)
        self.begin_chat, self.compact = begin_chat, compact
        self.setObjectName("context_full")
        self.add_choice(tr(NEW_CHAT), self.begin_chat)
        self.add_choice(tr(DROP_OLDEST), self.compact, "primary")


# Counts the next prompt while a message is typed, warns before it is too long, and asks when it is.

DELAY_MS = 500
ALMOST_FULL = 0.9


@dataclass(frozen=True)
class ContextSubject:
    """Input of a count: a chat or a new one, with the message being typed."""

    talk: AnswerService
    conversation_id: int | None
    draft: str
    documents: tuple[object, ...] = ()
    """Documents of the draft, and how they are shown to the model; a key for comparison."""
    planned: Conversation | None = None
    """A new chat as its first message will store it; None for a stored chat."""


class ChatMemory(QObject):
    """Counts the next prompt after a pause in typing, on a thread, and never while the model generates.

    `fitting` counts documents with the same tokenizer.
    """

    parts_changed = Signal(object)
    """A `PromptBreakdown` of the current subject was counted."""

    def __init__(
        self,
        chat: OpenChat,
        models: ChatModels,
        chats: Chats,
        fitting: DocumentCounting,
        *,
        theme: Theme,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._chat, self._models, self._chats, self._fitting = chat, models, chats, fitting
        self._theme, self._notify, self._window = theme, notify, window
        self.parts: PromptBreakdown | None = None
        """Last count for the visible chat; None while unknown or outdated."""
        self._used_tokens = 0
        self._counted: ContextSubject | None = None
        self._seen: object = None
        self._timer = new_timer(self, DELAY_MS, self.count_context)
        models.options.changed.connect(self._timer.start)
        chat.session.listen(self._on_state)
        chat.session.serve(
            {
                m.ReportMemoryMoved: lambda _effect: self._on_memory_moved(),
                m.AskAboutContext: lambda effect: self._on_full(effect.place, effect.message_id),
            }
        )

    @property
    def is_counting(self) -> bool:
        return self._counted is not None

    def _on_state(self) -> None:
        """Count after a pause in typing, or once an answer has ended."""
        state = self._chat.session.state
        seen = (state.place, state.text, state.key, state.model, state.is_busy)
        if seen != self._seen:
            self._seen = seen
            self._timer.start()

    def _next_subject(self) -> ContextSubject | None:
        """Return what to count, or None while the model is unavailable or busy."""
        state, models = self._chat.session.state, self._models
        if models.state != "ready" or not models.can_chat or models.own.is_elsewhere:
            return None
        if state.is_busy or self._fitting.is_asking:
            return None
        place = state.place
        return ContextSubject(place.talk, place.conversation_id, state.text, state.key, models.options.planned)

    def count_context(self) -> bool:
        """Count now, or after the running count. Return whether the model is available."""
        self._timer.stop()
        # The tokenizer is busy with an earlier state of the message: once more, later.
        if (subject := self._next_subject()) is not None and self._counted is not None:
            self._timer.start()
        elif subject is not None:
            self._counted = subject
            parts_of = subject.talk.looks.break_down
            tasks.ask(
                lambda _token: parts_of(subject.conversation_id, subject.draft, subject.planned),
                self,
                self._on_parts,
                self._on_failed,
                self._on_end,
            )
        return subject is not None

    def coming(self) -> Look | None:
        """Return a function that lists the parts of the next prompt with their texts; None while the model is
        unavailable.
        """
        if (subject := self._next_subject()) is None:
            return None
        looks = subject.talk.looks
        return lambda _: looks.inspect_next(subject.conversation_id, subject.draft, subject.planned)

    def show_used(self, used_tokens: int) -> None:
        """Set the tokens used by the visible chat, as reported by the engine or the store; earlier counts are
        outdated.
        """
        self._used_tokens = used_tokens
        self.parts = None

    def note(self) -> str:
        """Return a short note for the composer; "" while there is room."""
        loaded, asks = self._chats.loaded(), self._chats.settings().chat.when_full == "ask"
        if loaded is None:
            return ""
        if self.parts is not None and self.parts.is_too_long:
            return tr(MESSAGE_TOO_LONG)
        if self.parts is not None and self.parts.is_over:
            return tr(TOO_LONG_WILL_ASK) if asks else tr(OLDEST_LEFT_OUT)
        if self._used_tokens < ALMOST_FULL * loaded.context_tokens:
            return ""
        return tr("Context almost full. Fireside will ask what to do.") if asks else tr(CONTEXT_ALMOST_FULL)

    def _on_parts(self, parts: PromptBreakdown | None) -> None:
        # The chat or the message may be another one by now.
        if parts is not None and self._next_subject() == self._counted:
            self.parts, self._used_tokens = parts, parts.used_tokens
            self.parts_changed.emit(parts)

    def _on_end(self) -> None:
        self._counted = None

    def _on_failed(self, error: BaseException) -> None:
        # Nobody asked for the count, so an expected error shows no notice.
        expected_error(error)

    def _on_memory_moved(self) -> None:
        self._chat.show_state()
        divider = self._chat.transcript.divider
        if divider.isVisible():
            announce(divider, divider.text())

    def _on_full(self, place: ChatPlace, message_id: int) -> None:
        """Ask what to do about a full context. The question is stored without an answer, and nothing was sent."""
        # The dialog would be about a chat that nobody sees.
        session = self._chat.session
        if session.state.place != place:
            self._notify.show_notice(
                PersonMessage("A chat no longer fits into the model’s context.", "Your message was kept.")
            )
            return
        # The question is stored, but the chat doesn't show it yet.
        session.dispatch(m.ReloadBranch())
        dialog = ContextFull(
            self._theme,
            self._window,
            compact=lambda: session.dispatch(command(message_id, when_full="compact")),
            begin_chat=lambda: self._on_new_chat(message_id),
        )
        stored = session.state.message_of(message_id)
        is_question = stored is not None and stored.role is Role.USER
        command = m.AnswerQuestion if is_question else m.ContinueAnswer
        dialog.open()

    def _on_new_chat(self, message_id: int) -> None:
        documents = self._chat.transcript.documents.attached(message_id)
        with self._notify.guard():
            message = self._chat.talk.conversations.get_message(message_id)
            if message is not None and message.role is Role.USER:
                media = self._chat.talk.conversations.media
                for use in media.of_messages([message_id]).get(message_id, []):
                    # Pictures move as draft entries: their files are shared, not copied.
                    media.put_into_draft(None, use.media.sha256, use.name, use.most_tokens)
                paths = tuple(attached.document.path for attached in documents)
                self._chat.session.send_request(m.BeginChat(message.text, paths))
            else:
                self._chat.session.send_request(m.BeginChat("", ()))


# The context in tokens: a bar, and a row for each part of the next prompt.

WIDTH_PX = 340
SWATCH_PX = 10

Row = tuple[str, int, float]
"""A row: label, tokens, and strength of its tint; 0 is the track's own colour."""


def rows_of(parts: PromptBreakdown) -> list[Row]:
    """Return the rows in the bar's order, without parts that the chat does not have."""
    free = parts.budget.context_tokens - parts.used_tokens - parts.budget.reserve_tokens
    return [
        (tr(SYSTEM_PROMPT), parts.system, 0.95),
        *([(tr("Project instructions"), parts.instructions, 0.9)] if parts.instructions else []),
        *([(tr("Project documents"), parts.project_documents, 0.7)] if parts.project_documents else []),
        *([(tr(MEMORIES_LABEL), parts.memories, 0.8)] if parts.memories else []),
        *([(tr(INSTRUCTIONS_FROM_BEFORE), parts.carried, 0.85)] if parts.carried else []),
        *([(tr(PINNED_MESSAGES), parts.pinned, 0.75)] if parts.pinned else []),
        *([(tr(DOCUMENTS_LABEL), parts.documents, 0.65)] if parts.documents else []),
        *([(tr(PICTURES), parts.pictures, 0.58)] if parts.pictures else []),
        (tr(EARLIER_TURNS), parts.earlier, 0.5),
        *([(tr("Recalled turns"), parts.recalled, 0.42)] if parts.recalled else []),
        (tr(THIS_MESSAGE), parts.message, 0.35),
        (tr(FREE), max(0, free), 0.0),
        (tr(RESERVED_FOR_ANSWER), parts.budget.reserve_tokens, 0.2),
    ]


def tint(theme: Theme, strength: float) -> QColor:
    """Mix a tone between track and text colour; `strength` is 0 to 1."""
    # Between these two, strengths keep their order in light and dark themes.
    low, high = QColor(theme.tokens.line), QColor(theme.tokens.text)
    mixed = [
        round(a + (b - a) * strength)
        for a, b in zip(low.getRgb()[:3], high.getRgb()[:3], strict=True)  # type: ignore[index]
    ]
    return QColor(*mixed)


class ContextPanel(FloatingPanel):
    """Popup with the parts of the context; Escape or a click outside closes it."""

    def __init__(self, theme: Theme, parent: QWidget, *, show_texts: Callable[[], object]) -> None:
        super().__init__(theme, "context_panel", parent)
        self.show_texts = show_texts
        """The parts should be shown with their texts."""
        self.setAccessibleName(tr(WHAT_MODEL_SEES))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        title = QLabel(tr(WHAT_MODEL_SEES))
        self._sum = plain_label(kind="muted")
        self._head = fill_layout(QHBoxLayout(), (title, 1), self._sum)
        self._rows: list[Row] = []
        self._bar = PartsBar(theme, tr(WHAT_MODEL_SEES), lambda number: tint(theme, self._rows[number][2]))
        self._table = self._table_of([])
        self._words = plain_label(tr(COUNTING), kind="muted", wraps=True)
        self._column = QVBoxLayout(self)
        theme.dress(title, font="section")
        theme.dress(self._sum, self._words, font="small")
        theme.dress(self._column, margins=(16, 14, 16, 16), spacing=10)
        fill_layout(self._column, self._head, self._bar, self._table, self._words)
        self._texts = text_button(tr("Show exact text"), "link", self, on_click=self._on_texts, name="exact_texts")
        self._texts.hide()
        self._column.addWidget(self._texts, 0, Qt.AlignmentFlag.AlignLeading)
        theme.dress(self._texts, font="control")
        self._fit_size()

    def show_parts(self, parts: PromptBreakdown) -> None:
        rows = self._rows = rows_of(parts)
        before, self._table = self._table, self._table_of(rows)
        self._column.replaceWidget(before, self._table)
        before.hide()
        before.deleteLater()
        self._texts.show()
        # Shown now: the height is computed from what is visible.
        self._table.show()
        said = [tr_count(PART_TOKEN, PART_TOKENS, tokens, part=words) for words, tokens, _ in rows]
        self._bar.show_parts(
            [BarPart(row[1], words) for row, words in zip(rows, said, strict=True)], parts.budget.context_tokens
        )
        whole = format_number(parts.budget.context_tokens)
        self._sum.setText(tr("{used} of {size} tokens", used=format_number(parts.used_tokens), size=whole))
        text = notes_on(parts)
        self._words.setText(text)
        self._words.setVisible(bool(text))
        set_mark(self._words, "kind", "danger" if parts.is_over else "muted")
        self.setAccessibleDescription(" ".join(part for part in ("; ".join(said) + ".", text) if part))
        self._fit_size()

    def _on_texts(self) -> None:
        self.close()
        self.show_texts()

    def show_words(self, text: str) -> None:
        self._words.setText(text)
        self._fit_size()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)

    def _table_of(self, rows: list[Row]) -> QWidget:
        table = QWidget(self)
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._theme.px(10))
        grid.setVerticalSpacing(self._theme.px(6))
        grid.setColumnStretch(1, 1)
        for number, (words, tokens, strength) in enumerate(rows):
            name, count = QLabel(words), QLabel(format_number(tokens))
            count.setAccessibleName(tr_count(PART_TOKEN, PART_TOKENS, tokens, part=words))
            self._theme.dress(name, count, font="small")
            grid.addWidget(_PartSwatch(self._theme, strength), number, 0)
            grid.addWidget(name, number, 1)
            grid.addWidget(count, number, 2, Qt.AlignmentFlag.AlignTrailing)
        return table

    def _fit_size(self) -> None:
        """Set the width to the head's, the height to the content's, and place the panel anew."""
        # Before it is shown a popup has neither its fonts nor its layout, which its size needs.
        self.ensurePolished()
        column, margins = self._column, self._column.contentsMargins()
        column.activate()
        head = self._head.sizeHint().width() + margins.left() + margins.right()
        self.setFixedWidth(max(self._theme.px(WIDTH_PX), head))
        # Without wrapped labels a layout has no height for a width.
        height = column.totalHeightForWidth(self.width()) if column.hasHeightForWidth() else -1
        self.setFixedHeight(height if height > 0 else column.totalSizeHint().height())
        self.place_again()


def notes_on(parts: PromptBreakdown) -> str:
    """Return a sentence or two about what the numbers mean for the next message; "" for nothing."""
    notes = []
    if parts.is_too_long:
        notes.append(tr(NEXT_NEVER_FITS))
    elif parts.is_over:
        notes.append(tr(NEXT_DOES_NOT_FIT))
    if parts.hidden:
        notes.append(tr_count(ONE_MESSAGE_LEFT_OUT, MESSAGES_LEFT_OUT, parts.hidden))
    return " ".join(notes)


class _PartSwatch(QWidget):
    """Colour sample of a part next to its name."""

    def __init__(self, theme: Theme, strength: float) -> None:
        super().__init__()
        self._theme, self._strength = theme, strength
        theme.dress(self, size=(SWATCH_PX, SWATCH_PX))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = smooth_painter(self)
        painter.setPen(QColor(self._theme.tokens.outline))
        painter.setBrush(tint(self._theme, self._strength))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
