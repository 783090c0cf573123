"""The chat tab: chat view with side panels, the left column, and their connections to the window."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.chat.message_draft import ChatPlace
from app.features.shown_document import TextHighlight
from app.store.message_rows import MessageState
from app.store.projects import Tags
from app.ui.chat.chat_context import ContextPanel
from app.ui.chat.chat_projects import ProjectActions
from app.ui.chat.chat_reading import ChatReading
from app.ui.chat.chat_view import ChatView
from app.ui.chat.offered_memories import OfferedMemories
from app.ui.chat.recording import DictationButton, MicrophoneButton
from app.ui.chat.titling import ChatTitling
from app.ui.chat.turn_column import ChatsColumn
from app.ui.document.document_panel import DocumentPanel
from app.ui.exchange.chat_exchange import COMMANDS, ChatExchange
from app.ui.i18n import tr
from app.ui.shared_labels import SEND, TEMPORARY_CHAT, WHAT_MODEL_SEES
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.tab_spec import (
    ASSISTANT,
    CHAT,
    PROJECT,
    PROMPT,
    SUMMARIZE,
    TRANSLATE,
    WRITE,
    EndOfWork,
    Tab,
    UiContext,
)
from app.ui.widgets.dialogs import Question, WaitingQuestion
from app.ui.widgets.layouts import InsideSplitter

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from app.bootstrap import Fireside
    from app.features.chat.answer_service import AnswerService
    from app.features.document_library import DocumentLibrary
    from app.features.leaving import OutboundDocuments
    from app.store.assistant_store import Assistant
    from app.ui.chat.remembering import MemoryActions
    from app.ui.shell.picture_reading import PictureReading

NUMBERS_WAIT = "The model is busy. The numbers appear when it’s done."

ONE_MESSAGE_WAITS = "1 message waits for the model"
ANSWER_READY = "Your answer is ready."
TOOL_ASKS = "An answer is waiting for you to allow a tool."

LONG_S = 10.0
FIRST_CHARACTERS = 200


class SendDocumentsQuestion(WaitingQuestion["OutboundDocuments"]):
    """Asks whether documents may be sent to a remote model's server, for chats and jobs."""

    def dialog_for(self, asked: OutboundDocuments) -> Question:
        # Not before a model elsewhere is asked.
        from app.features.leaving import leaving_words

        title = tr("Send it to {host}?", host=asked.host)
        words, send, keep = in_words(leaving_words(asked)), tr(SEND), tr("Keep here")
        return Question("leaving_question", title, words, send, keep, enter_means_no=True)


