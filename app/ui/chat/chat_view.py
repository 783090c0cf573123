"""The chat: transcript above, composer below, and the one answer that may be running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.paths import starter_model
from app.features.chat.answers import Chat
from app.features.chat.prompts import hidden_ids
from app.features.messages import NO_PICTURES
from app.ui.chat.answer_view import AnswerView
from app.ui.chat.answering import Answering, Work
from app.ui.chat.attaching import Attaching
from app.ui.chat.chat_documents import ChatDocuments
from app.ui.chat.chat_memory import ChatMemory
from app.ui.chat.chat_options import ChatOptions
from app.ui.chat.composer import Composer
from app.ui.chat.draft_document import DraftDocument
from app.ui.chat.empty_state import EmptyState
from app.ui.chat.live_answer import LiveAnswer
from app.ui.chat.temporary_banner import TemporaryBanner
from app.ui.chat.transcript import Transcript
from app.ui.chat.turn_actions import TurnActions
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import EDGE_PX, READING_PX, Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.store.conversations import StoredMessage

DRAFT_MS = 800
LOW_PX = 150
"""A view as low as that, as drawn, has room for one line to write in."""


class ChatView(QWidget):
    """Shows one conversation; None is a new one, made in the store with its first message.

    `talk` is whose conversation it is: the program's own, or a temporary one's that goes when it is left.
    """

    title_changed = Signal(int)
    """A conversation whose row should be refreshed: new, renamed, touched."""
    context_changed = Signal(int)
    """Tokens that the chat that is shown takes in the model's context, while an answer is written and after it."""
    parts_changed = Signal(object)
    """`Parts` of the next prompt, counted while it is written."""
    model_wanted = Signal()
    translate_wanted = Signal(str)
    """A text that is to be translated in its own tab."""
    wake_wanted = Signal()
    """Something is to be counted, and the model sleeps."""
    document_wanted = Signal(object, int, object)
    """Whose documents, one of them, and the `Mark` in it or None."""
    documents_known = Signal(object)
    """Another chat is shown; its documents as a set of (whose, id)."""
    answer_grew = Signal()
    """Something of the answer has come, also while another chat is looked at."""
    answer_started = Signal(int)
    """The id of the answer."""
    answer_finished = Signal(int)
    """The id of the answer, whatever ended it; 0 when it never had one."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify = app, theme, notify
        self.talk: Chat = app.chat
        self._conversation_id: int | None = None
        self._is_draft_loading = False
        self._waits_for: tuple[DraftDocument, ...] = ()
        """The documents that a message which was sent still waits for."""
        self.model_state = "asleep"
        self.transcript = Transcript(theme)
        self.empty = EmptyState(theme)
        self.composer = Composer(theme)
        self.options = ChatOptions(
            self.composer,
            store=lambda: self.talk.conversations,
            settings=lambda: app.settings,
            loaded=lambda: app.engine.loaded,
            notify=notify,
            theme=theme,
            parent=self,
        )
        self.attaching = Attaching(
            self.composer.attachments,
            theme=theme,
            notify=notify,
            model=lambda: app.engine.loaded,
            is_free=lambda: not self.busy and not self.memory.is_counting,
            system=lambda: self.options.system_prompt,
            parent=self,
        )
        self.documents = ChatDocuments(self, notify)
        self.live = LiveAnswer(self, app, notify)
        self.memory = ChatMemory(self, app, theme, notify)
        self._actions = TurnActions(self, notify)
        self._banner = TemporaryBanner(theme)
        self._draft_timer = QTimer(self, singleShot=True, interval=DRAFT_MS)
        self._draft_timer.timeout.connect(self.save_draft)
        self._lay_out()
        self._connect()
        self._show_model()
        self._load_draft(app.settings.window.new_chat_draft)
        self.show_conversation(None)

    @property
    def conversation_id(self) -> int | None:
        """The conversation that is shown; None for a new chat."""
        return self._conversation_id

    @property
    def is_temporary(self) -> bool:
        """Whether nothing of the chat that is shown is kept."""
        return self.talk.is_temporary

    @property
    def busy(self) -> bool:
        """Whether an answer is running, in this conversation or another."""
        return self.live.answering is not None

    def show_conversation(self, conversation_id: int | None) -> None:
        """Opens a conversation, with its draft; an answer that runs elsewhere goes on."""
        self.save_draft()
        self._leave_temporary()
        self._show(conversation_id)

    def show_temporary(self) -> None:
        """Opens a chat of which nothing is kept."""
        self.save_draft()
        self._leave_temporary()
        self.talk = self._app.temporary_chat()
        self._show(None)

    def _leave_temporary(self) -> None:
        """What is shown goes for good when it is a temporary chat; an answer that is being written there stops."""
        if not self.is_temporary:
            return
        if self._conversation_id is not None:
            self.stop_in(self._conversation_id)
        if self.transcript.turns:
            self._notify.mention(tr("Temporary chat closed. Nothing of it was kept."))
        self.talk = self._app.chat

    def _show(self, conversation_id: int | None) -> None:
        conversation, self._waits_for = None, ()
        messages: list[StoredMessage] = []
        try:
            if conversation_id is not None:
                conversation = self.talk.conversations.get(conversation_id)
                messages = self.talk.conversations.path(conversation_id) if conversation else []
        except AppError as error:
            self._notify.error(error)
        self._banner.setVisible(self.is_temporary)
        self.transcript.can_translate = not self.is_temporary  # what is translated is kept in a list
        self._conversation_id = conversation.id if conversation else None
        self.options.show(conversation)
        running_id = self.live.message_id_in(self._conversation_id)
        self.documents.load(messages)
        self.transcript.open([message for message in messages if message.id != running_id])
        self.transcript.set_hidden(hidden_ids(conversation, messages) if conversation else ())
        self.live.attach()
        self.show_empty_or_turns()
        draft = conversation.draft if conversation else self._app.settings.window.new_chat_draft
        self._load_draft("" if self.is_temporary else draft)
        self.attaching.show(self.talk, self._conversation_id)
        self.documents.tell()
        used = [m.stats.prompt_tokens + m.stats.generated_tokens for m in messages if m.stats is not None]
        self.context_changed.emit(used[-1] if used else 0)
        self.update_note()

    def set_model_state(self, state: str, text: str) -> None:  # noqa: ARG002
        """asleep, loading, ready or failed. A message sent while it loads is queued and says so."""
        self.model_state = state
        self._show_model()
        self.options.refresh()
        self.attaching.look_again()
        self.live.show_waiting()
        self.update_note()

    def focus_composer(self) -> None:
        """The keyboard to the message field."""
        self.composer.field.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def stop(self) -> None:
        """Stops the answer that runs; what has come is kept."""
        self.live.stop()

    def stop_in(self, conversation_id: int) -> bool:
        """Stops the answer that runs, if it is this conversation's; whether it is."""
        is_running = self.live.answering is not None and self.live.answering.conversation_id == conversation_id
        if is_running:
            self.stop()
        return is_running

    def count_context(self) -> bool:
        """Has the parts of the next prompt counted; whether that can be now."""
        return self.memory.look()

    def refresh(self) -> None:
        """Shows the chosen branch as it is stored now."""
        if self._conversation_id is not None:
            messages = self.talk.conversations.path(self._conversation_id)
            self.documents.load(messages)
            self.transcript.update_to(messages)
            self.show_hidden()
        self.show_empty_or_turns()

    def show_hidden(self) -> None:
        """Where the model's memory begins now."""
        if self._conversation_id is not None:
            self.transcript.set_hidden(self.talk.hidden_ids(self._conversation_id))

    def start(self, work: Work, view: AnswerView | None = None) -> None:
        """Runs an answer in the conversation that is shown; in `view` when it goes on there."""
        if self._conversation_id is None:
            return
        view = view or self.transcript.add_answer()
        self.show_empty_or_turns()
        self.transcript.jump_to_latest()
        answering = Answering(work, self._conversation_id, self)
        self.live.run(answering, view)
        self.memory.follow(answering)
        self.documents.follow(answering)
        self.composer.set_answering(True)

    def go_on(self, answer_id: int, *, when_full: str = "") -> None:
        """Continues the last answer where it stopped."""
        talk, turn = self.talk, self.transcript.turn_of(answer_id)
        if isinstance(turn, AnswerView):
            turn.continue_from_here()
            self.start(lambda token: talk.continue_answer(answer_id, token, when_full=when_full), turn)

    def show_empty_or_turns(self) -> None:
        """The greeting while there is no turn."""
        self._stack.setCurrentWidget(self.transcript if self.transcript.turns else self.empty)

    def update_note(self) -> None:
        """A few words beside the buttons of the composer."""
        answering = self.live.answering
        note = ""
        if answering is not None and answering.conversation_id != self._conversation_id:
            note = tr("An answer is being written in another chat")
        elif answering is None and self.model_state == "loading":
            note = tr("The model is loading. A message sent now waits for it.")
        elif answering is None:
            note = self.memory.note()
        hold = self.attaching.hold()
        if self._waits_for:
            note = tr("Sent as soon as {name} has been read. Esc takes it back.", name=self.attaching.waits_for)
        elif hold and answering is None:
            note = hold
        self.composer.set_note(note)

    def save_draft(self) -> None:
        """Keeps what is written but not sent."""
        self._draft_timer.stop()
        text = self.composer.text
        if self.is_temporary:
            return
        try:
            if self._conversation_id is None:
                if text != self._app.settings.window.new_chat_draft:
                    self._app.change("window", new_chat_draft=text)
                return
            conversation = self._app.conversations.get(self._conversation_id)
            if conversation is not None and conversation.draft != text:
                self._app.conversations.update(self._conversation_id, draft=text)
        except AppError as error:
            self._notify.error(error)

    def hideEvent(self, event: QHideEvent) -> None:
        self.save_draft()
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._waits_for:
            self._waits_for = ()
            self.update_note()
            return
        if event.key() == Qt.Key.Key_Escape and self.busy:
            self.stop()
            return
        super().keyPressEvent(event)

    # Wiring.

    def _lay_out(self) -> None:
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.transcript)
        self.transcript.setMinimumHeight(1)  # what is written goes before it
        self._above = QHBoxLayout()
        self._above.addStretch(1)
        self._above.addWidget(self._banner)
        self._above.addStretch(1)
        self._bottom = QHBoxLayout()
        self._bottom.addWidget(self.composer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._stack, 1)
        column.addLayout(self._above)
        column.addLayout(self._bottom)
        self._on_theme_changed()

    def _connect(self) -> None:
        self._theme.changed.connect(self._on_theme_changed)
        self.composer.sent.connect(self._on_sent)
        self.composer.stop_wanted.connect(self.stop)
        self.composer.edit_last_wanted.connect(self._actions.edit_last)
        self.composer.changed.connect(self._on_composer_changed)
        self.memory.parts_changed.connect(self.parts_changed)
        self.empty.chosen.connect(self._on_idea)
        self.empty.model_wanted.connect(self.model_wanted)
        self.transcript.wanted.connect(self._actions.do)
        self.composer.field.edit.files_pasted.connect(self.attaching.add)
        self.composer.field.edit.picture_pasted.connect(lambda: self._notify.tell(NO_PICTURES))
        self.composer.attach_wanted.connect(self.attaching.ask)
        self.composer.changed.connect(self.attaching.nudge)
        self.attaching.changed.connect(self._on_attached)
        self.attaching.changed.connect(self.memory.look_later)
        self.attaching.model_wanted.connect(self.wake_wanted)
        self.answer_finished.connect(self.attaching.look_again)
        self.answer_finished.connect(self._on_attached)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        width = min(px(READING_PX), self.width() - 2 * px(EDGE_PX))
        left = (self.width() - width) // 2
        self._above.setContentsMargins(left, px(4), left, px(4))
        is_low = self.height() < px(LOW_PX)
        self.composer.set_compact(is_low)
        self._bottom.setContentsMargins(left, px(4), self.width() - width - left, px(6 if is_low else 16))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._on_theme_changed()

    def _show_model(self) -> None:
        path = self._app.model_path()
        self.empty.set_model(is_starter=path is not None and path == starter_model(), is_there=path is not None)

    # What the person does.

    def _on_sent(self, text: str) -> None:
        if self.busy:
            return
        if self.attaching.hold():
            self._waits_for = tuple(self.attaching.shown)
            self.update_note()
            return
        conversations, talk = self.talk.conversations, self.talk
        draft_of = self.attaching.draft_of
        try:
            if self._conversation_id is None:
                self._conversation_id = self.options.create().id
                if not self.is_temporary and self._app.settings.window.new_chat_draft:
                    self._app.change("window", new_chat_draft="")
            question = talk.add_question(self._conversation_id, text, draft_of=draft_of)
            conversations.update(self._conversation_id, draft="")
        except AppError as error:
            self._notify.error(error)
            return
        self._load_draft("")
        self.documents.know_sizes(self.attaching.shown)
        self.attaching.sent(self._conversation_id)
        self.refresh()
        self.start(lambda token: talk.answer(question.id, token))
        self.title_changed.emit(self._conversation_id)

    def _on_attached(self) -> None:
        """A message that was sent while documents were read goes with them; where one is missing it stays."""
        waited, is_ready = self._waits_for, not self.busy and not self.attaching.hold()
        if waited and is_ready:
            self._waits_for = ()
            if set(waited) <= set(self.attaching.shown) and not any(one.error for one in waited):
                self._on_sent(self.composer.text)
        self.update_note()

    def _on_idea(self, text: str) -> None:
        self.composer.set_text(text)
        self.focus_composer()

    def _on_composer_changed(self) -> None:
        if self._waits_for and not self._is_draft_loading:
            self._waits_for = ()  # there is more to say
            self.update_note()
        if not self._is_draft_loading and not self.is_temporary:
            self._draft_timer.start()

    def _load_draft(self, text: str) -> None:
        self._is_draft_loading = True
        self.composer.set_text(text)
        self._is_draft_loading = False
        self._draft_timer.stop()
