"""View of a chat: transcript, composer, their connections, and the stored draft."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from app.core.paths import starter_model
from app.features.chat.message_draft import ChatPlace
from app.features.chat.session import ChatSession
from app.features.chat.session_messages import (
    AnswerWhole,
    PauseQueue,
    ReportSent,
    ReportStarted,
    SaveDraft,
    SendingAllowed,
    SendMessage,
    ShowChat,
    ShowVersion,
    StopAnswers,
    SubmitMessage,
    TakeBack,
    TypeText,
)
from app.features.chat.session_store import SessionStore
from app.features.survey.wanted import can_read_all
from app.ui.chat.answering import LiveAnswer
from app.ui.chat.attaching import ChatAttachments
from app.ui.chat.chat_assistants import ChatAssistants
from app.ui.chat.chat_context import ChatMemory, ContextSubject
from app.ui.chat.chat_links import ChatLinks
from app.ui.chat.chat_options import ChatOptions, OwnModel
from app.ui.chat.chat_projects import ProjectBanner
from app.ui.chat.composer import Composer, MessageEdit
from app.ui.chat.composer_prompts import ComposerPrompts
from app.ui.chat.draft_pictures import SeeLarge
from app.ui.chat.message_queue import QueueView
from app.ui.chat.open_chat import OpenChat
from app.ui.chat.pasted import PastedText
from app.ui.chat.quoting import QuoteButton
from app.ui.chat.second_model import AnswerPairs, SecondModel
from app.ui.chat.session_work import SessionWork
from app.ui.chat.survey import SurveyOffer, SurveyOffering, SurveysOf
from app.ui.chat.transcript import ChatTranscript, scroll_by_key
from app.ui.chat.turn_actions import TurnActions
from app.ui.chat.welcome import EmptyState
from app.ui.i18n import tr
from app.ui.shell.model_about import OtherModels
from app.ui.shell.notify import Notify
from app.ui.spell_check import SpellChecks, Speller
from app.ui.theme import EDGE_PX, READING_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label

if TYPE_CHECKING:
    from app.features.chat.session_state import RunningAnswer
    from app.features.chat_services import Chats
    from app.ui.chat.find import FindBar

NO_CHAT_TEMPLATE = "This model has no chat template, so it continues text instead of answering. Use it in Write."

SENT_WHEN_READ = "Will be sent once {name} has been read. Press Esc to cancel."
TEMPORARY_NOTE = "Temporary chat: it isn’t saved"
TEMPORARY_CHAT_CLOSED = "Temporary chat closed. It wasn’t saved."


LOW_PX = 150
"""Height, before zoom, below which the composer has a single line."""


class ChatView(QWidget):
    """Shows one chat; None is a new one, stored with its first message."""

    title_changed = Signal(int)
    """A chat's row in the list needs a refresh: it is new, renamed or changed."""
    context_changed = Signal(int)
    """Tokens that the visible chat uses of the context, during an answer and after it."""
    parts_changed = Signal(object)
    """Breakdown of the next prompt, counted while it is typed."""
    model_wanted = Signal()
    translate_wanted = Signal(str)
    """A text should be translated in the translation tab."""
    remember_wanted = Signal(str)
    """A text should be offered for the memories used in other chats."""
    write_wanted = Signal(str)
    """The typed text should be continued in the writing tab, because this model cannot chat."""
    wake_wanted = Signal()
    """A token count needs the model, which is asleep."""
    document_wanted = Signal(object, int, object)
    """A document was requested: its service, its id, and the `Mark` in it or None."""
    documents_known = Signal(object)
    """Another chat is shown; carries its documents as a set of (service, id)."""
    answer_grew = Signal()
    """Part of an answer arrived, even if another chat is shown."""
    answer_started = Signal(int)
    """An answer was stored; carries its id."""
    answer_finished = Signal(int)
    """An answer ended in any way; carries its id, or 0 if it was never stored."""

    def __init__(self, chats: Chats, theme: Theme, notify: Notify, *, is_small: bool = False) -> None:
        """Build the view; `is_small` leaves out the welcome page and the large notice of a temporary chat."""
        super().__init__()
        self._is_small = is_small
        self._chats, self._theme, self._notify = chats, theme, notify
        self.model_state = "asleep"
        self._typed = ""
        """Text of the composer as the session was last told."""
        self.can_chat = True
        """True if the model can chat; one without a chat template only continues text."""
        self._completion_model: Path | None = None
        """The last model found to have no chat template."""
        self.transcript = ChatTranscript(theme)
        self._quoting = QuoteButton(self.transcript, theme)
        self.selection = self._quoting.selection
        self.empty = EmptyState(theme)
        self.composer = Composer(theme)
        surveys = SurveysOf(chats.surveys_of)
        # Created with the chat's options, which come later.
        store = SessionStore(
            chats.kept,
            chats.settings,
            chats.change,
            loaded=chats.loaded,
            create_chat=lambda: self.options.create().id,
        )
        self.session = ChatSession(ChatPlace(chats.kept), store)
        self.live = LiveAnswer(self.session, notify, is_loading=lambda: self.model_state == "loading", parent=self)
        self.open_chat = OpenChat(self.session, self.transcript, self.live, surveys, notify=notify, window=self)
        ChatLinks(self.open_chat, notify)
        self.models = OtherModels(chats.loaded, self)
        self.options = ChatOptions(self.composer, self.open_chat, chats, self.models, theme, notify=notify, window=self)
        self.own = OwnModel(self.options, self.models, chats, theme, notify=notify, window=self)
        self.assistants = ChatAssistants(
            self.options, self.composer, self.empty, chats, self.models, theme=theme, notify=notify
        )
        self.prompts = ComposerPrompts(self.composer, chats, theme, notify)
        self.prompts.selected = lambda: self._quoting.selected
        speller = Speller(chats.settings, chats.spelling, chats.change)
        self._spelling = SpellChecks(self, MessageEdit, speller, theme, notify)
        self.memory = ChatMemory(self.open_chat, chats, subject=self._subject, theme=theme, notify=notify, window=self)
        self.pairs = AnswerPairs(self.open_chat, chats, self.own, self.models, theme=theme, notify=notify, window=self)
        if is_small:
            self.assistants.button.hide()
        else:
            self.pairs.second = SecondModel(self.composer, self.models, self.own, theme)
        self._actions = TurnActions(
            self.open_chat,
            self.models,
            notify,
            lambda then: self.own.may_answer(then, can_chat=self.can_chat),
        )
        self._banner = TemporaryBanner(theme)
        self.project_banner = ProjectBanner(theme, self.open_chat)
        self.project_banner.model_known.connect(self.own.take_project)
        self._no_chat = CompletionNotice(theme)
        self._take_messages(surveys)
        self._lay_out()
        self._connect()
        self._show_model()
        self.session.listen(self._on_state)
        self.show_conversation(None)

    @cached_property
    def finding(self) -> FindBar:
        """The find bar, created on first use."""
        # Not before somebody searches.
        from app.ui.chat.find import FindBar

        bar = FindBar(self._theme, self.transcript, self.focus_composer, self)
        self._top.addWidget(bar)
        self.answer_finished.connect(bar.search_again)
        bar.toggled.connect(self._arrange)
        return bar

    @property
    def conversation_id(self) -> int | None:
        """Id of the visible chat; None for a new one."""
        return self.open_chat.conversation_id

    @property
    def is_temporary(self) -> bool:
        """True if nothing of the visible chat is stored permanently."""
        return self.open_chat.talk.is_temporary

    @property
    def busy(self) -> bool:
        """True while any answer is running, in this chat or another."""
        return self.open_chat.is_busy

    def show_conversation(self, conversation_id: int | None) -> None:
        """Open a chat with its draft; an answer running elsewhere continues."""
        self._show(ChatPlace(self._chats.kept, conversation_id))

    def show_message(self, message_id: int, words: str = "") -> None:
        """Scroll to a message, switching to its branch if necessary, and highlight `words` for a moment."""
        with self._notify.guard():
            # On another branch.
            if self.transcript.turn_of(message_id) is None:
                self.session.dispatch(ShowVersion(message_id))
                if self.transcript.turn_of(message_id) is None:
                    return
            self.finding.show_message(message_id, words)

    def show_temporary(self) -> None:
        self._show(ChatPlace(self._chats.new_temporary()))

    def _show(self, place: ChatPlace) -> None:
        if self.is_temporary and self.transcript.places.count and place.talk is not self.open_chat.talk:
            self._notify.mention(tr(TEMPORARY_CHAT_CLOSED))
        self.offering.forget_sent()
        if self._has_finding:
            self.finding.forget()
        self._banner.setVisible(place.talk.is_temporary and not self._is_small)
        self.session.dispatch(ShowChat(place))
        state, conversation = self.session.state, None
        if state.place.conversation_id is not None:
            with self._notify.guard():
                conversation = state.place.talk.conversations.get(state.place.conversation_id)
        self.options.show(conversation)
        # Documents of the draft may be open beside the chat, too.
        drafted = [part.document.id for part in state.documents if part.document is not None]
        ids = [*self.transcript.documents.ids, *drafted]
        self.documents_known.emit(frozenset((state.place.talk.documents, number) for number in ids))
        # Until the next prompt is counted, the last answer tells how much is used.
        used = [m.stats.prompt_tokens + m.stats.generated_tokens for m in state.branch if m.stats is not None]
        self.context_changed.emit(used[-1] if used else 0)
        self.update_note()

    @property
    def _has_finding(self) -> bool:
        # Asking must not build the bar.
        return "finding" in self.__dict__

    def set_model_state(self, state: str, path: Path | None = None) -> None:
        """Set the state: asleep, loading, ready or failed. Messages sent while loading are queued with a notice.

        `path` is the model it is about, if that is not the chosen one yet.
        """
        self.model_state = state
        self.own.update_model(path)
        self.options.refresh()
        self.attaching.refit()
        self.live.show_waiting()
        self.pairs.live.show_waiting()
        self.update_note()

    def focus_composer(self) -> None:
        self.composer.field.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def stop(self) -> None:
        """Stop the running answers; the text so far is kept."""
        self.session.dispatch(StopAnswers())

    def update_note(self) -> None:
        """Update the short note next to the composer's buttons."""
        answering = next(iter(self.session.state.answers), None)
        note = ""
        if answering is not None and answering.place != self.session.state.place:
            note = tr("An answer is being written in another chat")
        elif answering is None and self.can_chat and self.model_state == "loading" and not self.own.is_elsewhere:
            note = tr("The model is loading. Your message will be sent when it’s ready.")
        elif answering is None:
            note = self.pairs.note() or self.own.note() or self.memory.note()
        reason = self.attaching.reason_to_wait()
        if self.session.state.held is not None:
            note = tr(SENT_WHEN_READ, name=self.attaching.waits_for)
        elif reason and answering is None:
            note = reason
        self.composer.set_note(note)

    def hideEvent(self, event: QHideEvent) -> None:
        # Leaving the tab is a good moment: nothing is typed now.
        self.session.dispatch(SaveDraft())
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Escape ends one thing at a time: what waits, the answer, the queue, the selection, the search.
        if event.key() == Qt.Key.Key_Escape and self.session.state.held is not None:
            self.session.dispatch(TakeBack())
        elif event.key() == Qt.Key.Key_Escape and any(not answer.is_stopped for answer in self.session.state.answers):
            self.stop()
        elif event.key() == Qt.Key.Key_Escape and self.session.state.may_pause_queue:
            self.session.dispatch(PauseQueue())
        elif event.key() == Qt.Key.Key_Escape and self.selection.ends is not None:
            self.selection.clear()
        elif not self._has_finding or not self.finding.take_key(event):
            super().keyPressEvent(event)

    def _take_messages(self, surveys: SurveysOf) -> None:
        """Connect attachments, queue and sending, through which a message passes before it is in the chat."""
        self.attaching = ChatAttachments(
            self.session,
            self.composer.attachments,
            theme=self._theme,
            notify=self._notify,
            model=self._chats.loaded,
            focus_message=self.focus_composer,
            parent=self,
        )
        self.work = SessionWork(
            self.session,
            is_free=lambda: not self.busy and not self.memory.is_counting,
            planned=lambda: self.options.planned,
            parent=self,
        )
        self.pasted = PastedText(self.session, self.composer, self.attaching, theme=self._theme, notify=self._notify)
        self.waiting = QueueView(self.session, self._theme, self._notify, self.focus_composer)
        self._sending = MessageSending(self.open_chat, self.composer, own=self.own)
        self.survey_offer = SurveyOffer(self._theme)
        self.extra_rows = QVBoxLayout()
        """Place above the message field for rows that are created after the window."""
        self.offering = SurveyOffering(
            self.survey_offer,
            surveys,
            where=lambda: (self.open_chat.talk, self.open_chat.conversation_id),
            text=lambda: self.session.state.text,
            is_free=lambda: self.can_chat and not self.busy and self.session.state.held is None,
            parent=self,
        )

    def _lay_out(self) -> None:
        self._stack = QStackedLayout()
        self._before = QWidget() if self._is_small else self.empty
        self._stack.addWidget(self._before)
        self._stack.addWidget(self.transcript)
        # The composer needs its height first.
        self.transcript.setMinimumHeight(1)
        self._top = QHBoxLayout()
        self._top.addStretch(1)
        self._above = QHBoxLayout()
        self._above.addStretch(1)
        self._above.addWidget(self._banner)
        self._above.addWidget(self.project_banner)
        self._above.addStretch(1)
        self._bottom = QVBoxLayout()
        self._bottom.addWidget(self._no_chat)
        self._bottom.addWidget(self.survey_offer)
        self._bottom.addLayout(self.extra_rows)
        self._bottom.addWidget(self.waiting)
        self._bottom.addWidget(self.composer)
        self._notify.bar.stand_above(self.composer)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._top)
        column.addLayout(self._stack, 1)
        column.addLayout(self._above)
        column.addLayout(self._bottom)
        self._arrange()

    def _connect(self) -> None:
        self._theme.changed.connect(self._arrange)
        self._no_chat.write_wanted.connect(self._on_write_wanted)
        self.composer.stop_wanted.connect(self.stop)
        self.composer.field.edit.up_pressed.connect(self._on_up_pressed)
        self.composer.field.edit.scroll_wanted.connect(partial(scroll_by_key, self.transcript))
        self.composer.changed.connect(self.memory.look_later)
        self.options.changed.connect(self.memory.look_later)
        self.composer.changed.connect(self.offering.look_later)
        self.attaching.changed.connect(self.offering.look_later)
        self.answer_finished.connect(self.offering.look_later)
        self.survey_offer.whole_wanted.connect(lambda: self._sending.send_offered(self.offering, is_whole=True))
        self.survey_offer.passages_wanted.connect(lambda: self._sending.send_offered(self.offering))
        self.session.serve(
            {
                ReportSent: lambda effect: self.offering.look_at(effect.question),
                ReportStarted: lambda effect: self.answer_started.emit(effect.message_id),
            }
        )
        self._connect_chat()

    def _connect_chat(self) -> None:
        self.open_chat.touched.connect(self.title_changed)
        self.open_chat.shown.connect(  # the greeting while there is no turn
            lambda: self._stack.setCurrentWidget(self.transcript if self.transcript.places.count else self._before)
        )
        self.open_chat.document_wanted.connect(self.document_wanted)
        self.context_changed.connect(self.memory.show_used)
        self.memory.parts_changed.connect(self.update_note)
        self.memory.parts_changed.connect(self.parts_changed)
        self.memory.new_chat_wanted.connect(self._on_new_chat_wanted)
        self.live.grew.connect(self.answer_grew)
        self.live.used.connect(self.context_changed)
        self.live.ended.connect(self._on_answer_ended)
        self.pairs.live.ended.connect(self._on_answer_ended)
        self.pairs.changed.connect(self._allow_sending)
        self.pairs.changed.connect(self.update_note)
        self.empty.chosen.connect(self.composer.set_text)
        self.empty.chosen.connect(self.focus_composer)
        self.empty.model_wanted.connect(self.model_wanted)
        self.transcript.action_requested.connect(self._actions.run)
        self._actions.prompt_wanted.connect(self.prompts.open_library)
        self._actions.forked.connect(self._on_forked)
        self._actions.compare_wanted.connect(self.pairs.compare)
        self._actions.beside_wanted.connect(self.pairs.offer_versions)
        self.own.changed.connect(self._show_model)
        self._quoting.wanted.connect(self.composer.add_paragraph)
        self._quoting.find_wanted.connect(lambda words: self.finding.begin(words))  # noqa: PLW0108 - not made before
        self._quoting.remember_wanted.connect(self.remember_wanted)
        self._quoting.translate_wanted.connect(self.translate_wanted)
        self._actions.model_wanted.connect(self.model_wanted)
        self._actions.translate_wanted.connect(self.translate_wanted)
        self._actions.remember_wanted.connect(self.remember_wanted)
        self._actions.composer_wanted.connect(self.focus_composer)
        self.composer.attach.clicked.connect(lambda _: self.attaching.ask())
        self.composer.changed.connect(self._on_composer_changed)
        self.attaching.opened.connect(self.open_chat.open_document)
        self.attaching.changed.connect(self.memory.look_later)
        self.attaching.model_wanted.connect(self.wake_wanted)
        open_large = SeeLarge(lambda: self.open_chat.talk.media, self._theme, self._notify, self)
        self.attaching.picture_opened.connect(open_large)
        self.transcript.documents.open_large = open_large
        self.transcript.documents.read_text = self.attaching.read_pictures
        self.transcript.documents.can_read_all = lambda: can_read_all(self._chats.loaded())
        self.transcript.documents.show_picture_menu = open_large.show_menu
        self.answer_finished.connect(self.attaching.refit)

    def _arrange(self) -> None:
        px = self._theme.px
        width = min(px(READING_PX), self.width() - 2 * px(EDGE_PX))
        left = (self.width() - width) // 2
        self._above.setContentsMargins(left, px(4), left, px(4))
        gap = px(6) if self._has_finding and not self.finding.isHidden() else 0
        self._top.setContentsMargins(left, 0, left, gap)
        is_low = self.height() < px(LOW_PX)
        self.composer.set_compact(is_low)
        self._bottom.setSpacing(px(6))
        self._bottom.setContentsMargins(left, px(4), self.width() - width - left, px(6 if is_low else 16))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _show_model(self) -> None:
        path, loaded = self.own.path or self.own.path_in or self._chats.model_path(), self._chats.loaded()
        # Only a loaded model tells; it is remembered, since the model may go to sleep.
        if loaded is not None and Path(loaded.path) == path:
            self._completion_model = None if loaded.can_chat else path
        could_chat, self.can_chat = self.can_chat, path is None or path != self._completion_model
        is_starter = path is not None and path == starter_model()
        host = self._chats.host_of(path) if path is not None else ""
        self.empty.set_model(is_starter=is_starter, is_there=path is not None, can_chat=self.can_chat, host=host)
        self.composer.set_can_send(self.can_chat)
        self.composer.set_sees(sees=self.can_chat and loaded is not None and loaded.sees)
        self._no_chat.show_wanted(wanted=not self.can_chat)
        # What was typed for a model that can't chat goes once one can.
        if self.can_chat != could_chat:
            self._allow_sending()
        self.update_note()

    def _allow_sending(self) -> None:
        self.session.dispatch(SendingAllowed(self.can_chat and not self.pairs.is_open))

    def _on_composer_changed(self) -> None:
        # Its buttons change as well, while the field may still show what was sent.
        if self.composer.text != self._typed:
            self._typed = self.composer.text
            self.session.dispatch(TypeText(self._typed))

    def _on_state(self) -> None:
        state = self.session.state
        # Compared with what the session was told: what was typed in this moment is still to be told.
        if state.text != self._typed:
            self._typed = state.text
            self.composer.set_text(state.text)
        self.composer.set_answering(state.is_busy)
        self.composer.set_pictures(are_there=any(not part.error for part in state.pictures))
        self.update_note()

    def _on_forked(self, number: int) -> None:
        self._show(ChatPlace(self.open_chat.talk, number))
        self.title_changed.emit(number)
        self.focus_composer()

    def _subject(self) -> ContextSubject | None:
        if self.model_state != "ready" or not self.can_chat or self.busy or self.work.fitting.is_asking:
            return None
        if self.own.is_elsewhere:
            return None
        state = self.session.state
        place = state.place
        return ContextSubject(place.talk, place.conversation_id, state.text, state.key, self.options.planned)

    def _on_answer_ended(self, answer: RunningAnswer) -> None:
        self.answer_finished.emit(answer.message_id)

    def _on_up_pressed(self) -> None:
        if not self.waiting.edit_last():
            self._actions.edit_last()

    def _on_write_wanted(self) -> None:
        text = self.composer.text
        self.composer.set_text("")
        self.session.dispatch(SaveDraft())
        self.write_wanted.emit(text)

    def _on_new_chat_wanted(self, text: str, paths: list[Path]) -> None:
        if self.is_temporary:
            self.show_temporary()
        else:
            self._notify.actions["new_chat"]()
        if text:
            self.composer.set_text(text)
            self.attaching.add(paths)
        self.focus_composer()


