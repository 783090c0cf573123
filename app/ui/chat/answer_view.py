"""View of one answer over the full width: streaming, state line, thinking, citations, and Markdown source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.core.events import AnswerStats, FinishReason, Role
from app.features.chat.tool_steps import ToolStep, steps_of
from app.features.error_messages import PersonMessage, model_words
from app.features.retrieval.support import UnsupportedParts, is_marked_not_found, quote_parts, unsupported_parts
from app.features.retrieval.support_messages import NO_SUPPORT, NO_SUPPORT_AND_MORE
from app.features.survey.wanted import made_of
from app.language.sentences import is_whole
from app.store.conversations import MessageState, StoredMessage
from app.ui.chat.actions import COPY_AS, MORE, VERSIONS, TurnAction, TurnCommand
from app.ui.chat.branch_documents import BranchDocuments, SourceRow
from app.ui.chat.folded_text import FoldedText
from app.ui.chat.survey import made_words
from app.ui.chat.turn import LEAD_PX, TURN_GAP_PX, TurnHost, TurnView
from app.ui.i18n import join_sentences, tr, tr_count
from app.ui.locale_formats import format_decimal, format_speed, join_facts, join_list
from app.ui.screen_reader import tell_busy
from app.ui.shared_labels import (
    ANSWER_LINE,
    CONTINUE,
    COPY,
    COPY_AS_MARKDOWN,
    EDIT_LABEL,
    FORK_CHAT,
    MINUTES_AND_SECONDS,
    NEW_CHAT,
    ONE_TOKEN,
    READ_ALOUD,
    REMEMBER_ANSWER,
    STOPPED_LABEL,
    TOKEN_COUNT,
    TOKENS_PER_SECOND,
    TRANSLATE_THIS,
    TRY_AGAIN,
)
from app.ui.shell.notify import ACTION_LABELS
from app.ui.text.code_view import CodeBlock, CodeText
from app.ui.text.copied_text import spoken_text
from app.ui.text.markdown import MarkdownStream
from app.ui.text.pieces import Code, Piece
from app.ui.text.selectable import SelectableText
from app.ui.text.text_body import MessageBody
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.motion import WAIT_MS, is_moving
from app.ui.widgets.spoken_views import IS_CODE
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.features.chat.tool_questions import ToolQuestion
    from app.ui.chat.permission_card import PermissionCard
    from app.ui.chat.sent_pictures import SentPictures
    from app.ui.chat.tool_steps_view import ToolStepsView

FIRST_TOKEN_AFTER_SECONDS = "first token {seconds} s"
THOUGHT_A_MOMENT = "Thought for a moment"
HIDE_THINKING = "Hide thinking"
THINKING = "Thinking…"
THOUGHT_FOR_SECONDS = "Thought for {seconds} s"
THOUGHT_WITHOUT_ANSWER = "The model thought but didn’t answer."
TOOK_TIME = "took {time}"
THOUGHTS = "Thoughts"
THOUGHT_FOR_MINUTES = "Thought for {minutes} min {seconds} s"
REGENERATE = "Regenerate"
ASK_ANOTHER_MODEL = "Ask another model…"
SHOW_TWO_VERSIONS = "Show two versions side by side"
COPY_AS_TEXT = "Copy as text"
COPY_ITS_CODE = "Copy code"
READ_AS_MARKDOWN = "Read as Markdown"
MAY_COME_FROM = "Possible sources"
NOT_FOUND_IN_DOCUMENT = "Not found in the document"
ANSWER_REACHED_LIMIT = "The answer reached its length limit."
ANSWER_REPEATED_ITSELF = "The answer repeated itself and was stopped."
ANSWER_FILLED_CONTEXT = "The answer filled the model’s context."

SLICE_S = 0.006
LEAST_PORTION = 200
MOST_PORTION = 2_000
STATE_GAP_PX = 10
"""Font sizes of the state line, and of the row of citations."""

MOST_WAITS = 3
"""Fades in a row that text waits for, half a second in all."""


class AnswerText(QObject):
    """Incremental layout of an answer's text: each turn of the event loop handles a few milliseconds' worth."""

    def __init__(self, parent: QObject, *, on_laid_out: Callable[[], object]) -> None:
        super().__init__(parent)
        self.on_laid_out = on_laid_out
        """More blocks were laid out."""
        self.text = ""
        """The complete text so far, laid out or not."""
        self.is_open = True
        """True while more text may follow."""
        self._stream = MarkdownStream()
        self._fed = 0
        self._revisions_before = 0
        self._portion = 4 * LEAST_PORTION
        self._slices = new_timer(self, 0, self._lay_out_at_rest, repeats=True)
        self._waits = new_timer(self, WAIT_MS, self._lay_out_at_rest)
        """Runs while text that came waits for something that fades or slides."""
        self._waits_left = MOST_WAITS

    @property
    def is_settled(self) -> bool:
        """True once all of the text is laid out."""
        return not self._slices.isActive() and not self._waits.isActive()

    @property
    def pieces(self) -> list[Piece]:
        return [piece for block in self._stream.blocks() for piece in block.pieces]

    def fill(self, body: MessageBody) -> None:
        stream = self._stream
        body.set_blocks(stream.closed, stream.open_blocks(), self._revisions_before + stream.revision)

    def append(self, text: str) -> None:
        """Append text, laid out immediately unless earlier text is waiting."""
        self.text += text
        if self.is_settled:
            self._lay_out_at_rest()

    def set_text(self, text: str, *, is_over: bool) -> None:
        """Replace the text, keeping the blocks laid out so far if it only extends them."""
        # Only other parts changed, such as the citations.
        if text == self.text and not self.is_open:
            return
        if not text.startswith(self.text) or not self.is_open:
            self._begin()
        self.text = text
        self.is_open = self.is_open and not is_over
        self._lay_out()

    def reopen(self) -> None:
        """Lay out the text again with its end open for more."""
        self.is_open = True
        self._begin()
        self._lay_out()

    def stop(self) -> None:
        self._slices.stop()
        self._waits.stop()

    def _begin(self) -> None:
        # The body tells by the revision what is new, so it must not begin at 0 again.
        self._revisions_before += self._stream.revision + 1
        self._stream, self._fed = MarkdownStream(), 0

    def _lay_out_at_rest(self) -> None:
        # Bounded, or text would never come while one thing after the other moves.
        if is_moving() and self._waits_left:
            self._waits_left -= 1
            self._slices.stop()
            self._waits.start()
        else:
            self._lay_out()

    def _lay_out(self) -> None:
        self._waits.stop()
        self._waits_left = MOST_WAITS
        # Not wall time: other programs may hold the processor meanwhile.
        begin_s = time.thread_time()
        end = min(self._fed + self._portion, len(self.text))
        self._stream.feed(self.text[self._fed : end])
        self._fed = end
        if end < len(self.text):
            self._slices.start()
        else:
            self._slices.stop()
            if not self.is_open:
                self._stream.finish()
        self.on_laid_out()
        took_s = time.thread_time() - begin_s
        # Portions follow the time of the last one, so that a slow computer stays usable, too.
        if took_s > SLICE_S:
            self._portion = max(self._portion // 2, LEAST_PORTION)
        elif end < len(self.text):
            self._portion = min(self._portion * 2, MOST_PORTION)


class AnswerView(TurnView):
    """View of one answer: call `append` while it streams, `set_message` for what is stored."""

    role = Role.ASSISTANT
    has_actions_at_end = True

    def __init__(self, theme: Theme, parent: QWidget | None = None, host: TurnHost | None = None) -> None:
        super().__init__(theme, parent, host)
        # Created on first use: a long chat saves a thousand widgets of each kind.
        self._thinking: ThinkingView | None = None
        self._steps: ToolStepsView | None = None
        self._state: StateLine | None = None
        self.evidence = AnswerEvidence(self)
        self.body = MessageBody(theme, self)
        self.body.link_clicked.connect(self.host.link_clicked)
        self.body.resized.connect(lambda: self.host.resized.emit(self))
        self.body.fold_toggled.connect(self._on_opened)
        self.source: MarkdownSource | None = None
        """The answer’s Markdown, shown instead of its formatted text."""
        self.has_earlier_turns = False
        """True if earlier turns could be dropped from the context to make room for a longer answer."""
        self.can_translate = True
        """True if the answer offers to be translated."""
        self.is_whole = False
        """True if the answer was made from whole documents."""
        self.written = AnswerText(self, on_laid_out=self._show)
        self._is_opened = False
        """True if the user expanded something in the answer."""
        self.setAccessibleName(tr("Answer"))

    @property
    def text(self) -> str:
        return self.written.text

    @property
    def thinking_text(self) -> str:
        return self._thinking.text if self._thinking is not None else ""

    @property
    def thinking(self) -> ThinkingView:
        """The view of the model's thinking, created on first access; hidden without any."""
        if self._thinking is None:
            self._thinking = ThinkingView(
                self.theme, self, on_opened=self._on_opened, on_resized=lambda: self.host.resized.emit(self)
            )
        return self._thinking

    @property
    def is_kept(self) -> bool:
        # Text that could not be stored exists only here.
        if self.message is None or self.message.text != self.text:
            return True
        is_error = self._state is not None and self._state.is_error
        return is_error or super().is_kept or self._is_opened or self.source is not None

    def show_documents(self, documents: BranchDocuments) -> None:
        self.evidence.documents = documents
        # Without documents nothing in brackets is a link to a page.
        self.body.has_page = documents.has_page if documents.ids else None
        self.evidence.show()

    def show_steps(self, steps: Sequence[ToolStep]) -> None:
        """Show what tools did for the answer, above its text."""
        if self._steps is None and steps:
            from app.ui.chat.tool_steps_view import ToolStepsView  # few answers have any

            self._steps = ToolStepsView(
                self.theme, self, on_opened=self._on_opened, on_resized=lambda: self.host.resized.emit(self)
            )
        if self._steps is not None:
            self._steps.show_steps(steps)

    def append_thinking(self, text: str) -> None:
        self.show_state("")
        self.thinking.append(text)

    def append(self, text: str) -> None:
        """Append streamed text and lay it out at once."""
        self.show_state("")
        self.written.append(text)

    def set_message(self, message: StoredMessage) -> None:
        """Show a stored answer, or the final state of the one that was streaming."""
        # Another version's thinking was not asked for.
        if self._thinking is not None and self.message is not None and self.message.id != message.id:
            self._thinking.set_open(False)
        self.message, self.is_whole = message, made_of(message.sources) is not None
        if message.thinking or self._thinking is not None:
            self.thinking.set_text(message.thinking, message.thinking_s)
        self.show_steps(steps_of(message.sources))
        is_over = message.state != MessageState.WRITING
        if is_over:
            self.show_state(*state_words(message, can_continue=self._can_continue()))
        self.written.set_text(message.text, is_over=is_over)
        self.evidence.show()
        self._name_turn()
        self.update_actions()

    def continue_from_here(self) -> None:
        """Reopen the stored text so that the continued answer appends to it."""
        self.written.reopen()
        self.evidence.show()
        self.show_state("")

    def show_state(self, text: str, name: str = "", label: str = "", *, is_error: bool = False) -> None:
        """Show a state, such as waiting, reading or stopping, perhaps with the name and label of an action."""
        if text and self._state is None:
            self._state = StateLine(
                self.theme, self, run_action=lambda pressed: self.host.action_requested.emit(pressed, self)
            )
        if self._state is not None and self._state.show_sentence(text, name, label, is_error=is_error):
            self.host.resized.emit(self)

    def fail(self, sentence: PersonMessage) -> None:
        """Show an error with its one action."""
        action = sentence.action if sentence.action in ACTION_LABELS else "retry"
        self.show_state(str(sentence), action, tr(ACTION_LABELS[action]), is_error=True)
        self._name_turn()

    def spoken_views(self) -> Sequence[SelectableText]:
        if self.source is not None:
            return [self.source]
        shown = [view for view in self.body.views if view.isVisibleTo(self)]
        return [
            text
            for view in shown
            for text in ([view] if isinstance(view, SelectableText) else view.findChildren(SelectableText))
        ]

    def show_markdown(self, is_shown: bool) -> None:
        """Replace the formatted answer by its Markdown source, or restore it."""
        if is_shown:
            self.source = MarkdownSource(self.theme, self, self.text)
        elif self.source is not None:
            self.source.hide()
            self.source.deleteLater()
            self.source = None
        self.body.setVisible(not is_shown)
        self.update_actions()
        self.host.resized.emit(self)

    @property
    def is_changing(self) -> bool:
        return self.written.is_open or super().is_changing

    def actions_offered(self) -> Sequence[TurnAction]:
        actions = [TurnAction(TurnCommand.COPY, "copy", tr(COPY), is_quick=True)]
        if self.text and self.host.read_aloud is not None:
            aloud = tr(READ_ALOUD)
            actions.append(TurnAction(TurnCommand.READ_ALOUD, "speaker-high", aloud, is_quick=True, group=MORE))
        if self.text:
            actions.append(TurnAction(TurnCommand.COPY_TEXT, "text-t", tr(COPY_AS_TEXT), group=COPY_AS))
            actions.append(TurnAction(TurnCommand.COPY_MARKDOWN, "hash", tr(COPY_AS_MARKDOWN), group=COPY_AS))
        if any(isinstance(piece, Code) for piece in self.written.pieces):
            actions.append(TurnAction(TurnCommand.COPY_CODE, "code", tr(COPY_ITS_CODE), group=COPY_AS))
        actions.append(
            TurnAction(TurnCommand.REGENERATE, "arrow-clockwise", tr(REGENERATE), is_quick=True, begins=True)
        )
        actions.append(TurnAction(TurnCommand.COMPARE_WITH, "columns", tr(ASK_ANOTHER_MODEL)))
        actions.append(TurnAction(TurnCommand.EDIT, "pencil-simple", tr(EDIT_LABEL), begins=True))
        actions.append(TurnAction(TurnCommand.FORK, "git-fork", tr(FORK_CHAT), group=VERSIONS))
        if self.toolbar.version:
            actions.append(TurnAction(TurnCommand.BESIDE, "git-diff", tr(SHOW_TWO_VERSIONS), group=VERSIONS))
        # An icon only where the line below the answer doesn't offer it in words.
        if self._can_continue():
            is_quick = self._state is None or not self._state.offers("continue")
            actions.append(TurnAction(TurnCommand.CONTINUE, "play", tr(CONTINUE), is_quick=is_quick, group=MORE))
        raw, is_raw = tr(READ_AS_MARKDOWN), self.source is not None
        actions.append(TurnAction(TurnCommand.MARKDOWN, "brackets-angle", raw, checked=is_raw, group=MORE))
        if self.text and self.can_translate:
            actions.append(TurnAction(TurnCommand.TRANSLATE, "translate", tr(TRANSLATE_THIS), group=MORE))
        if self.text:
            actions.append(TurnAction(TurnCommand.REMEMBER, "bookmark-simple", tr(REMEMBER_ANSWER), group=MORE))
        return actions

    def note(self) -> str:
        made = made_of(self.message.sources) if self.message is not None else None
        if made is not None:
            return made_words(made)
        if (message := self.message) is None:
            return ""
        took = tr(TOOK_TIME, time=time_text(message.stats.total_s)) if message.stats is not None else ""
        return join_facts((model_words(message.model), took))

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        px = self.theme.px
        top = self._thinking.arrange(width) if self._thinking is not None else 0
        if self._thinking is not None:
            self._thinking.setGeometry(0, 0, width, top)
        if self._steps is not None:
            height = self._steps.arrange(width)
            self._steps.setGeometry(0, top, width, height)
            top += height
        if not top and self._begins_with_box:
            top = px(LEAD_PX)
        self.body.setVisible(self.source is None and self.editor is None)
        if self.source is not None:
            self.source.setVisible(self.editor is None)
        if self.editor is not None:
            height = self.editor.sizeHint().height()
            self.editor.setGeometry(0, top, width, height)
        elif self.source is not None:
            height = self.source.height_for(width)
            self.source.setGeometry(0, top, width, height)
        else:
            height = self.body.arrange(width, is_again=is_again)
            self.body.setGeometry(0, top, width, height)
        height += top
        # From the top down; what is hidden takes no room, nor the gap above it.
        for line in self.evidence.lines_around(self._state):
            if not line.isHidden():
                height += px(STATE_GAP_PX) if height else 0
                line_height = line.height_for(width)
                line.setGeometry(0, height, width, line_height)
                height += line_height
        return height + px(TURN_GAP_PX)

    @property
    def _begins_with_box(self) -> bool:
        if self.source is not None or self.editor is not None:
            return True
        return bool(self.body.views) and isinstance(self.body.views[0], CodeBlock)

    def _name_turn(self) -> None:
        """Name the answer by its beginning, and by what is said of it, such as that it failed."""
        text = self.message.text if self.message is not None else ""
        words = (spoken_text(text[:400])[:200], self._state.text if self._state is not None else "")
        self.setAccessibleName(tr(ANSWER_LINE, words=join_sentences(words)))

    def _on_opened(self) -> None:
        self._is_opened = True
        self.host.opened.emit(self)

    def _can_continue(self) -> bool:
        if (message := self.message) is None or not self.is_last or not message.text:
            return False
        reason = message.stats.finish_reason if message.stats is not None else None
        is_cut = reason in (FinishReason.LENGTH, FinishReason.REPEATED) or (
            reason is FinishReason.CONTEXT and self.has_earlier_turns
        )
        # An answer edited by hand has no finish reason.
        is_cut = is_cut or (reason is None and not is_whole(message.text))
        return is_cut or message.state in (MessageState.STOPPED, MessageState.INTERRUPTED, MessageState.FAILED)

    def set_last(self, is_last: bool) -> None:
        super().set_last(is_last)
        # An error stays until the next try, whatever becomes of the turns below.
        is_error = self._state is not None and self._state.is_error
        if self.message is not None and not self.written.is_open and not is_error:
            self.show_state(*state_words(self.message, can_continue=self._can_continue()))

    def _show(self) -> None:
        tell_busy(self, self.written.is_open)
        self.written.fill(self.body)
        if self.source is not None:
            self.source.set_text(self.text)
        self.host.resized.emit(self)


