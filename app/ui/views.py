"""Which view the window shows: the chat, or the models, each with its own left column; a view is built when wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QPushButton, QStackedWidget

from app.ui.document_panel import DocumentPanel
from app.ui.left_column import LeftColumn
from app.ui.model_loader import ModelLoader
from app.ui.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.chat.chat_view import ChatView
    from app.ui.models.models_view import ModelsView


class Views(QObject):
    """Holds the stack of the content; `left` shows what belongs to the view."""

    add_wanted = Signal()
    network_switched = Signal()

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, loader: ModelLoader, *, chat: ChatView, left: LeftColumn
    ) -> None:
        super().__init__(left)
        self._app, self._theme, self._notify, self._loader, self._chat = app, theme, notify, loader, chat
        self._left = left
        self._models: ModelsView | None = None
        self.tab: QPushButton | None = None
        self.content = QStackedWidget()
        self.document = DocumentPanel(theme, notify, chat)
        self.content.addWidget(self.document)
        chat.document_wanted.connect(self.document.open)
        chat.documents_known.connect(self.document.keep)

    def show_chat(self) -> None:
        """The chat, ready to type into."""
        self.content.setCurrentIndex(0)
        self._left.views.setCurrentIndex(0)
        self._mark(models=False)
        self._chat.focus_composer()

    def show_models(self, page: str = "suggested") -> None:
        """The models; `page`: suggested, installed, others, downloads, storage or search."""
        view = self._models or self._make_models()
        view.show_page(page)
        self.content.setCurrentWidget(view)
        self._left.views.setCurrentWidget(view.column)
        self._mark(models=True)
        view.column.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _make_models(self) -> ModelsView:
        from app.ui.models.models_view import ModelsView  # not needed at start

        view = self._models = ModelsView(self._app, self._theme, self._notify, self._loader)
        view.add_wanted.connect(self.add_wanted)
        view.chat_wanted.connect(self.show_chat)
        view.network_switched.connect(self.network_switched)
        self.content.addWidget(view)
        self._left.add(view.column)
        return view

    def _mark(self, *, models: bool) -> None:
        self._left.models.setChecked(models)
        if self.tab is not None:
            self.tab.setChecked(not models)