class ChatTab(Tab):
    """Opens stored, new and temporary chats, and keeps the list, the gauge and the model's state up to date."""

    def __init__(self, app: Fireside, ui: UiContext, chat: ChatView | None = None) -> None:
        super().__init__()
        self._app, self._ui = app, ui
        self.chat = chat or ChatView(app.chats, ui.theme, ui.notify)
        self.own_model = self.chat.models.own
        self._deleted = DeletedChats(self.chat, app.chat, leave=self.show_new)
        self.sidebar = ChatsColumn(
            ui.theme,
            app.conversations,
            ui.notify,
            lambda: app.finding,
            projects=app.preambles.projects,
            tags=Tags(app.database),
        )
        self.projects = ProjectActions(
            app, ui.theme, ui.notify, self.sidebar.folders, ui.window, open_new=self.open_new
        )
        self._sides = SidePanels(app, ui, self.chat)
        self.document, self.inside = self._sides.document, self._sides.inside
        self._model = ModelInStep(ui, self.chat)
        self._exchange = ChatExchange(app, ui)
        self._leaving = SendDocumentsQuestion(ui.theme, ui.window)
        # Called on the threads of chats and jobs, which wait for the answer.
        app.may_leave = self._leaving.ask
        LongAnswers(self.chat, app).told.connect(self.work_ended)
        ChatTitling(self.chat, app, lambda: self.sidebar.list.is_editing).titled.connect(RowInStep(self).refresh)
        OfferedMemories(self.chat, app)
        self._connect()
        if ui.scoring is not None:
            self.chat.models.options.offer_test(ui.scoring)
        if ui.pictures is not None:
            self.projects.pictures = ui.pictures
            self.chat.attaching.scans.watch(ui.pictures, ui.go.open_models)
            self._sides.follow_reading(ui.pictures)
        OtherTabs(app, ui, self.chat)
        self.microphone = MicrophoneButton(app, ui, self.chat)
        if ui.dictation is not None:
            DictationButton(ui, self.chat, ui.dictation)
        if ui.reading is not None:
            ChatReading(ui.reading, self.chat)
        self.chat.models.own.name_of = lambda path: tr(app.names.name_of(path))

    def _connect(self) -> None:
        chat, sidebar, loader = self.chat, self.sidebar, self._ui.loader
        chat.models.others.known = self._app.names.list_choices
        chat.models.own.changed.connect(self.model_changed)
        chat.models.own.changed.connect(lambda: loader.stand_by(chat.models.own.path))
        chat.models.assistants.begin_wanted.connect(lambda assistant: self.open_new(assistant=assistant))
        sidebar.fill_more_menu = chat.models.assistants.fill_new_menu
        chat.title_changed.connect(lambda _: self._model.show_waiting())
        chat.session.listen(AskingChats(self, self._app).show_asking)
        self.inside.toggled.connect(self.inside_changed)
        sidebar.new_wanted.connect(self.open_new)
        sidebar.temporary_chat_wanted.connect(lambda: self.open_new(is_temporary=True))
        sidebar.chosen.connect(self.show_chat)
        sidebar.message_wanted.connect(self.show_stored)
        sidebar.left.connect(chat.focus_composer)
        sidebar.gone.connect(self._deleted.add)
        sidebar.export_wanted.connect(self._exchange.export)
        sidebar.project_menu_filled.connect(self._exchange.offer_project)
        sidebar.renamed.connect(lambda _: self.title_changed.emit())
        sidebar.folders.changed.connect(chat.models.project_banner.refresh_project)
        chat.models.project_banner.wanted.connect(self.projects.show_settings)

    @property
    def view(self) -> InsideSplitter:
        return self.inside

    @property
    def column(self) -> ChatsColumn:
        return self.sidebar

    @property
    def title(self) -> str:
        open_id = self.chat.conversation_id
        conversation = None if open_id is None else self._app.conversations.get(open_id)
        return tr(TEMPORARY_CHAT) if self.chat.is_temporary else conversation.title if conversation else ""

    @property
    def open_id(self) -> int | None:
        return None if self.chat.is_temporary else self.chat.conversation_id

    @property
    def is_at_work(self) -> bool:
        return self.chat.busy

    def restore(self, kept_id: int) -> None:
        self.sidebar.reload()
        known = self._app.conversations.get(kept_id) if kept_id else None
        self.show_chat(known.id if known else None)

    def show_stored(self, number: int, message_id: int = 0, words: str = "") -> None:
        if number != self.open_id:
            self.show_chat(number)
        if message_id:
            self.chat.show_message(message_id, words)

    def take_keyboard(self) -> None:
        self.chat.focus_composer()

    def on_shown(self, *, is_shown: bool) -> None:
        self._ui.status.gauge.show_wanted(wanted=is_shown)

    def show_new(self) -> None:
        self.show_chat(None)

    def show_chat(self, conversation_id: int | None, *, is_temporary: bool = False) -> None:
        """Open a chat; None is a new one."""
        # The figure of the chat before; the new one's comes with its answer or a count.
        self._ui.status.gauge.show_used(0)
        if is_temporary:
            self.chat.show_temporary()
        else:
            self.chat.show_conversation(conversation_id)
        self.sidebar.show_open(conversation_id)
        self.changed.emit()

    def open_new(
        self, project_id: int | None = None, *, assistant: Assistant | None = None, is_temporary: bool = False
    ) -> None:
        """Open an empty chat with the focus in its message field, in a project or temporary if wanted.

        Text already typed for a new chat stays, even with an assistant.
        """
        self.show_chat(None, is_temporary=is_temporary)
        if project_id is not None:
            self.chat.session.dispatch(m.ChooseProject(project_id))
            self.chat.models.project_banner.refresh_project()
        self._ui.go.show_tab(CHAT)
        if assistant is not None:
            self.chat.models.options.take_assistant(assistant)

    def find(self) -> bool:
        return self.chat.transcript.places.count > 0 and self.chat.finding.begin()

    def ask_for_files(self) -> None:
        self.chat.attaching.ask()

    def take_files(self, files: Sequence[Path]) -> None:
        self.chat.attaching.add(files)

    def take_picture(self, picture: bytes | QImage, name: str) -> None:
        self.chat.attaching.add_drawn(picture, name)

    def restore_list(self) -> None:
        self.sidebar.reload()
        self.chat.session.dispatch(m.ReloadBranch())

    def import_files(self, files: Sequence[Path]) -> None:
        self._exchange.import_files(files)

    def take_documents(self, ids: Sequence[int], title: str = "") -> None:
        """Attach documents to a new chat, so that other drafts stay; a chat already waiting with the same ones is
        reused.
        """
        attachments = self._app.documents.attachments
        with self._ui.notify.guard():
            if (chat_id := attachments.chat_waiting_with(list(ids))) is None:
                chat_id = self._app.conversations.create(title=title).id
                for document_id in ids:
                    attachments.add_to_draft(chat_id, document_id)
            self.show_chat(chat_id)
            self.sidebar.show_new(chat_id)
            self._ui.go.show_tab(CHAT)

    def do(self, command: str) -> None:
        if command == "temporary_chat":
            self.open_new(is_temporary=True)
        elif command.startswith(PROJECT):
            self.open_new(int(command.removeprefix(PROJECT)))
        elif command == "new_project":
            self.projects.begin()
        elif command == "inside":
            self._sides.toggle_inside()
        elif command in COMMANDS:
            self._exchange.do(command, self.open_id)
        elif command == "context":
            self._model.show_context()
        elif command == "prompts":
            self.chat.session.send_request(m.OpenPrompts())
        elif command == "assistants":
            self.chat.models.assistants.open_all()
        elif command == "chat_settings":
            self.chat.models.options.show_dialog()
        elif command.startswith(ASSISTANT):
            self.chat.models.assistants.begin(int(command.removeprefix(ASSISTANT)))
        elif command.startswith(PROMPT):
            self.chat.session.send_request(m.TakePrompt(command.removeprefix(PROMPT)))
        else:
            # Only the palette asks for the rest.
            from app.ui.chat.commands import ChatCommands

            ChatCommands(self.chat, self.sidebar, self.microphone, self._ui.notify).run(command)

    def store(self) -> None:
        self.chat.session.dispatch(m.SaveDraft())

    def close(self) -> None:
        # First: a thread that waits for an answer would hold up the end.
        self._leaving.close()
        self.microphone.close()
        self.chat.session.dispatch(m.SaveDraft(is_last=True))
        self._sides.keep_width()
        self.document.close_document()
        self.chat.stop()