class MarkdownSource(CodeText):
    """View of an answer’s Markdown as the model wrote it, in place of the formatted text."""

    def __init__(self, theme: Theme, parent: QWidget, text: str) -> None:
        super().__init__(theme, parent)
        self.setLineWrapMode(CodeText.LineWrapMode.FixedPixelWidth)
        self.setAccessibleName(tr("Answer as Markdown"))
        self.setProperty(IS_CODE, False)
        self.set_text(text)
        self.show()


class AnswerEvidence:
    """What follows an answer: a question about a tool, pictures that the model drew, citations, and what a claim
    checker doubts.
    """

    def __init__(self, answer: AnswerView) -> None:
        self._answer = answer
        self.documents: BranchDocuments | None = None
        self._sources: SourceRow | None = None
        self._doubts: StateLine | None = None
        self._pictures: SentPictures | None = None
        self._card: PermissionCard | None = None

    def lines_around(self, state: StateLine | None) -> Iterator[PermissionCard | SentPictures | SourceRow | StateLine]:
        """Return what there is with the line of the answer's state, from the top down."""
        lines = (self._card, self._pictures, state, self._sources, self._doubts)
        return (line for line in lines if line is not None)

    def show_question(self, question: ToolQuestion | None, on_answer: Callable[[str | None], object]) -> None:
        """Ask below the text whether a tool may be called, or ask nothing any more."""
        if (self._card.question if self._card is not None else None) is question:
            return
        answer = self._answer
        if self._card is not None:
            self._card.hide()
            self._card.deleteLater()
            self._card = None
        if question is not None:
            from app.ui.chat.permission_card import PermissionCard  # few answers ask

            answer.show_state("")
            self._card = PermissionCard(answer.theme, answer, question, on_answer)
            self._card.show()
        answer.host.resized.emit(answer)

    @property
    def sources(self) -> SourceRow:
        """The row of citations below the answer, created on first access; hidden without any."""
        if self._sources is None:
            answer = self._answer
            self._sources = SourceRow(answer.theme, answer, answer.host.place_wanted.emit)
        return self._sources

    def show(self) -> None:
        """Show what follows the text: pictures that the model drew, and citations."""
        answer, message = self._answer, self._answer.message
        if message is None or self.documents is None:
            return
        if (uses := self.documents.pictures(message.id)) and self._pictures is None:
            # Few answers have one.
            from app.ui.chat.sent_pictures import SentPictures

            self._pictures = SentPictures(answer.theme, answer)
        if self._pictures is not None and self._pictures.show_uses(self.documents, uses):
            answer.host.resized.emit(answer)
        # Whole documents are cited line by line.
        places = [] if answer.written.is_open or answer.is_whole else self.documents.sources(message)
        if not places and not answer.written.is_open and is_marked_not_found(message.sources):
            is_one = len(self.documents.ids) < 2
            words = tr(NOT_FOUND_IN_DOCUMENT) if is_one else tr("Not found in the documents")
            self.sources.show_words(
                words, tr("No passage says anything like this answer, so the model may have made it up.")
            )
            answer.host.resized.emit(answer)
        elif places or self._sources is not None:
            self.sources.show_places(tr(MAY_COME_FROM), places)
            answer.host.resized.emit(answer)
        parts = None if answer.written.is_open else unsupported_parts(message.sources)
        self.show_check(doubt_words(message.text, parts) if parts is not None else "")

    def show_check(self, words: str) -> None:
        """Show the claim checker's progress or findings below the citations; "" hides them."""
        if self._doubts is None and words:
            self._doubts = StateLine(self._answer.theme, self._answer, run_action=lambda _name: None)
            self._doubts.setObjectName("answer_doubts")
            self._doubts.setToolTip(tr("A second model checks answers against the passages. It can be wrong."))
        # A checker that ends without a finding must not have a long answer laid out again.
        if self._doubts is not None and self._doubts.show_sentence(words):
            self._answer.host.resized.emit(self._answer)