class MessageSending(QObject):
    """Sends the draft if a model can answer it, or follows the offer to answer from whole documents."""

    def __init__(self, chat: OpenChat, composer: Composer, *, own: OwnModel) -> None:
        super().__init__(chat)
        self._session, self._composer, self._own = chat.session, composer, own
        composer.sent.connect(lambda _text: self.send())
        chat.session.serve({SubmitMessage: lambda effect: self.send(is_whole=effect.is_whole)})

    def send(self, *, is_whole: bool = False) -> None:
        """Send the draft as Enter does; with `is_whole` it is answered from its whole documents."""
        if self._composer.can_send and self._own.may_answer(lambda: self.send(is_whole=is_whole)):
            self._session.dispatch(SendMessage(is_whole))

    def send_offered(self, offering: SurveyOffering, *, is_whole: bool = False) -> None:
        """Follow or decline the offer to answer a question from whole documents."""
        if offering.sent is None:
            self.send(is_whole=is_whole)
        elif is_whole:
            self._session.dispatch(AnswerWhole(offering.sent))
        # Also the one just sent: the choice was made, so it isn't offered again.
        offering.forget_sent()
        self._composer.setFocus(Qt.FocusReason.OtherFocusReason)


class TemporaryBanner(QFrame):
    """Notice above the composer that nothing of a temporary chat is stored."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("temporary_banner")
        glyph = QLabel()
        words = plain_label(tr(TEMPORARY_NOTE))
        self.setAccessibleName(words.text())
        row = QHBoxLayout(self)
        row.addWidget(glyph)
        row.addWidget(words, 1)
        theme.dress(row, margins=(14, 6, 14, 6), spacing=8)
        theme.dress(words, font=(13, 500))
        theme.dress(glyph, picture=("ghost", "accent", 16))


class CompletionNotice(QFrame):
    """Notice above the composer that the model cannot chat, and which tab can use it. Hidden for all others."""

    write_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("completion_notice")
        words = plain_label(tr(NO_CHAT_TEMPLATE), wraps=True)
        self.setAccessibleName(words.text())
        self.write = text_button(tr("Open in Write"), "plain")
        self.write.setObjectName("open_in_write")
        self.write.setAccessibleDescription(words.text())
        self.write.clicked.connect(lambda _=False: self.write_wanted.emit())
        row = QHBoxLayout(self)
        row.addWidget(words, 1)
        row.addWidget(self.write)
        theme.dress(row, margins=(12, 8, 8, 8), spacing=8)
        theme.dress(words, self.write, font=(13, 500))
        self.hide()

    def show_wanted(self, *, wanted: bool) -> None:
        """Show or hide the notice, announcing it to screen readers when it appears."""
        if wanted and self.isHidden():
            announce(self, self.accessibleName())
        self.setVisible(wanted)