class AskingChats:
    """Marks the chats in which an answer waits for the person, and tells of each new one."""

    def __init__(self, tab: ChatTab, app: Fireside) -> None:
        self._tab, self._app = tab, app
        self._asking: frozenset[int] = frozenset()

    def show_asking(self) -> None:
        """Mark the chats that wait for the person, and tell of a new one."""
        before, self._asking = self._asking, self._tab.chat.session.state.asking_chats
        if self._asking != before:
            self._tab.sidebar.show_asking(self._asking)
        for number in self._asking - before:
            conversation = self._app.conversations.get(number)
            title = conversation.title if conversation is not None else ""
            self._tab.work_ended.emit(EndOfWork(tr(TOOL_ASKS), title, number))


class RowInStep(QObject):
    """Keeps the row of a chat in the list in step with its title and its last message."""

    def __init__(self, tab: ChatTab) -> None:
        super().__init__(tab)
        self._tab, self._chat, self._sidebar = tab, tab.chat, tab.sidebar
        self._chat.title_changed.connect(self.refresh)

    def refresh(self, conversation_id: int) -> None:
        """Show a chat in the list as it is stored now."""
        is_open = conversation_id == self._chat.conversation_id
        if is_open and self._chat.is_temporary:
            return
        # Its first message has just made it.
        if is_open and conversation_id != self._sidebar.open_id:
            self._sidebar.show_new(conversation_id)
        else:
            self._sidebar.refresh(conversation_id)
        if is_open:
            self._sidebar.show_open(conversation_id)
            self._tab.title_changed.emit()


class OtherTabs(QObject):
    """Hands texts and documents from a chat to other tabs, or to the memories."""

    def __init__(self, app: Fireside, ui: UiContext, chat: ChatView) -> None:
        super().__init__(chat)
        self._app, self._ui, self._chat, go = app, ui, chat, ui.go
        chat.models.others.more_wanted.connect(go.open_models)
        chat.session.serve(
            {
                m.SummarizeDocument: lambda asked: go.show_tab(SUMMARIZE).take_documents([asked.document_id]),
                m.TranslateFile: lambda asked: go.show_tab(TRANSLATE).take_files([asked.path]),
                m.OpenTranslation: lambda asked: go.show_tab(TRANSLATE).take_text(asked.text),
                m.ContinueText: self._continue_text,
                m.ChooseModel: lambda _asked: go.ask_for_model(),
                m.FindVisionModel: self._find_vision_model,
                m.RememberText: lambda asked: self._remembering.ask(asked.text),
            }
        )

    def _find_vision_model(self, _asked: m.FindVisionModel) -> None:
        """Open the models tab where the model's vision encoder can be downloaded, or else at models that can see."""
        path = self._ui.loader.path
        rows = [row.model for row in self._app.models.list_installed() if row.model.path == path]
        is_blind = any(self._app.models.fetching.can_fetch_eyes(model) for model in rows)
        self._ui.go.open_models("installed" if is_blind else "suggested")

    @cached_property
    def _remembering(self) -> MemoryActions:
        # At the first use.
        from app.ui.chat.remembering import MemoryActions

        ui = self._ui
        return MemoryActions(
            self._app, ui.theme, ui.notify, lambda: self._chat.models.project_banner.project, ui.window
        )

    def _continue_text(self, asked: m.ContinueText) -> None:
        tab, model = self._ui.go.show_tab(WRITE), self._ui.loader.path
        if model is not None and self._app.models.for_task(WRITE) not in (None, model):
            # The writing tab had another model of its own.
            self._ui.go.use_model(model)
        if asked.text.strip():
            tab.take_text(asked.text)