def state_words(message: StoredMessage, *, can_continue: bool) -> tuple[str, ...]:
    """Return the state text of a stored answer, followed by the name and label of its action if there is one."""
    reason = message.stats.finish_reason if message.stats else None
    go_on = ("continue", tr(CONTINUE)) if can_continue else ()
    again = ("retry", tr(TRY_AGAIN))
    said: tuple[str, ...] = ("",)
    if message.state == MessageState.INTERRUPTED and message.text:
        said = tr("Interrupted. The text so far was kept."), *go_on
    elif message.state in (MessageState.INTERRUPTED, MessageState.FAILED):
        said = tr("No answer came. Your message was kept."), *again
    elif message.state == MessageState.STOPPED:
        said = tr(STOPPED_LABEL), *(go_on if message.text else again)
    elif reason == FinishReason.LENGTH:
        said = tr(ANSWER_REACHED_LIMIT), *go_on
    elif reason == FinishReason.REPEATED:
        said = tr(ANSWER_REPEATED_ITSELF), *go_on
    elif reason == FinishReason.CONTEXT:
        said = tr(ANSWER_FILLED_CONTEXT), *(go_on or ("new_chat", tr(NEW_CHAT)))
    elif not message.text and message.thinking:
        said = tr(THOUGHT_WITHOUT_ANSWER), *again
    elif not message.text:
        said = tr("The model returned an empty answer."), *again
    return said


