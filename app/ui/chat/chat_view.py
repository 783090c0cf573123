"""View of a chat: transcript and message field, and what a message passes between them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QWidget

from app.features.chat import session_messages as m
from app.features.chat.message_draft import ChatPlace
from app.features.chat.session import ChatSession
from app.features.chat.session_store import SessionStore
from app.features.survey.wanted import can_read_all
from app.ui.chat.answering import LiveAnswer
from app.ui.chat.attaching import ChatAttachments
from app.ui.chat.chat_context import ChatMemory
from app.ui.chat.chat_layout import ChatLayout
from app.ui.chat.chat_links import ChatLinks
from app.ui.chat.chat_models import ChatModels
from app.ui.chat.chat_notices import CompletionNotice, ComposerNote, MemoryOffer, TemporaryBanner
from app.ui.chat.composer import Composer
from app.ui.chat.composer_menu import ComposerEntry
from app.ui.chat.composer_prompts import ComposerPrompts
from app.ui.chat.draft_pictures import SeeLarge
from app.ui.chat.message_field import MessageEdit
from app.ui.chat.message_queue import QueueView
from app.ui.chat.message_sending import MessageSending
from app.ui.chat.open_chat import OpenChat
from app.ui.chat.part_steps import PartSteps
from app.ui.chat.pasted import PastedText
from app.ui.chat.quoting import QuoteButton
from app.ui.chat.second_model import AnswerPairs, SecondModel
from app.ui.chat.server_texts import ServerTexts
from app.ui.chat.session_work import SessionWork
from app.ui.chat.survey import SurveyOffering, SurveysOf
from app.ui.chat.transcript import ChatTranscript, scroll_by_key
from app.ui.chat.turn_actions import TurnActions
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.spell_check import SpellChecks, Speller
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.features.chat.session_state import RunningAnswer
    from app.features.chat_services import Chats
    from app.ui.chat.find import FindBar

TEMPORARY_CHAT_CLOSED = "Temporary chat closed. It wasn’t saved."


class ChatView(QWidget):
    """Shows one chat; None is a new one, stored with its first message."""

    title_changed = Signal(int)
    """A chat's row in the list needs a refresh: it is new, renamed or changed."""
    context_changed = Signal(int)
    """Tokens that the visible chat uses of the context, during an answer and after it."""
    documents_known = Signal(object)
    """Another chat is shown; carries its documents as a set of (service, id)."""
    answer_started = Signal(int)
    """An answer was stored; carries its id."""
    answer_finished = Signal(int)
    """An answer ended in any way; carries its id, or 0 if it was never stored."""

    def __init__(self, chats: Chats, theme: Theme, notify: Notify, *, is_small: bool = False) -> None:
        """Build the view; `is_small` leaves out the welcome page and the large notice of a temporary chat."""
        super().__init__()
        self._chats, self._notify = chats, notify
        self.transcript = ChatTranscript(theme)
        self.composer = Composer(theme, stop=self.stop)
        # A chat is created with its options, which come later.
        self.session = _new_session(chats, lambda: self.models.options.create().id)
        live = LiveAnswer(self.session, notify, is_loading=lambda: self.models.state == "loading", parent=self)
        surveys = SurveysOf(chats.surveys_of)
        self.open_chat = OpenChat(self.session, self.transcript, live, surveys, notify=notify, window=self)
        self.models = ChatModels(self.composer, self.open_chat, chats, theme, notify=notify, window=self)
        pairs = AnswerPairs(
            self.open_chat, chats, self.models.own, self.models.others, theme=theme, notify=notify, window=self
        )
        if is_small:
            self.composer.plus.remove_entry(ComposerEntry.ASSISTANT)
        else:
            pairs.second = SecondModel(self.composer, self.models.others, self.models.own, theme)
        self.attaching = ChatAttachments(
            self.session,
            self.composer.attachments,
            theme=theme,
            notify=notify,
            model=chats.loaded,
            focus_message=self.focus_composer,
            parent=self,
        )
        work = SessionWork(
            self.session,
            is_free=lambda: not self.busy and not self.memory.is_counting,
            planned=lambda: self.models.options.planned,
            parent=self,
        )
        self.memory = ChatMemory(
            self.open_chat, self.models, chats, work.fitting, theme=theme, notify=notify, window=self
        )
        ChatLinks(self.open_chat, notify)
        quoting = QuoteButton(self.session, self.transcript, theme)
        self.selection = quoting.selection
        prompts = ComposerPrompts(self.composer, chats, theme, notify, selected=lambda: quoting.selected)
        ServerTexts(self.composer, self.session, chats, prompts=prompts, theme=theme, notify=notify)
        SpellChecks(self, MessageEdit, Speller(chats.settings, chats.spelling, chats.change), theme, notify)
        PastedText(self.session, self.composer, self.attaching, theme=theme, notify=notify)
        TurnActions(self.open_chat, self.models, notify)
        offering = SurveyOffering(theme, surveys, self.session, lambda: self.models.can_chat, parent=self)
        MessageSending(self.open_chat, self.composer, self.models.own, offering)
        queue = QueueView(self.session, theme, notify, self.focus_composer)
        self._lay_out(theme, offering.row, queue, is_small=is_small)
        self._serve_requests(prompts)
        self._connect(queue)
        self._show_pictures(SeeLarge(lambda: self.open_chat.talk.media, theme, notify, self))
        self.models.own.changed.emit()
        self.show_conversation(None)

    def _lay_out(self, theme: Theme, *rows: QWidget, is_small: bool) -> None:
        before = QWidget() if is_small else self.models.empty
        layout = ChatLayout(self, theme, self.composer, before=before, transcript=self.transcript)
        layout.arrange()
        if not is_small:
            layout.add_banner(TemporaryBanner(theme, self.session))
        layout.add_banner(self.models.project_banner)
        self.memory_offer = MemoryOffer(theme, self.session)
        notice = CompletionNotice(theme, self.session, self.composer, self.models)
        for row in (notice, *rows, self.memory_offer, self.composer):
            layout.add_row(row)
        self._notify.bar.stand_above(self.composer)

    @property
    def _layout(self) -> ChatLayout:
        return cast(ChatLayout, self.layout())

    def _serve_requests(self, prompts: ComposerPrompts) -> None:
        self.session.serve(
            {
                m.ReportStarted: lambda effect: self.answer_started.emit(effect.message_id),
                m.QuoteText: lambda request: self.composer.add_paragraph(request.text),
                m.FindText: lambda request: self.finding.begin(request.text),
                m.FocusField: lambda _request: self.focus_composer(),
                m.OpenPrompts: lambda request: prompts.open_library(request.text),
                m.TakePrompt: lambda request: prompts.take_by_key(request.key),
                m.OpenChatAt: self._open_chat_at,
                m.BeginChat: self._begin_chat,
            }
        )

    def _connect(self, queue: QueueView) -> None:
        note = ComposerNote(self.open_chat, self.composer, self.models, self.memory, self.attaching)
        edit, chat = self.composer.field.edit, self.open_chat
        edit.up_pressed.connect(queue.edit_last)
        edit.scroll_wanted.connect(partial(scroll_by_key, self.transcript))
        edit.turns_wanted.connect(self.transcript.steps.focus_last)
        self.transcript.steps.go_below = self.focus_composer
        self._part_steps = PartSteps(self.transcript)
        chat.touched.connect(self.title_changed)
        chat.shown.connect(self._layout.show_turns)
        chat.live.used.connect(self.context_changed)
        self.context_changed.connect(self.memory.show_used)
        self.context_changed.connect(note.refresh)
        for stream in chat.lives:
            stream.ended.connect(self._on_answer_ended)
        self.answer_finished.connect(self.attaching.refit)
        for signal in (self.models.changed, chat.pairs.changed):
            signal.connect(self._on_models_changed)
        self.models.empty.chosen.connect(self.composer.set_text)
        self.models.empty.chosen.connect(self.focus_composer)
        self.session.listen(lambda: self.models.empty.show_documents(are_there=bool(self.session.state.documents)))
        self.models.empty.model_wanted.connect(lambda: self.session.send_request(m.ChooseModel()))

    def _show_pictures(self, open_large: SeeLarge) -> None:
        documents = self.transcript.documents
        self.session.serve({m.ShowPictures: lambda request: open_large(request.uses, request.first)})
        documents.open_large = open_large
        documents.read_text = self.attaching.read_pictures
        documents.can_read_all = lambda: can_read_all(self._chats.loaded())
        documents.show_picture_menu = open_large.show_menu

    @cached_property
    def finding(self) -> FindBar:
        """The find bar, which nobody has before somebody searches."""
        from app.ui.chat.find import FindBar

        bar = FindBar(self.transcript.theme, self.transcript, self.focus_composer, self, on_toggle=self._layout.arrange)
        self._layout.add_top(bar)
        self.answer_finished.connect(bar.search_again)
        return bar

    @property
    def conversation_id(self) -> int | None:
        """Id of the visible chat; None for a new one."""
        return self.session.state.place.conversation_id

    @property
    def is_temporary(self) -> bool:
        """True if nothing of the visible chat is stored permanently."""
        return self.session.state.place.talk.is_temporary

    @property
    def busy(self) -> bool:
        """True while any answer is running, in this chat or another."""
        return self.session.state.is_busy

    def add_row(self, row: QWidget) -> None:
        """Add a row above the message field, for what is created after the window."""
        self._layout.add_row(row)

    def show_conversation(self, conversation_id: int | None) -> None:
        """Open a chat with its draft; an answer running elsewhere continues."""
        self._show(ChatPlace(self._chats.kept, conversation_id))

    def show_message(self, message_id: int, words: str = "") -> None:
        """Scroll to a message, switching to its branch if necessary, and highlight `words` for a moment."""
        with self._notify.guard():
            # On another branch.
            if self.transcript.turn_of(message_id) is None:
                self.session.dispatch(m.ShowVersion(message_id))
                if self.transcript.turn_of(message_id) is None:
                    return
            self.finding.show_message(message_id, words)

    def show_temporary(self) -> None:
        self._show(ChatPlace(self._chats.new_temporary()))

    def _show(self, place: ChatPlace) -> None:
        if self.is_temporary and self.transcript.places.count and place.talk is not self.open_chat.talk:
            self._notify.mention(tr(TEMPORARY_CHAT_CLOSED))
            # On a thread, because the engine may be busy; what the chat was made of has no name.
            tasks.run(lambda _token: map(self._chats.pool().broadcast.forget_texts, [frozenset()]), self)
        if self._has_finding:
            self.finding.forget()
        self.session.dispatch(m.ShowChat(place))
        state, conversation = self.session.state, None
        if state.place.conversation_id is not None:
            with self._notify.guard():
                conversation = state.place.talk.conversations.get(state.place.conversation_id)
        self.models.options.show(conversation)
        # Documents of the draft may be open beside the chat, too.
        drafted = [part.document.id for part in state.documents if part.document is not None]
        ids = [*self.transcript.documents.ids, *drafted]
        self.documents_known.emit(frozenset((state.place.talk.documents, number) for number in ids))
        # Until the next prompt is counted, the last answer tells how much is used.
        figures = [message.stats for message in state.branch if message.stats is not None]
        self.context_changed.emit(figures[-1].prompt_tokens + figures[-1].generated_tokens if figures else 0)

    @property
    def _has_finding(self) -> bool:
        # Asking must not build the bar.
        return "finding" in self.__dict__

    def set_model_state(self, state: str, path: Path | None = None) -> None:
        """Set the state: asleep, loading, ready or failed. Messages sent while loading are queued with a notice.

        `path` is the model it is about, if that is not the chosen one yet.
        """
        self.models.set_state(state, path)
        self.attaching.refit()
        for stream in self.open_chat.lives:
            stream.show_waiting()

    def focus_composer(self) -> None:
        self.composer.field.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def stop(self) -> None:
        """Stop the running answers; the text so far is kept."""
        self.session.dispatch(m.StopAnswers())

    def hideEvent(self, event: QHideEvent) -> None:
        # Leaving the tab is a good moment: nothing is typed now.
        self.session.dispatch(m.SaveDraft())
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Escape ends one thing at a time: what waits, the answer, the queue, the selection, the search.
        state, is_escape = self.session.state, event.key() == Qt.Key.Key_Escape
        if is_escape and state.held is not None:
            self.session.dispatch(m.TakeBack())
        elif is_escape and any(not answer.is_stopped for answer in state.answers):
            self.stop()
        elif is_escape and state.may_pause_queue:
            self.session.dispatch(m.PauseQueue())
        elif is_escape and self.selection.ends is not None:
            self.selection.clear()
        elif not self._has_finding or not self.finding.take_key(event):
            super().keyPressEvent(event)

    def _on_models_changed(self) -> None:
        self.session.dispatch(m.SendingAllowed(self.models.can_chat and not self.open_chat.pairs.is_open))

    def _on_answer_ended(self, answer: RunningAnswer) -> None:
        self.answer_finished.emit(answer.message_id)

    def _open_chat_at(self, request: m.OpenChatAt) -> None:
        self._show(request.place)
        self.title_changed.emit(request.place.conversation_id or 0)
        self.focus_composer()

    def _begin_chat(self, request: m.BeginChat) -> None:
        if self.is_temporary:
            self.show_temporary()
        else:
            self._notify.actions["new_chat"]()
        if request.text:
            self.composer.set_text(request.text)
            self.attaching.add(request.paths)
        self.focus_composer()


def _new_session(chats: Chats, create_chat: Callable[[], int]) -> ChatSession:
    store = SessionStore(chats.kept, chats.settings, chats.change, loaded=chats.loaded, create_chat=create_chat)
    return ChatSession(ChatPlace(chats.kept), store)