class SidePanels(QObject):
    """Document and inspector panels next to the chat: both if there is room, else the one opened last."""

    def __init__(self, app: Fireside, ui: UiContext, chat: ChatView) -> None:
        super().__init__(chat)
        self._app, self._ui, self._chat = app, ui, chat
        self.document = DocumentPanel(ui.theme, ui.notify, chat, chat.focus_composer)
        self.inside = InsideSplitter(ui.theme, self.document, chat.focus_composer, self._new_inside)
        self.inside.width_px = app.settings.window.inside_width
        chat.session.serve({m.ShowDocument: self._open_document})
        chat.documents_known.connect(self.document.keep_open)

    def follow_reading(self, pictures: PictureReading) -> None:
        """Update the chat's attachments when the document in the panel is read further or corrected."""

        def on_corrected(documents: DocumentLibrary, earlier_id: int, document_id: int) -> None:
            # Stored chats and temporary ones count their documents separately.
            if documents is self._app.documents:
                pictures.renewed.emit(earlier_id, document_id)
            else:
                self._chat.attaching.take_over(earlier_id, document_id, True)

        def on_read(earlier_id: int, document_id: int) -> None:
            self.document.take_over(self._app.documents, earlier_id, document_id)

        self.document.renewed.connect(on_corrected)
        pictures.renewed.connect(on_read)
        self._chat.attaching.scans.passed.connect(self.document.take_over)

    def toggle_inside(self) -> None:
        # Two panels beside the chat would leave it too little room.
        if not self.inside.is_pane_open and not self.inside.has_room_for(self.document.narrow_px):
            self.document.close_document()
        self.inside.toggle()

    def keep_width(self) -> None:
        """Store the panel's width for the next start."""
        if self.inside.width_px != self._app.settings.window.inside_width:
            with self._ui.notify.guard():
                self._app.change_settings("window", inside_width=self.inside.width_px)

    def _open_document(self, asked: m.ShowDocument) -> None:
        if self.inside.is_pane_open and not self.inside.has_room_for(self.document.narrow_px):
            self.inside.close_pane()
        mark = asked.mark if isinstance(asked.mark, TextHighlight) else None
        self.document.open(self._chat.session.state.place.talk.documents, asked.document_id, mark)

    def _new_inside(self) -> QWidget:
        # When first opened: Inside imports nothing before that.
        from app.ui.chat.chat_inside import ChatSubjects
        from app.ui.inside.inside_panel import PROBABILITIES, InsidePanel
        from app.ui.inside.look import lend_chat

        subjects = ChatSubjects(self._chat, self._ui.notify, self)
        panel = InsidePanel(self._ui, lend_chat(self._app), subjects)
        panel.closed.connect(self.inside.close_pane)
        panel.page_shown.connect(lambda name: subjects.want_probabilities(wanted=name == PROBABILITIES))
        return panel