def doubt_words(text: str, parts: UnsupportedParts) -> str:
    """Return a sentence that quotes the parts of an answer for which the claim checker found no support; ""
    for none.
    """
    quoted, left = quote_parts(text, parts)
    words = join_list(f"“{part}”" for part in quoted)
    if left:
        return tr(NO_SUPPORT_AND_MORE, words=words, count=left)
    return tr(NO_SUPPORT, words=words) if words else ""


class StateLine(QWidget):
    """Sentence in a muted or danger colour, with at most one action."""

    def __init__(self, theme: Theme, parent: QWidget, *, run_action: Callable[[str], object]) -> None:
        super().__init__(parent)
        self.run_action = run_action
        """Gets the name of the action that was pressed."""
        self._theme = theme
        self._name = ""
        self.is_error = False
        self._label = plain_label(wraps=True, parent=self)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button: QPushButton = text_button("", "link", self, on_click=lambda: self.run_action(self._name))
        theme.dress(fill_layout(QHBoxLayout(self), self._label, self._button, 1), margins=(0, 0, 0, 0), spacing=8)
        theme.dress(self._label, font="small")
        theme.dress(self._button, font="control")
        self.hide()

    @property
    def text(self) -> str:
        return self._label.text()

    def offers(self, name: str) -> bool:
        return self._name == name and not self.isHidden()

    def show_sentence(self, text: str, name: str = "", label: str = "", *, is_error: bool = False) -> bool:
        """Show a sentence with an optional action; an empty one hides the line. Return whether it is another one."""
        if (text, name) == (self.text, self._name) and is_error == self.is_error:
            return False
        self._name, self.is_error = name, is_error
        # Or the label asks for as much room as the text before.
        self._label.setMinimumWidth(0)
        self._label.setText(text)
        set_mark(self._label, "kind", "danger" if is_error else "muted")
        self._label.setAccessibleName(text)
        self._button.setText(label)
        self._button.setAccessibleName(label)
        self._button.setVisible(bool(name))
        self.setVisible(bool(text))
        return True

    def height_for(self, width: int) -> int:
        # Measured here, as a wrapped label alone would take the whole width.
        button = self._button.sizeHint() if self._name else self._label.sizeHint()
        room = width - (button.width() + self._theme.px(8) if self._name else 0)
        wide = self._label.fontMetrics().horizontalAdvance(self._label.text()) + self._theme.px(4)
        self._label.setMinimumWidth(max(0, min(wide, room)))  # in a chat that gave its place away there is none
        return max(self._label.heightForWidth(room), button.height() if self._name else 0)


