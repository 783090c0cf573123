"""The chat: transcript above, composer below, and the one answer that may be running."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QGuiApplication,
    QHideEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import Role
from app.core.paths import starter_model
from app.features.chat.answers import Chat
from app.features.chat.prompts import Parts, hidden_ids
from app.features.messages import NO_PICTURES, Sentence
from app.ui.chat.answering import Answering, LiveAnswer, Work
from app.ui.chat.attaching import Attaching, DraftDocument
from app.ui.chat.composer import Composer
from app.ui.chat.memory import ContextFull, ContextWatch, Subject
from app.ui.chat.settings import ChatOptions
from app.ui.chat.transcript import Transcript, is_answer, is_question
from app.ui.chat.turn import Turn
from app.ui.chat.welcome import EmptyState
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell.notify import Notify
from app.ui.theme import EDGE_PX, READING_PX, Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.chat.answers import Chat
    from app.store.conversations import StoredMessage
    from app.ui.chat.answer import AnswerView


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
        self.documents = ChatDocuments(self.transcript, self.attaching, lambda: self.talk, notify, self)
        self.live = LiveAnswer(
            notify,
            stored=lambda number: self.talk.conversations.message(number),  # noqa: PLW0108 - another one later
            is_loading=lambda: self.model_state == "loading",
            parent=self,
        )
        self.memory = ChatMemory(self, app, theme, notify)
        self._actions = TurnActions(self, notify)
        self._banner = TemporaryBanner(theme)
        self.draft = KeptDraft(app, self.composer, self._where, notify, self)
        self._lay_out()
        self._connect()
        self._show_model()
        self.draft.show(app.settings.window.new_chat_draft)
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
        self.draft.save()
        self._leave_temporary()
        self._show(conversation_id)

    def show_temporary(self) -> None:
        """Opens a chat of which nothing is kept."""
        self.draft.save()
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
        self.live.attach(self._conversation_id, self.transcript)
        self.show_empty_or_turns()
        draft = conversation.draft if conversation else self._app.settings.window.new_chat_draft
        self.draft.show("" if self.is_temporary else draft)
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
        answering.documents_shown.connect(lambda _: self._on_documents_shown(answering.conversation_id))
        self.composer.set_answering(True)

    def go_on(self, answer_id: int, *, when_full: str = "") -> None:
        """Continues the last answer where it stopped."""
        talk, turn = self.talk, self.transcript.turn_of(answer_id)
        if is_answer(turn):
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

    def hideEvent(self, event: QHideEvent) -> None:
        self.draft.save()
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
        self.documents.wanted.connect(self.document_wanted)
        self.documents.known.connect(self.documents_known)
        self.live.started.connect(self.answer_started)
        self.live.grew.connect(self.answer_grew)
        self.live.used.connect(self.context_changed)
        self.live.ended.connect(self._on_answer_ended)
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

    def _on_documents_shown(self, conversation_id: int) -> None:
        if conversation_id == self._conversation_id:
            self.documents.show_again(conversation_id)

    def _on_answer_ended(self, answering: Answering, is_shown: bool) -> None:
        self.composer.set_answering(False)
        if is_shown:
            try:
                self.refresh()
            except AppError as error:
                self._notify.error(error)
        self.update_note()
        self.title_changed.emit(answering.conversation_id)
        self.answer_finished.emit(answering.message_id or 0)

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
        self.draft.show("")
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
        if self._waits_for and not self.draft.is_being_shown:
            self._waits_for = ()  # there is more to say
            self.update_note()

    def _where(self) -> tuple[bool, int | None]:
        return self.is_temporary, self._conversation_id


class KeptDraft(QObject):
    """What is written but not sent: kept with its conversation, or in the settings for a new chat.

    `where` says whether the chat that is shown is a temporary one, of which nothing is kept, and its id.
    """

    def __init__(
        self,
        app: Fireside,
        composer: Composer,
        where: Callable[[], tuple[bool, int | None]],
        notify: Notify,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._app, self._composer, self._where, self._notify = app, composer, where, notify
        self.is_being_shown = False
        """Whether the composer changes because a draft is shown, not because somebody types."""
        self._timer = QTimer(self, singleShot=True, interval=DRAFT_MS)
        self._timer.timeout.connect(self.save)
        composer.changed.connect(self._on_changed)

    def show(self, text: str) -> None:
        """Another draft in the composer."""
        self.is_being_shown = True
        self._composer.set_text(text)
        self.is_being_shown = False
        self._timer.stop()

    def save(self) -> None:
        """Keeps what is written now."""
        self._timer.stop()
        text = self._composer.text
        is_temporary, conversation_id = self._where()
        if is_temporary:
            return
        try:
            if conversation_id is None:
                if text != self._app.settings.window.new_chat_draft:
                    self._app.change("window", new_chat_draft=text)
                return
            conversation = self._app.conversations.get(conversation_id)
            if conversation is not None and conversation.draft != text:
                self._app.conversations.update(conversation_id, draft=text)
        except AppError as error:
            self._notify.error(error)

    def _on_changed(self) -> None:
        if not self.is_being_shown and not self._where()[0]:
            self._timer.start()


# What the chat does with the documents of its messages: shows them at their turns, has one opened.


class ChatDocuments(QObject):
    """Keeps the transcript's documents in step with the branch that is shown."""

    wanted = Signal(object, int, object)
    """Whose documents, one of them, and the `Mark` in it or None."""
    known = Signal(object)
    """The documents of the chat that is shown, as a set of (whose, id)."""

    def __init__(
        self, transcript: Transcript, attaching: Attaching, talk: Callable[[], Chat], notify: Notify, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._transcript, self._attaching, self._talk = transcript, attaching, talk
        self._notify, self._window = notify, parent
        self._branch = transcript.documents
        transcript.place_wanted.connect(self._open)
        transcript.link_clicked.connect(self._on_link)
        attaching.opened.connect(self._open)

    def load(self, messages: Sequence[StoredMessage]) -> None:
        """Before a branch is shown: what belongs to its messages."""
        try:
            self._branch.load(self._talk(), messages)
        except AppError as error:
            self._notify.error(error)

    def tell(self) -> None:
        """Another chat is shown: which documents it has, the draft's too."""
        documents = self._talk().documents
        drafted = [one.document.id for one in self._attaching.shown if one.document is not None]
        self.known.emit(frozenset((documents, number) for number in [*self._branch.ids, *drafted]))

    def know_sizes(self, sent: Sequence[DraftDocument]) -> None:
        """What was counted of a draft is told at its message, too."""
        for one in sent:
            if one.document is not None and one.fit is not None:
                self._branch.tokens[one.document.id] = one.fit.tokens

    def show_again(self, conversation_id: int) -> None:
        """Which passages the model is shown with a question was settled in the chat that is shown."""
        try:
            self.load(self._talk().conversations.path(conversation_id))
        except AppError as error:
            self._notify.error(error)
        self._transcript.show_documents()

    def _open(self, document_id: int, mark: object) -> None:
        self.wanted.emit(self._talk().documents, document_id, mark)

    def _on_link(self, href: str) -> None:
        from app.ui.text.links import ask_to_open, page_of_link  # as in `is_answer`

        page = page_of_link(href)
        if page is None:
            ask_to_open(href, self._window)
            return
        try:
            found = self._branch.find_page(page[1], page[0])
        except AppError as error:
            self._notify.error(error)
            return
        if found is not None:
            self._open(*found)


# What the buttons under a turn do.


ALWAYS = ("copy", "markdown", "edited", "translate", "picture")


class TurnActions(QObject):
    """One method an action, found by its name."""

    def __init__(self, chat: ChatView, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._notify = chat, notify

    def do(self, name: str, turn: Turn) -> None:
        """Does what a button under `turn` is named after."""
        if self._chat.busy and name not in ALWAYS:
            self._notify.tell(Sentence(tr("An answer is being written. Stop it first.")))
            return
        try:
            step = getattr(self, f"_on_{name}", None)
            if step is not None:
                step(turn)
            elif name == "open_model":
                self._chat.model_wanted.emit()
            else:
                self._notify.actions[name]()
        except AppError as error:
            self._notify.error(error)

    def edit_last(self) -> None:
        """Up in the empty composer edits the last question."""
        questions = [turn for turn in self._chat.transcript.turns if is_question(turn)]
        if questions and not self._chat.busy:
            self._on_edit(questions[-1])

    def _on_copy(self, turn: Turn) -> None:
        if is_answer(turn):
            from app.ui.text.clipboard import html_of, mime_data  # as in `is_answer`

            QGuiApplication.clipboard().setMimeData(mime_data(html_of(turn.pieces), turn.text))
        elif is_question(turn):
            QGuiApplication.clipboard().setText(turn.text)
        turn.show_copied()

    def _on_translate(self, turn: Turn) -> None:
        if is_answer(turn):
            self._chat.translate_wanted.emit(turn.text)

    def _on_markdown(self, turn: Turn) -> None:
        if is_answer(turn):
            turn.show_markdown(not turn.is_markdown_shown)

    def _on_edit(self, turn: Turn) -> None:
        if is_question(turn):
            turn.start_editing()
            self._chat.transcript.show_turn(turn)

    def _on_picture(self, _turn: Turn) -> None:
        self._notify.tell(NO_PICTURES)

    def _on_edited(self, _turn: Turn) -> None:
        self._chat.focus_composer()

    def _on_save(self, turn: Turn) -> None:
        if not is_question(turn) or turn.editor is None or turn.message is None:
            return
        text = turn.editor.field.text
        question = self._chat.talk.edit_question(turn.message.id, text)
        turn.stop_editing()
        self._chat.refresh()
        talk = self._chat.talk
        self._chat.start(lambda token: talk.answer(question.id, token))
        self._touched()

    def _on_answer(self, turn: Turn) -> None:
        if turn.message is not None:
            self._answer(turn.message.id)

    def _on_regenerate(self, turn: Turn) -> None:
        if turn.message is not None and turn.message.parent_id is not None:
            self._answer(turn.message.parent_id)

    def _on_continue(self, turn: Turn) -> None:
        if is_answer(turn) and turn.message is not None:
            self._chat.go_on(turn.message.id)

    def _on_retry(self, turn: Turn) -> None:
        """A failed answer with text goes on; one without makes room for another."""
        message = turn.message
        if message is not None and message.text:
            self._on_continue(turn)
        elif message is not None and message.parent_id is not None:
            self._chat.talk.conversations.delete_message(message.id)
            self._answer(message.parent_id)
        else:
            questions = [m for m in self._path() if m.role == Role.USER]
            if questions:
                self._answer(questions[-1].id)

    def _on_delete(self, turn: Turn) -> None:
        message = turn.message
        if message is None:
            return
        self._chat.talk.conversations.delete_message(message.id)
        self._chat.refresh()
        self._touched()
        self._chat.focus_composer()
        what = tr("Message deleted") if message.role == Role.USER else tr("Answer deleted")
        talk = self._chat.talk
        self._notify.undo(what, lambda: self._restore(talk, message.id))

    def _restore(self, talk: Chat, message_id: int) -> None:
        try:
            talk.conversations.restore_message(message_id)
            self._chat.refresh()
        except AppError as error:
            self._notify.error(error)

    def _on_pin(self, turn: Turn) -> None:
        self._set_pinned(turn, is_pinned=True)

    def _on_unpin(self, turn: Turn) -> None:
        self._set_pinned(turn, is_pinned=False)

    def _set_pinned(self, turn: Turn, *, is_pinned: bool) -> None:
        """A pinned message is shown to the model again, wherever its memory begins."""
        if turn.message is None:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is not None and turn.isAncestorOf(focus)
        self._chat.talk.conversations.set_message_pinned(turn.message.id, is_pinned)
        self._chat.refresh()
        if had_focus:  # the button that had it is another one now
            turn.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_previous(self, turn: Turn) -> None:
        self._choose(turn, -1)

    def _on_next(self, turn: Turn) -> None:
        self._choose(turn, 1)

    def _choose(self, turn: Turn, step: int) -> None:
        message = turn.message
        if message is None:
            return
        index = message.versions.index(message.id) + step
        if 0 <= index < len(message.versions):
            chosen = message.versions[index]
            self._chat.talk.conversations.choose_version(chosen)
            self._chat.refresh()
            shown = self._chat.transcript.turn_of(chosen)
            if shown is not None:
                shown.setFocus()

    def _answer(self, question_id: int) -> None:
        """Answers a question again: what followed it belongs to the other version."""
        path = self._path()
        ids = [message.id for message in path]
        if question_id in ids:
            self._chat.transcript.update_to(path[: ids.index(question_id) + 1])
        talk = self._chat.talk
        self._chat.start(lambda token: talk.answer(question_id, token))
        self._touched()

    def _path(self) -> list[StoredMessage]:
        conversation_id = self._chat.conversation_id
        return self._chat.talk.conversations.path(conversation_id) if conversation_id is not None else []

    def _touched(self) -> None:
        if self._chat.conversation_id is not None:
            self._chat.title_changed.emit(self._chat.conversation_id)


# Says above the composer that nothing of this chat is kept.


class TemporaryBanner(QFrame):
    """One line on the chip colour."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("temporary_banner")
        self._glyph = QLabel()
        self._words = QLabel(tr("Temporary: nothing of this chat is kept"), textFormat=Qt.TextFormat.PlainText)
        self.setAccessibleName(self._words.text())
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._glyph)
        self._row.addWidget(self._words, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(14), px(6), px(14), px(6))
        self._row.setSpacing(px(8))
        self._words.setFont(self._theme.font(13, 500))
        self._glyph.setPixmap(icon("ghost", self._theme.tokens.accent, px(16)).pixmap(px(16), px(16)))


# What the model sees of the chat that is shown: its numbers, a word before it is full, the question when it is.


ALMOST_FULL = 0.9


class ChatMemory(QObject):
    """Counts while a message is written; never on the window's thread, never while the model works."""

    parts_changed = Signal(object)

    def __init__(self, chat: ChatView, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(chat)
        self._chat, self._app, self._theme, self._notify = chat, app, theme, notify
        self.parts: Parts | None = None
        """As they were counted last, for the chat that is shown; None: not yet, or not any more."""
        self._used_tokens = 0
        self._watch = ContextWatch(self._subject, self)
        self._watch.measured.connect(self._on_measured)
        chat.composer.changed.connect(self._watch.look_later)
        chat.context_changed.connect(self._on_used)

    def look(self) -> bool:
        """Counts now; whether it can be."""
        self._watch.look()
        return self._subject() is not None

    @property
    def is_counting(self) -> bool:
        """Whether the model's tokenizer is at work for this."""
        return self._watch.is_counting

    def look_later(self) -> None:
        """Something of the next prompt is another."""
        self._watch.look_later()

    def follow(self, answering: Answering) -> None:
        """Hears what an answer that begins tells about the context."""
        talk = self._chat.talk
        answering.memory_moved.connect(self._on_memory_moved)
        answering.context_full.connect(lambda id_: self._on_full(talk, answering.conversation_id, id_))

    def note(self) -> str:
        """A few words for the composer; empty while there is room."""
        loaded = self._app.engine.loaded
        asks = self._app.settings.chat.when_full == "ask"
        if loaded is None:
            return ""
        if self.parts is not None and self.parts.is_over:
            return tr("Does not fit: you will be asked") if asks else tr("Does not fit: old turns will be left out")
        if self._used_tokens >= ALMOST_FULL * loaded.context_tokens:
            return (
                tr("Context almost full: you will be asked") if asks else tr("Context almost full: old turns go soon")
            )
        return ""

    def _subject(self) -> Subject | None:
        chat = self._chat
        if chat.model_state != "ready" or chat.busy or chat.attaching.fitting.is_asking:
            return None
        system, text = chat.options.system_prompt, chat.composer.text
        return Subject(chat.talk, chat.conversation_id, system, text, chat.attaching.key)

    def _on_measured(self, parts: Parts) -> None:
        self.parts = parts
        self._used_tokens = parts.used_tokens
        self._chat.update_note()
        self.parts_changed.emit(parts)

    def _on_used(self, used_tokens: int) -> None:
        self._used_tokens = used_tokens
        self.parts = None

    def _on_memory_moved(self) -> None:
        self._chat.show_hidden()
        divider = self._chat.transcript.divider
        if QAccessible.isActive() and divider.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(divider, divider.text))

    def _on_full(self, talk: Chat, conversation_id: int, message_id: int) -> None:
        """Nothing was sent; the question is in its place without an answer."""
        if self._chat.talk is not talk or self._chat.conversation_id != conversation_id:
            self._notify.tell(
                Sentence(tr("A chat no longer fits into the model’s context."), tr("Your message was kept."))
            )
            return
        self._chat.refresh()
        dialog = ContextFull(self._theme, self._chat)
        dialog.compact_wanted.connect(lambda: self._on_compact(message_id))
        dialog.new_chat_wanted.connect(lambda: self._on_new_chat(message_id))
        dialog.open()

    def _on_compact(self, message_id: int) -> None:
        talk, turn = self._chat.talk, self._chat.transcript.turn_of(message_id)
        message = turn.message if turn is not None else None
        if message is None:
            return
        if message.role is Role.USER:
            self._chat.start(lambda token: talk.answer(message.id, token, when_full="compact"))
        else:
            self._chat.go_on(message.id, when_full="compact")

    def _on_new_chat(self, message_id: int) -> None:
        """The question goes along with its documents; it stays in this chat, too."""
        documents = self._chat.transcript.documents.attached(message_id)
        try:
            message = self._chat.talk.conversations.message(message_id)
        except AppError as error:
            self._notify.error(error)
            return
        if self._chat.talk.is_temporary:
            self._chat.show_temporary()
        else:
            self._notify.actions["new_chat"]()
        if message is not None and message.role is Role.USER:
            self._chat.composer.set_text(message.text)
            self._chat.attaching.add([one.document.path for one in documents])
        self._chat.focus_composer()
