"""Which view the window shows: a tab or the models, each with its own left column; a view is built when wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.bootstrap import SUMMARY as SUMMARY_KIND
from app.bootstrap import TRANSLATION as TRANSLATION_KIND
from app.core.errors import AppError
from app.store.jobs import Jobs
from app.ui.document.view import DocumentPanel
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.left_column import LeftColumn
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.shell.tabs import CHAT, SUMMARIZE, TRANSLATE, Tabs
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.chat.chat_view import ChatView
    from app.ui.models.models_view import ModelsView
    from app.ui.summarize.summarize_tab import SummarizeTab
    from app.ui.translate.translate_tab import TranslateTab

MODELS = "models"


class Views(QObject):
    """Holds the stack of the content; `left` shows what belongs to the view, `tabs` which one it is."""

    add_wanted = Signal()
    network_switched = Signal()
    changed = Signal()
    """Another view is shown, or something else in it: the window's title and the picker follow."""
    work_changed = Signal(str)
    """What a summary or a translation does, in words; "" when none is at work."""
    model_changed = Signal()
    """A tab has another model now, which was not chosen in the picker."""
    chat_made = Signal(int)
    """A conversation that was begun from elsewhere, to be shown."""

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, loader: ModelLoader, *, chat: ChatView, left: LeftColumn
    ) -> None:
        super().__init__(left)
        self._app, self._theme, self._notify, self._loader, self._chat = app, theme, notify, loader, chat
        self._left = left
        self._models: ModelsView | None = None
        self._summarize: SummarizeTab | None = None
        self._translate: TranslateTab | None = None
        self._built: set[str] = set()
        """Tabs that can be seen; their work can go on before."""
        self._work_words: dict[str, str] = {}
        self.current = CHAT
        self.tab = CHAT
        """The tab that is open, or was before the models were looked at."""
        self.tabs = Tabs(theme)
        self.tabs.chosen.connect(self.show_tab)
        self.content = QStackedWidget()
        self.document = DocumentPanel(theme, notify, chat, chat.focus_composer)
        self.content.addWidget(self.document)
        chat.document_wanted.connect(self.document.open)
        chat.documents_known.connect(self.document.keep)
        chat.attaching.summarize_wanted.connect(self._on_summarize_wanted)
        chat.attaching.translate_wanted.connect(lambda path: self.translate([path]))
        chat.translate_wanted.connect(self.translate_text)
        self.tabs.mark(CHAT)

    @property
    def work_title(self) -> str:
        """Of the summary or the translation that is open, else of what is shown."""
        if self.current == MODELS:
            return tr("Models")
        if self.current == TRANSLATE:
            tab = self._translate if TRANSLATE in self._built else None
            return (tab.title if tab is not None else "") or tr("Translate")
        summaries = self._summarize if SUMMARIZE in self._built else None
        return (summaries.title if summaries is not None else "") or tr("Summarize")

    @property
    def open_ids(self) -> dict[str, int]:
        """The summary and the translation that are open, or were before a restart, as the settings have them."""
        kept = self._app.settings.window
        ids = {"summary_id": kept.summary_id, "translation_id": kept.translation_id}
        if self._summarize is not None and SUMMARIZE in self._built:
            ids["summary_id"] = self._summarize.open_id or 0
        if self._translate is not None and TRANSLATE in self._built:
            ids["translation_id"] = self._translate.open_id or 0
        return ids

    @property
    def is_at_work(self) -> bool:
        """Whether a summary or a translation is being made, or rests while the person chats."""
        return self.is_tab_at_work(SUMMARIZE) or self.is_tab_at_work(TRANSLATE)

    def is_tab_at_work(self, name: str) -> bool:
        """Whether a tab's model is summarizing or translating now."""
        if name == SUMMARIZE:
            return self._summarize is not None and self._summarize.runner.is_running
        return name == TRANSLATE and self._translate is not None and self._translate.is_at_work

    def show_tab(self, name: str) -> None:
        """Opens a tab, ready to type into or to drop files on."""
        if name == SUMMARIZE:
            self.show_summarize()
        elif name == TRANSLATE:
            self.show_translate()
        else:
            self.show_chat()

    def show_chat(self) -> None:
        """The chat, ready to type into."""
        self.content.setCurrentIndex(0)
        self._left.views.setCurrentIndex(0)
        self._mark(CHAT)
        self._chat.focus_composer()

    def show_summarize(self) -> None:
        """The summaries, with the one that was open last."""
        tab = self._summaries()
        self.content.setCurrentWidget(tab.view)
        self._left.views.setCurrentWidget(tab.column)
        self._mark(SUMMARIZE)
        tab.view.take_keyboard()

    def show_translate(self) -> None:
        """The translations, with the one that was open last."""
        tab = self._translations()
        self.content.setCurrentWidget(tab.view)
        self._left.views.setCurrentWidget(tab.column)
        self._mark(TRANSLATE)
        tab.view.take_keyboard()

    def show_soon(self, name: str) -> None:
        """At start: an empty place that becomes the tab once the window has been painted."""
        self.current = self.tab = name
        self.tabs.mark(name)
        blank, beside = _Blank(), QWidget()
        self.content.addWidget(blank)
        self._left.views.addWidget(beside)
        self.content.setCurrentWidget(blank)
        self._left.views.setCurrentWidget(beside)

        def build() -> None:
            if self.content.currentWidget() is blank:
                self.show_tab(name)
            for widget in (blank, beside):
                widget.deleteLater()

        blank.painted.connect(build, Qt.ConnectionType.QueuedConnection)

    def show_models(self, page: str = "suggested") -> None:
        """The models; `page`: suggested, installed, others, downloads, storage or search."""
        view = self._models or self._make_models()
        view.show_page(page)
        self.content.setCurrentWidget(view)
        self._left.views.setCurrentWidget(view.column)
        self._mark(MODELS)
        view.column.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def attach(self, files: Sequence[Path]) -> None:
        """Documents go beside the next message."""
        if files:
            self.show_chat()
            self._chat.attaching.add(files)

    def summarize(self, files: Sequence[Path]) -> None:
        """Documents go into the summary that is being put together."""
        if files:
            self.show_summarize()
            self._summaries().view.add_files(files)

    def translate(self, files: Sequence[Path]) -> None:
        """Documents are translated."""
        if files:
            self.show_translate()
            self._translations().view.add_files(files)

    def translate_text(self, text: str) -> None:
        """A text from elsewhere, such as an answer, is translated at once."""
        self.show_translate()
        self._translations().view.translate_text(text)

    def ask_for_documents(self) -> None:
        """Asks for files: for a summary or a translation in their tabs, elsewhere for the chat."""
        if self.current == SUMMARIZE:
            self._summaries().view.ask_for_files()
        elif self.current == TRANSLATE:
            self._translations().view.ask_for_files()
        else:
            self.show_chat()
            self._chat.attaching.ask()

    def new_summary(self) -> None:
        """An empty one, where files can be dropped."""
        self._summaries().show_new()
        self.show_summarize()

    def new_in_tab(self) -> bool:
        """A new summary or translation, where their tab is open; whether it is."""
        if self.current == SUMMARIZE:
            self.new_summary()
        elif self.current == TRANSLATE:
            self._translations().show_new()
        return self.current in (SUMMARIZE, TRANSLATE)

    def search_in_tab(self) -> bool:
        """To the search field above the summaries or the translations, where their tab is open; whether it is."""
        if self.current not in (SUMMARIZE, TRANSLATE):
            return False
        column = self._summaries().column if self.current == SUMMARIZE else self._translations().column
        column.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        column.search.selectAll()
        return True

    def on_model_changed(self) -> None:
        """The model of a tab is another: what a summary would take is estimated anew, what can be translated asked."""
        if self._summarize is not None and SUMMARIZE in self._built and self._summarize.open_id is None:
            self._summarize.view.show_new()
        if self._translate is not None and TRANSLATE in self._built:
            self._translate.view.on_model_changed()

    def go_on(self) -> None:
        """What an earlier run left in the queues is worked off, once the window is there."""
        look = tasks.run(lambda _token: _waiting(self._app), self)
        look.event.connect(lambda kind: (self._work() if kind == SUMMARY_KIND else self._translating()).runner.start())

    def close(self) -> None:
        """The window closes: nothing is asked any more."""
        self.document.close_document()
        for tab in (self._summarize, self._translate):
            if tab is not None:
                tab.close()

    def _work(self) -> SummarizeTab:
        """The summaries, perhaps without anything to be seen of them."""
        if self._summarize is None:
            from app.ui.summarize.summarize_tab import SummarizeTab  # not needed at start

            tab = self._summarize = SummarizeTab(self._app, self._theme, self._notify, self._left.window())
            tab.ask_wanted.connect(self._on_ask_wanted)
            tab.translate_wanted.connect(self.translate_text)
            tab.state_changed.connect(lambda words: self._on_work(SUMMARIZE, words))
            tab.memory_changed.connect(self._loader.look)
            tab.title_changed.connect(self.changed)
            tab.model_wanted.connect(self.show_models)
        return self._summarize

    def _summaries(self) -> SummarizeTab:
        tab = self._work()
        if SUMMARIZE not in self._built:
            self._built.add(SUMMARIZE)
            self.content.addWidget(tab.view)
            self._left.add(tab.column)
            tab.restore(self._app.settings.window.summary_id)
        return tab

    def _translating(self) -> TranslateTab:
        """The translations, perhaps without anything to be seen of them."""
        if self._translate is None:
            from app.ui.translate.translate_tab import TranslateTab  # not needed at start

            tab = self._translate = TranslateTab(self._app, self._theme, self._notify, self._left.window())
            tab.state_changed.connect(lambda words: self._on_work(TRANSLATE, words))
            tab.memory_changed.connect(self._loader.look)
            tab.title_changed.connect(self.changed)
            tab.models_wanted.connect(self.show_models)
            tab.model_changed.connect(self.model_changed)
        return self._translate

    def _translations(self) -> TranslateTab:
        tab = self._translating()
        if TRANSLATE not in self._built:
            self._built.add(TRANSLATE)
            self.content.addWidget(tab.view)
            self._left.add(tab.column)
            tab.restore(self._app.settings.window.translation_id)
        return tab

    def _make_models(self) -> ModelsView:
        from app.ui.models.models_view import ModelsView  # not needed at start

        view = self._models = ModelsView(self._app, self._theme, self._notify, self._loader)
        view.add_wanted.connect(self.add_wanted)
        view.chat_wanted.connect(self.show_chat)
        view.network_switched.connect(self.network_switched)
        view.column.page_chosen.connect(lambda _: self.changed.emit())
        view.column.search.returnPressed.connect(self.changed)
        self.content.addWidget(view)
        self._left.add(view.column)
        return view

    def _on_work(self, tab: str, words: str) -> None:
        """What is at work in one tab; the other's words come back when it is over."""
        self._work_words.pop(tab, None)
        if words:
            self._work_words[tab] = words
        self.work_changed.emit(next(reversed(self._work_words.values()), ""))

    def _mark(self, name: str) -> None:
        self.current = name
        self._left.models.setChecked(name == MODELS)
        self.tabs.mark("" if name == MODELS else name)
        if name != MODELS:
            self.tab = name
        self.changed.emit()

    def _on_summarize_wanted(self, document_id: int) -> None:
        """A document of a chat is to be summarized instead."""
        self.show_summarize()
        self._summaries().view.add_documents([document_id])

    def _on_ask_wanted(self, document_ids: list[int], title: str) -> None:
        """A chat of its own, so that what is being written elsewhere stays as it is; one that waits is taken again."""
        attachments = self._app.documents.attachments
        try:
            chat_id = attachments.chat_waiting_with(document_ids)
            if chat_id is None:
                chat_id = self._app.conversations.create(title=title).id
                for document_id in document_ids:
                    attachments.add_to_draft(chat_id, document_id)
        except AppError as error:
            self._notify.error(error)
            return
        self.chat_made.emit(chat_id)
        self.show_chat()


class _Blank(QWidget):
    """Tells once that it has been seen."""

    painted = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted.emit()


def _waiting(app: Fireside) -> Iterator[str]:
    """The kinds of work that waits; asked of the store, since mostly nothing more is needed."""
    jobs = Jobs(app.database)
    yield from (kind for kind in (SUMMARY_KIND, TRANSLATION_KIND) if jobs.find(kind, ("queued", "running")))