def time_text(seconds: float) -> str:
    """Format a measured time: "3.2 s", "1 min 4 s"."""
    if seconds < 60:
        return tr("{seconds} s", seconds=format_decimal(seconds, 1))
    minutes, rest = divmod(round(seconds), 60)
    return tr(MINUTES_AND_SECONDS, minutes=minutes, seconds=rest)


def stats_text(stats: AnswerStats) -> str:
    """Format the engine's measurements as one line: tokens, speed, time to the first token."""
    parts = [tr_count(ONE_TOKEN, TOKEN_COUNT, stats.generated_tokens)]
    if stats.tokens_per_s > 0:
        speed = format_speed(stats.tokens_per_s)
        parts.append(tr(TOKENS_PER_SECOND, speed=speed))
    parts.append(tr(FIRST_TOKEN_AFTER_SECONDS, seconds=format_decimal(stats.time_to_first_token_s, 1)))
    return join_facts(parts)


# The model's thinking before the answer: one muted line that expands to the text.


class ThinkingView(FoldedText):
    """Collapsible view of the model's thinking, which may still grow."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        on_opened: Callable[[], object],
        on_resized: Callable[[], object],
    ) -> None:
        self._seconds: float | None = None
        self._is_going_on = False
        super().__init__(theme, parent, name="thinking", on_opened=on_opened, on_resized=on_resized)

    def append(self, text: str) -> None:
        self._is_going_on = True
        self.append_text(text)

    def set_text(self, text: str, seconds: float | None) -> None:
        """Set the complete thinking and its duration; None if unknown."""
        self.replace_text(text)
        self.end(seconds)

    def end(self, seconds: float | None) -> None:
        """Mark the thinking as finished because the answer begins or the output ended."""
        self._is_going_on = False
        self._seconds = seconds
        self.update_line()

    def line_words(self) -> str:
        return tr(THINKING) if self._is_going_on else thought_for(self._seconds)

    def fold_words(self) -> tuple[str, str]:
        return tr("Show thinking"), tr(HIDE_THINKING)

    def text_name(self) -> str:
        return tr("What the model thought")


def thought_for(seconds: float | None) -> str:
    if seconds is None:
        return tr(THOUGHTS)
    if seconds < 1:
        return tr(THOUGHT_A_MOMENT)
    if seconds < 60:
        # 60 seconds would be a minute.
        return tr(THOUGHT_FOR_SECONDS, seconds=round(seconds) if seconds < 59.5 else 59)
    minutes, rest = divmod(round(seconds), 60)
    return tr(THOUGHT_FOR_MINUTES, minutes=minutes, seconds=rest)