class ModelInStep(QObject):
    """Keeps the context gauge and the model's state in step with the chat, and the chat with the model."""

    def __init__(self, ui: UiContext, chat: ChatView) -> None:
        super().__init__(chat)
        self._ui, self._chat = ui, chat
        gauge, loader = ui.status.gauge, ui.loader
        chat.context_changed.connect(gauge.show_used)
        chat.memory.parts_changed.connect(lambda parts: gauge.show_used(parts.used_tokens))
        chat.answer_started.connect(lambda _: loader.expect())
        chat.open_chat.live.grew.connect(loader.look_during_answer)
        chat.answer_finished.connect(self._on_answer_finished)
        gauge.clicked.connect(self.show_context)
        chat.session.serve({f.WakeModel: self._wake_model, m.TextBegun: self._wake_for_text})
        loader.changed.connect(self._on_model_changed)
        self._on_model_changed()

    def _on_answer_finished(self) -> None:
        self._ui.loader.sync_with_engine()
        self.show_waiting()

    def show_waiting(self) -> None:
        """Show in the status line whether a message waits for the model to load."""
        waits = self._chat.busy and self._ui.loader.state == "loading"
        self._ui.status.show_waiting(tr(ONE_MESSAGE_WAITS) if waits else "")

    def show_context(self) -> None:
        """Open the breakdown of the context above the gauge; the parts appear once counted."""
        gauge = self._ui.status.gauge
        panel = ContextPanel(self._ui.theme, gauge, show_texts=self._show_texts)
        self._chat.memory.parts_changed.connect(panel.show_parts)
        panel.place_at(gauge)
        panel.show()
        panel.setFocus(Qt.FocusReason.PopupFocusReason)
        # Counting needs the model, which is answering or asleep.
        if not self._chat.memory.count_context():
            panel.show_words(tr(NUMBERS_WAIT))

    def _show_texts(self) -> None:
        # Keeps this import out of the start.
        from app.ui.chat.prompt_view import SeenDialog

        if (look := self._chat.memory.coming()) is not None:
            SeenDialog(self._ui.theme, look, tr(WHAT_MODEL_SEES), self._chat).open()

    def _wake_model(self, _effect: f.WakeModel) -> None:
        # In this order: a child that has ended counts as asleep only after the first.
        self._ui.loader.sync_with_engine()
        self._ui.loader.wake()

    def _wake_for_text(self, _effect: m.TextBegun) -> None:
        if not self._chat.models.own.is_elsewhere:
            self._ui.loader.wake(for_text=True)

    def _on_model_changed(self) -> None:
        self._chat.set_model_state(self._ui.loader.state, self._ui.loader.path)
        self.show_waiting()


class LongAnswers(QObject):
    """Announces the end of an answer that took so long that the user may be doing something else."""

    told = Signal(object)
    """A long answer ended; carries an `EndOfWork`."""

    def __init__(self, chat: ChatView, app: Fireside) -> None:
        super().__init__(chat)
        self._chat, self._app = chat, app
        self._begun: dict[int, tuple[float, bool]] = {}
        """Start time of each running answer by id, and True for a temporary chat."""
        chat.answer_started.connect(self._on_started)
        chat.answer_finished.connect(self._on_finished)

    def _on_started(self, answer_id: int) -> None:
        self._begun[answer_id] = (time.monotonic(), self._chat.is_temporary)

    def _on_finished(self, answer_id: int) -> None:
        begun_s, is_temporary = self._begun.pop(answer_id, (math.inf, False))
        if time.monotonic() - begun_s < LONG_S:
            return
        message = None if is_temporary else self._app.conversations.get_message(answer_id)
        ready, broken = tr(ANSWER_READY), tr("An answer stopped with a problem.")
        if message is None:
            if is_temporary:
                self.told.emit(EndOfWork(ready))
        # Whoever stopped it was watching.
        elif message.state is not MessageState.STOPPED:
            conversation = self._app.conversations.get(message.conversation_id)
            title = conversation.title if conversation is not None else ""
            beginning = shorten(message.text, FIRST_CHARACTERS, placeholder="…")
            about = "\n".join(part for part in (title, beginning) if part)
            is_well = message.state is MessageState.COMPLETE
            self.told.emit(EndOfWork(ready if is_well else broken, about, message.conversation_id))


class DeletedChats(QObject):
    """Drops what the engine cached of deleted chats, once no answer runs in them."""

    def __init__(self, view: ChatView, chat: AnswerService, *, leave: Callable[[], object]) -> None:
        super().__init__(view)
        self.leave = leave
        """The visible chat was deleted."""
        self._view, self._chat = view, chat
        self._ids: list[int] = []
        view.answer_finished.connect(lambda _: self._forget())

    def add(self, conversation_id: int) -> None:
        place = ChatPlace(self._chat, conversation_id)
        is_running = bool(self._view.session.state.answers_in(place))
        self._view.session.dispatch(m.StopAnswers(place))
        if self._view.conversation_id == conversation_id:
            self.leave()
        self._ids.append(conversation_id)
        # Otherwise the engine would keep the state of the answer that is ending.
        if not is_running:
            self._forget()

    def _forget(self) -> None:
        gone, self._ids = self._ids, []
        if gone:
            # On a thread, because the engine may be busy; `map` is lazy, so each chat is forgotten there.
            tasks.run(lambda _token: map(self._chat.forget_conversation, gone), self)
