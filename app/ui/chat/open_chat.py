"""Controller of the chat that is shown: its stored turns, the answers started in it, and the actions on its turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QPoint, Qt, Signal, SignalInstance
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.core.events import CancelToken, Role
from app.features.chat.branches import branches_of
from app.features.chat.prompt_builder import hidden_ids
from app.features.chat.session_messages import AnswerBegan, AnswerEnded, AnswerStopped, ShowChat
from app.features.error_messages import NO_PICTURES, PersonMessage
from app.ui.chat.actions import TurnCommand
from app.ui.chat.answering import LiveAnswer, RunningAnswerView, Work
from app.ui.chat.survey import SurveysOf
from app.ui.chat.transcript import ChatTranscript, is_answer, is_question
from app.ui.chat.turn import TurnView
from app.ui.i18n import tr
from app.ui.shared_labels import COPIED, COPY
from app.ui.shell import tasks
from app.ui.shell.model_about import OtherModels
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.chat.message_draft import ChatPlace
    from app.features.chat.session import ChatSession
    from app.store.conversations import Conversation, StoredMessage
    from app.ui.chat.answer_view import AnswerView
    from app.ui.chat.branch_documents import PlaceInDocument


class OpenChat(QObject):
    """Loads, shows and answers the chat that the session shows."""

    touched = Signal(int)
    """A chat's row in the list needs a refresh: it is new, renamed or changed."""
    shown = Signal()
    """The turns shown were replaced or removed."""
    answering = Signal(object)
    """An answer starts; carries its `RunningAnswerView`."""
    document_wanted = Signal(object, int, object)
    """A document was requested: its service, its id, and the `Mark` in it or None."""

    def __init__(
        self,
        session: ChatSession,
        transcript: ChatTranscript,
        live: LiveAnswer,
        surveys: SurveysOf,
        *,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._surveys, self._notify, self._window = surveys, notify, window
        self.session = session
        self.transcript = transcript
        self.live = live
        self._others: list[LiveAnswer] = []
        self.attach: Callable[[int | None], object] = lambda number: live.attach(number, transcript.add_answer)
        """Connects a running answer to its chat after that was opened."""
        self.before_pair: Callable[[list[StoredMessage]], list[StoredMessage]] = lambda messages: messages
        """Drops from the branch to be shown what `attach` shows as two compared answers."""
        self.project_id: int | None = None
        """The project in which a new chat will be created."""
        self.alternatives = -1
        """Number of alternative tokens reported for each generated one; -1 for none."""
        self._whole_next: int | None = None
        """Id of a question to be answered from whole documents as soon as the running answer has stopped."""
        transcript.place_wanted.connect(self.open_document)
        self._page_search: tasks.BackgroundTask | None = None
        transcript.link_clicked.connect(self._on_link)
        self._follow_answers(live)

    def _follow_answers(self, live: LiveAnswer) -> None:
        # First of all: whoever hears of the end may ask whether an answer is running.
        live.ended.connect(lambda ended, _: self.session.dispatch(AnswerEnded(ended.number, ended.ended_well)))
        # Queued: the end is shown first.
        live.ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def chat_place(self) -> ChatPlace:
        return self.session.state.place

    @property
    def talk(self) -> AnswerService:
        """The service it belongs to: the program's, or that of a temporary chat, deleted when left."""
        return self.session.state.place.talk

    @property
    def conversation_id(self) -> int | None:
        """Its id; None for a new chat, which is stored with its first message."""
        return self.session.state.place.conversation_id

    def add_live(self, live: LiveAnswer) -> None:
        """Register another stream of answers, such as that of the second model in a comparison."""
        self._others.append(live)
        self._follow_answers(live)

    @property
    def _live_answers(self) -> list[LiveAnswer]:
        return [self.live, *self._others]

    @property
    def is_busy(self) -> bool:
        """True while any answer is running, in this chat or another."""
        return self.session.state.is_busy

    def path(self) -> list[StoredMessage]:
        """Return the chosen branch as stored now; empty for a new chat. Raises storage errors."""
        return self.talk.conversations.read_branch(self.conversation_id) if self.conversation_id is not None else []

    def show(self, place: ChatPlace) -> tuple[Conversation | None, list[StoredMessage]]:
        """Show another chat and return what is stored of it; answers running elsewhere continue."""
        conversation, messages = None, []
        self.session.dispatch(ShowChat(place))
        self.project_id, talk = None, self.talk
        self._surveys.keep_only(talk)
        with self._notify.guard():
            if self.conversation_id is not None:
                conversation = talk.conversations.get(self.conversation_id)
                messages = self.path()
        self._load_documents(messages)
        # Translations are kept in a list, which must have nothing of a temporary chat.
        self.transcript.maker.can_translate = not talk.is_temporary
        # What is being written has a view of its own, which is ahead of the store.
        self.transcript.open([message for message in self.before_pair(messages) if not self.live.is_writing(message)])
        self.transcript.set_hidden(hidden_ids(conversation, messages) if conversation else ())
        self.attach(self.conversation_id)
        self.shown.emit()
        return conversation, messages

    def refresh(self) -> None:
        """Show the chosen branch as stored now, unless an answer is being written in it. Raises storage errors."""
        # As in `show`: the view of a running answer is ahead of the store.
        if self.conversation_id is not None and not self._running_in(self.conversation_id):
            messages = self.path()
            self._load_documents(messages)
            self.transcript.update_to(messages)
            self.show_hidden()
        self.shown.emit()

    def show_hidden(self) -> None:
        if self.conversation_id is not None:
            self.transcript.set_hidden(self.talk.hidden_ids(self.conversation_id))

    def tell_touched(self) -> None:
        """Ask for a refresh of the chat's row in the list."""
        if self.conversation_id is not None:
            self.touched.emit(self.conversation_id)

    def open_document(self, document_id: int, mark: object) -> None:
        """Open one of the chat's documents, at a mark or at its beginning."""
        self.document_wanted.emit(self.talk.documents, document_id, mark)

    def _on_link(self, href: str) -> None:
        # Not before somebody follows a link: it brings what draws text.
        from app.ui.text.links import ask_to_open, page_of_link

        page = page_of_link(href)
        if page is None:
            with self._notify.guard():
                ask_to_open(href, self._window)
            return
        documents, number, sentence = self.transcript.documents, *page
        if self._page_search is not None:
            # Only the last link counts.
            self._page_search.abandon()
            self._page_search = None
        found = documents.find_cited(sentence, number)
        # Paragraphs are found by their number, without a search.
        if found is not None or number < 0:
            self._on_place_found(self.chat_place, found)
            return
        where, find_place = self.chat_place, documents.page_search(sentence, number)
        self._page_search = tasks.ask(
            lambda _: find_place(), self, lambda place: self._on_place_found(where, place), self._notify.error
        )

    def _on_place_found(self, where: ChatPlace, place: PlaceInDocument | None) -> None:
        # Another chat may be shown by now.
        if place is not None and where == self.chat_place:
            self.open_document(*place)

    # Answers.

    def answer(
        self,
        question_id: int,
        *,
        when_full: str = "",
        is_whole: bool = False,
        follows: bool = True,
    ) -> None:
        """Answer the last question shown; with `is_whole`, from its whole documents.

        `when_full` as in `AnswerService.answer`; `follows` scrolls to the end and follows the answer.
        """
        talk, most = self.talk, self.alternatives
        if is_whole:
            self._start(self._with_whole_documents(lambda token: self._surveys(talk).answer(question_id, token)))
        else:
            work = partial(talk.answer, question_id, when_full=when_full, alternatives=most)
            self._start(work, follows=follows)

    def _with_whole_documents(self, work: Work) -> Work:
        """Wrap whole-document work so that it starts once the chat's model is loaded."""
        talk, number = self.talk, self.conversation_id

        def answered(token: CancelToken) -> Iterator[object]:
            if number is not None and talk.bring_model(number, token):
                yield from work(token)

        return answered

    def answer_elsewhere(self, place: ChatPlace, question: StoredMessage) -> None:
        """Answer a question in a chat that is not shown."""
        self.run(partial(place.talk.answer, question.id), place, None)

    def answer_again(self, question_id: int, *, is_whole: bool = False) -> None:
        """Answer any question of the branch, hiding what follows it: that belongs to the other version."""
        path = self.path()
        ids = [message.id for message in path]
        if question_id in ids:
            self.transcript.update_to(path[: ids.index(question_id) + 1])
        self.answer(question_id, is_whole=is_whole)
        self.tell_touched()

    def answer_whole(self, question_id: int) -> None:
        """Answer a question from its whole documents, replacing an answer in progress.

        An answer running in this chat is stopped; one in another chat is waited for.
        """
        if self.is_busy and self.conversation_id is not None:
            self._whole_next = question_id
            self.stop_in(self.conversation_id)
        else:
            self.answer_again(question_id, is_whole=True)

    def _on_ended(self) -> None:
        # Of two compared answers both must have ended.
        if any(live.is_stopping for live in self._live_answers):
            return
        question_id, self._whole_next = self._whole_next, None
        if question_id is not None and not self.is_busy and self.transcript.turn_of(question_id) is not None:
            self.answer_again(question_id, is_whole=True)

    def go_on(self, answer_id: int, *, when_full: str = "") -> None:
        """Continue the last answer where it stopped; `when_full` as in `AnswerService.answer`."""
        talk, turn, most = self.talk, self.transcript.turn_of(answer_id), self.alternatives
        if is_answer(turn):
            is_whole = turn.is_whole
            turn.continue_from_here()
            if is_whole:
                self._start(
                    self._with_whole_documents(lambda token: self._surveys(talk).continue_answer(answer_id, token)),
                    turn,
                )
            else:
                self._start(
                    lambda token: talk.continue_answer(answer_id, token, when_full=when_full, alternatives=most), turn
                )

    def answer_from(self, answer_id: int, text: str, tokens: Sequence[int]) -> None:
        """Write another version of an answer that begins with `text` and continues after these tokens."""
        talk, path, most = self.talk, self.path(), self.alternatives
        ids = [message.id for message in path]
        if answer_id not in ids:
            return
        self.transcript.update_to(path[: ids.index(answer_id)])
        view = self.transcript.add_answer()
        view.append(text)
        self._start(lambda token: talk.answer_from(answer_id, text, tokens, token, alternatives=most), view)
        self.tell_touched()

    def stop_in(self, conversation_id: int) -> bool:
        """Stop the answers running in this chat. Return whether there were any."""
        running = self._running_in(conversation_id)
        for live in running:
            live.stop()
        return bool(running)

    def _running_in(self, conversation_id: int) -> list[LiveAnswer]:
        return [
            live_answer
            for live_answer in self._live_answers
            if live_answer.answering and live_answer.answering.conversation_id == conversation_id
        ]

    def _start(self, work: Work, view: AnswerView | None = None, *, follows: bool = True) -> None:
        if self.conversation_id is None:
            return
        view = view or self.transcript.add_answer()
        self.shown.emit()
        if follows:
            self.transcript.jump_to_latest()
        self.run(work, self.chat_place, view)

    def run(
        self, work: Work, place: ChatPlace, view: AnswerView | None, live: LiveAnswer | None = None
    ) -> RunningAnswerView:
        """Run an answer in a chat that may not be shown; `live` is a stream registered with `add_live`."""
        assert place.conversation_id is not None
        answering = RunningAnswerView(work, place.conversation_id, self)
        answering.number = self.session.new_key()
        # Not the answer itself, which would keep itself, and with it a temporary chat.
        answering.on_stop = partial(self.session.dispatch, AnswerStopped(answering.number))
        (live or self.live).run(answering, view)
        self.session.dispatch(AnswerBegan(answering.number, place, is_main=live in (None, self.live)))
        answering.documents_shown.connect(lambda _: self._on_documents_shown(answering.conversation_id))
        self.answering.emit(answering)
        return answering

    def _on_documents_shown(self, conversation_id: int) -> None:
        """Reload the documents once it is settled which passages the model sees with a question."""
        if conversation_id == self.conversation_id:
            with self._notify.guard():
                self._load_documents(self.path())
            self.transcript.show_documents()

    def _load_documents(self, messages: list[StoredMessage]) -> None:
        """Load the documents of the messages before their branch is shown."""
        with self._notify.guard():
            self.transcript.documents.load(self.talk, messages)


# Actions of the buttons below a turn.

COPIES = (TurnCommand.COPY, TurnCommand.COPY_TEXT, TurnCommand.COPY_MARKDOWN, TurnCommand.COPY_CODE)
"""Commands that copy a turn: rich text with Markdown, plain text, Markdown source, or only its code."""
ALWAYS = (
    *COPIES,
    TurnCommand.MARKDOWN,
    TurnCommand.EDITED,
    TurnCommand.TRANSLATE,
    TurnCommand.PICTURE,
    TurnCommand.FORK,
    TurnCommand.PROMPT,
    TurnCommand.REMEMBER,
    TurnCommand.DETAILS,
    TurnCommand.READ_ALL,
)
"""Commands available while an answer is being written."""
OPEN_MODEL = "open_model"
"""Action of an error that asks for a model (`PersonMessage.action`)."""
ANSWERS = (
    TurnCommand.SAVE,
    TurnCommand.ANSWER,
    TurnCommand.REGENERATE,
    TurnCommand.COMPARE_WITH,
    TurnCommand.CONTINUE,
    TurnCommand.RETRY,
    TurnCommand.READ_ALL,
)
"""Commands that start an answer and therefore need a model."""


def busy_words() -> PersonMessage:
    """Return the notice that explains why a change of the chat has to wait."""
    return PersonMessage(tr("An answer is being written. Stop it first."))


class TurnActions(QObject):
    """Runs the commands of turns, with one handler for each."""

    model_wanted = Signal()
    translate_wanted = Signal(str)
    """A text should be translated in the translation tab."""
    composer_wanted = Signal()
    """The message field should get the keyboard."""
    remember_wanted = Signal(str)
    """A text should be offered for the memories used in other chats."""
    prompt_wanted = Signal(str)
    """A question should be saved as a prompt."""
    forked = Signal(int)
    """The chat was forked; carries the new chat's id."""
    beside_wanted = Signal(object)
    """Two versions should be shown next to each other; carries the answer's turn."""
    compare_wanted = Signal(object, object)
    """Another model should answer too: the answer's `StoredMessage`, and the `Path` of the model."""

    def __init__(
        self, chat: OpenChat, models: OtherModels, notify: Notify, may_answer: Callable[[Callable[[], object]], bool]
    ) -> None:
        """Connect the actions to a chat.

        `may_answer` returns whether a model is ready; else it explains why not and may run the given callback once one
        is.
        """
        super().__init__(chat)
        self._chat, self._models, self._notify, self._may_answer = chat, models, notify, may_answer
        self._handlers: dict[str, Callable[[TurnView], object]] = {
            TurnCommand.READ_ALL: self._read_all,
            TurnCommand.MARKDOWN: self._toggle_markdown,
            TurnCommand.EDIT: self._edit_turn,
            TurnCommand.EDITED: lambda _turn: self.composer_wanted.emit(),
            TurnCommand.SAVE: self._save_question,
            TurnCommand.KEEP: self._save_answer,
            TurnCommand.FORK: self._fork_chat,
            TurnCommand.COMPARE_WITH: self._choose_second_model,
            TurnCommand.ANSWER: self._answer_question,
            TurnCommand.REGENERATE: self._regenerate_answer,
            TurnCommand.CONTINUE: self._continue_answer,
            TurnCommand.RETRY: self._retry_answer,
            TurnCommand.DELETE: self._delete_turn,
            TurnCommand.PIN: self._pin_message,
            TurnCommand.UNPIN: partial(self._pin_message, is_pinned=False),
            TurnCommand.NEXT: self._show_version,
            TurnCommand.PREVIOUS: partial(self._show_version, step=-1),
            TurnCommand.MAP: self._show_map,
            TurnCommand.DETAILS: self._show_details,
            TurnCommand.BESIDE: self.beside_wanted.emit,
            TurnCommand.PICTURE: lambda _turn: self._notify.show_notice(NO_PICTURES),
            TurnCommand.TRANSLATE: partial(self._send_text, self.translate_wanted),
            TurnCommand.REMEMBER: partial(self._send_text, self.remember_wanted),
            TurnCommand.PROMPT: partial(self._send_text, self.prompt_wanted),
            **{way: partial(copy_turn, way) for way in COPIES},
            OPEN_MODEL: lambda _turn: self.model_wanted.emit(),
        }
        chat.transcript.message_wanted.connect(self._show_message)

    def run(self, name: str, turn: TurnView) -> None:
        """Run a `TurnCommand` on a turn, or an action of the window, such as the one offered by an error."""
        if name in ANSWERS and not self._may_answer(lambda: self.run(name, turn)):
            return
        if self._chat.is_busy and name not in ALWAYS:
            self._notify.show_notice(busy_words())
            return
        with self._notify.guard():
            # A signal of text carries a command as plain text, which equals its member.
            handler = self._handlers.get(name)
            if handler is not None:
                handler(turn)
            else:
                self._notify.actions[name]()

    def edit_last(self) -> None:
        """Edit the last question, for Up in the empty composer."""
        question = self._chat.transcript.last_question()
        if question is not None and not self._chat.is_busy:
            self._edit_turn(question)

    @staticmethod
    def _send_text(signal: SignalInstance, turn: TurnView) -> None:
        """Emit a signal with the text of a turn."""
        if is_answer(turn) or is_question(turn):
            signal.emit(turn.text)

    def _read_all(self, turn: TurnView) -> None:
        if turn.message is not None:
            self._chat.answer_whole(turn.message.id)

    def _toggle_markdown(self, turn: TurnView) -> None:
        if is_answer(turn):
            turn.show_markdown(not turn.is_markdown_shown)

    def _edit_turn(self, turn: TurnView) -> None:
        if is_question(turn) or is_answer(turn):
            turn.start_editing(turn.text)
            self._chat.transcript.show_turn(turn)

    def _save_question(self, turn: TurnView) -> None:
        if is_question(turn) and turn.editor is not None and turn.message is not None:
            question = self._chat.talk.edit_question(turn.message.id, turn.editor.text)
            turn.stop_editing()
            self._chat.refresh()
            self._chat.answer(question.id)
            self._chat.tell_touched()

    def _save_answer(self, turn: TurnView) -> None:
        """Store an answer as edited by the user, as another version; unchanged text just closes the editor."""
        if turn.editor is not None and turn.message is not None:
            text = turn.editor.text
            # Unchanged text is no other version.
            is_other = text != turn.message.text
            answer = self._chat.talk.edit_answer(turn.message.id, text) if is_other else turn.message
            turn.stop_editing()
            self._chat.refresh()
            self._chat.tell_touched()
            self._focus_turn(answer.id)

    def _fork_chat(self, turn: TurnView) -> None:
        message, conversations = turn.message, self._chat.talk.conversations
        conversation = conversations.get(message.conversation_id) if message is not None else None
        if message is None or conversation is None:
            return
        mark = tr("(fork)")
        title = conversation.title if conversation.title.endswith(mark) else f"{conversation.title} {mark}".strip()
        self.forked.emit(conversations.fork(message.id, title))
        self._notify.mention(tr("New chat created up to that message."))

    def _choose_second_model(self, turn: TurnView) -> None:
        """Open the menu of models that can answer in comparison."""

        def go_on(path: Path) -> None:
            # An answer may have begun since the menu was opened.
            if self._chat.is_busy:
                self._notify.show_notice(busy_words())
                return
            with self._notify.guard():
                self.compare_wanted.emit(turn.message, path)

        if turn.message is not None and turn.row is not None:
            menu = self._models.menu(tr("Ask another model"), go_on, self._chat.transcript)
            menu.popup(turn.row.more.mapToGlobal(QPoint(0, turn.row.more.height())))

    def _show_message(self, message_id: int) -> None:
        """Scroll to a message and give it the keyboard."""
        turn = self._chat.transcript.turn_of(message_id)
        if turn is not None:
            self._chat.transcript.show_turn(turn)
            turn.setFocus(Qt.FocusReason.OtherFocusReason)

    def _focus_turn(self, message_id: int) -> None:
        shown = self._chat.transcript.turn_of(message_id)
        if shown is not None:
            shown.setFocus()

    def _answer_question(self, turn: TurnView) -> None:
        if turn.message is not None:
            self._chat.answer_again(turn.message.id)

    def _regenerate_answer(self, turn: TurnView) -> None:
        if turn.message is not None and turn.message.parent_id is not None:
            self._chat.answer_again(turn.message.parent_id, is_whole=is_answer(turn) and turn.is_whole)

    def _continue_answer(self, turn: TurnView) -> None:
        if is_answer(turn) and turn.message is not None:
            self._chat.go_on(turn.message.id)

    def _retry_answer(self, turn: TurnView) -> None:
        """Continue a failed answer that has text; delete an empty one and answer again."""
        message = turn.message
        if message is not None and message.text:
            self._continue_answer(turn)
        elif message is not None and message.parent_id is not None:
            self._chat.talk.conversations.delete_message(message.id)
            self._chat.answer_again(message.parent_id, is_whole=is_answer(turn) and turn.is_whole)
        else:
            questions = [message for message in self._chat.path() if message.role == Role.USER]
            if questions:
                self._chat.answer_again(questions[-1].id)

    def _delete_turn(self, turn: TurnView) -> None:
        message, talk = turn.message, self._chat.talk
        if message is None:
            return
        talk.conversations.delete_message(message.id)
        self._chat.refresh()
        self._chat.tell_touched()
        self.composer_wanted.emit()
        what = tr("Message deleted") if message.role == Role.USER else tr("Answer deleted")

        def restore() -> None:
            with self._notify.guard():
                talk.conversations.restore_message(message.id)
                self._chat.refresh()

        self._notify.undo(what, restore)

    def _pin_message(self, turn: TurnView, *, is_pinned: bool = True) -> None:
        """Pin or unpin a message. Pinned ones are always in the model's context."""
        if turn.message is None:
            return
        focus = QApplication.focusWidget()
        had_focus = focus is not None and turn.isAncestorOf(focus)
        self._chat.talk.conversations.set_message_pinned(turn.message.id, is_pinned)
        self._chat.refresh()
        # The button that had the focus was made anew.
        if had_focus:
            turn.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_version(self, turn: TurnView, step: int = 1) -> None:
        """Show another version of the turn, `step` places further."""
        message = turn.message
        if message is None:
            return
        index = message.versions.index(message.id) + step
        if 0 <= index < len(message.versions):
            chosen = message.versions[index]
            self._choose(chosen)

    def _choose(self, message_id: int) -> None:
        with self._notify.guard():
            self._chat.talk.conversations.choose_version(message_id)
            self._chat.refresh()
            self._focus_turn(message_id)

    def _show_map(self, turn: TurnView) -> None:
        # Nobody looks at it before the window is seen.
        from app.ui.chat.details import BranchMap

        message, conversations = turn.message, self._chat.talk.conversations
        if message is None or turn.row is None:
            return
        shown = [message.id for message in self._chat.path()]
        branches = branches_of(conversations.read_outline(message.conversation_id), shown)
        popup = BranchMap(self._chat.transcript.theme, branches, message.id, self._chat.transcript)
        popup.chosen.connect(self._choose)
        popup.show_at(turn.row.versions)

    def _show_details(self, turn: TurnView) -> None:
        from app.ui.chat.details import AnswerDetails

        if turn.message is not None and turn.row is not None:
            details = AnswerDetails(self._chat.transcript.theme, turn.message, self._chat.transcript)
            details.seen_wanted.connect(partial(self._show_seen, turn.message.id))
            details.show_at(turn.row.about)

    def _show_seen(self, answer_id: int) -> None:
        """Show the exact prompt that the model was given for an answer."""
        from app.ui.chat.prompt_view import SeenDialog

        looks, theme = self._chat.talk.looks, self._chat.transcript.theme
        title = tr("What the model saw")
        SeenDialog(theme, lambda token: looks.inspect_answer(answer_id, token), title, self._chat.transcript).open()


def copy_turn(name: str, turn: TurnView) -> None:
    """Copy a turn in the way a command names, and confirm it on the turn's button."""
    QGuiApplication.clipboard().setMimeData(_clipboard_data(name, turn))
    button = turn.row.button(tr(COPY)) if turn.row is not None else None
    if button is not None:
        button.show_done(tr(COPIED))


def _clipboard_data(name: str, turn: TurnView) -> QMimeData:
    # Not before something is copied.
    from app.ui.text.copied_text import code_of, html_of, mime_data, text_of

    data = QMimeData()
    if is_question(turn):
        data.setText(turn.text)
    elif is_answer(turn) and name == TurnCommand.COPY:
        data = mime_data(html_of(turn.written.pieces), turn.text)
    elif is_answer(turn):
        ways: dict[str, Callable[..., str]] = {
            TurnCommand.COPY_TEXT: text_of,
            TurnCommand.COPY_CODE: code_of,
        }
        data.setText(ways[name](turn.written.pieces) if name in ways else turn.text)
    return data
