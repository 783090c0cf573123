"""Searching the Hub: filters, the repositories that were found, and one of them opened in their place."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from app.core import errors
from app.core.events import CancelToken
from app.features.messages import sentence_for
from app.hub.files import ModelFile, Repository
from app.hub.search import PAGE_ROWS, Page, Query
from app.ui.models.filters import Filters
from app.ui.models.repository_page import RepositoryPage
from app.ui.models.result_list import ResultList
from app.ui.models.state_view import Choice, StateView
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify, describe
from app.ui.theme import EDGE_PX, PAGE_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.hub.downloads import Download

log = logging.getLogger(__name__)

TYPING_MS = 300
SLOW_MS, VERY_SLOW_MS = 300, 2000


class SearchPage(QWidget):
    """`show_query` as a person types; a newer search silences the one before."""

    download_wanted = Signal(object, object, bool)
    """It is in the queue now: a `Repository`, one of its `ModelFile`s, and whether its picture file comes too."""
    network_switched = Signal()
    """The network was switched on from here."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__()
        self._app, self._theme, self._notify = app, theme, notify
        self.text = ""
        self._wants_all = False
        self._limit = PAGE_ROWS
        self._task: tasks.Task | None = None
        self._typed = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typed.timeout.connect(self.search_now)
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(self._say_searching)
        self._very_slow = QTimer(self, singleShot=True, interval=VERY_SLOW_MS)
        self._very_slow.timeout.connect(self._offer_cancel)
        self.title = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.told = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.told.setProperty("kind", "muted")
        self.cancel = text_button(tr("Cancel"), "link")
        self.cancel.clicked.connect(self._cancel)
        self.filters = Filters(theme)
        self.filters.changed.connect(self._on_filters)
        self.list = ResultList(theme)
        self.list.opened.connect(self.open_repository)
        self.state = StateView(theme)
        self.more = text_button(tr("Show more"))
        self.more.clicked.connect(self._on_more)
        self.more_told = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.more_told.setProperty("kind", "muted")
        self.repository = RepositoryPage(app, theme, notify)
        self.repository.download_wanted.connect(self._download)
        self.repository.back_wanted.connect(self._back)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._results_page())
        self._stack.addWidget(self.repository)
        theme.changed.connect(self._on_theme_changed)
        self.cancel.hide()
        self._show_empty()
        name_widgets(
            search_title=self.title,
            search_told=self.told,
            stop_search=self.cancel,
            show_more=self.more,
            more_told=self.more_told,
        )

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._typed.isActive() or self._task is not None

    def show_query(self, text: str) -> None:
        """Another text is looked for, a moment after the last letter."""
        text = " ".join(text.split())
        self._stack.setCurrentIndex(0)
        if text == self.text and not self._typed.isActive():
            return
        self.text, self._wants_all = text, False
        self._typed.start()
        if not text:
            self.search_now()

    def search_now(self) -> None:
        """Asks without waiting for more letters."""
        self._typed.stop()
        self._limit = PAGE_ROWS
        if self.text or self._wants_all:
            self._ask()
        else:
            self._forget_task()
            self._show_empty()

    def open_repository(self, name: str) -> None:
        """Shows one repository in place of the results."""
        self._stack.setCurrentIndex(1)
        self.repository.show_repository(name)
        self.repository.setFocus()

    def _back(self) -> None:
        self._stack.setCurrentIndex(0)
        self.list.setFocus()

    def _download(self, repository: Repository, model: ModelFile, with_vision: bool) -> None:
        """Queues it, on a thread: the same file may be looked for on this computer first."""

        def work(_token: CancelToken) -> Iterator[Download]:
            yield self._app.models.download(repository, model, with_vision)

        task = tasks.run(work, self)
        task.event.connect(lambda _download: self.download_wanted.emit(repository, model, with_vision))
        task.failed.connect(self._notify.error)

    # Asking.

    def _ask(self) -> None:
        self._forget_task()
        if not self._app.settings.network.allowed:
            self._show_off()
            return
        query = self.filters.query(self.text, self._limit)

        def work(token: CancelToken) -> Iterator[Page]:
            yield self._app.models.search(query, token)

        self._task = task = tasks.run(work, self)
        task.event.connect(lambda page: self._on_page(query, page))
        task.finished.connect(self._forget_task)
        task.failed.connect(self._on_failed)
        self._slow.start()
        self._very_slow.start()

    def _forget_task(self) -> None:
        if self._task is not None and not self._task.done:
            self._task.abandon()
        self._task = None
        self._slow.stop()
        self._very_slow.stop()
        self.cancel.hide()

    def _on_page(self, query: Query, page: Page) -> None:
        if not page.found:
            self._show_nothing()
            return
        self.list.show_found(page.found)
        self._set_visible(is_list=True)
        count = len(page.found)
        self.title.setText(tr("Models for “{words}”", words=query.text) if query.text else tr("Models on the Hub"))
        self.told.setText(tr("Nothing is fetched until you press Download."))
        self.more.setText(tr("Show more"))
        self.more.setEnabled(True)
        self.more.setVisible(page.has_more)
        shown = tr("The first {n} are shown.", n=count) if page.has_more else tr("All {n} are shown.", n=count)
        self.more_told.setText(tr("This is the only one.") if count == 1 and not page.has_more else shown)

    def _on_failed(self, error: BaseException) -> None:
        is_more = self._limit > PAGE_ROWS and self.list.isVisibleTo(self)
        self._forget_task()
        if isinstance(error, errors.NetworkOff):
            self._show_off()
            return
        if not isinstance(error, errors.EnvironmentProblem):
            log.error("defect: %s", describe(error))
        sentence = sentence_for(error)
        if is_more:
            self.more_told.setText(tr(sentence.text))
            self.more.setText(tr("Try again"))
            self.more.setEnabled(True)
            return
        choices: list[Choice] = [(tr("Try again"), "plain", self._ask)]
        settings = self._notify.actions.get("network")
        if sentence.action == "network" and settings is not None:
            choices.append((tr("Network settings"), "quiet", settings))
        self._show_state("wifi-slash", tr(sentence.text), tr(sentence.kept) if sentence.kept else "", choices)

    def _on_more(self) -> None:
        # A second try asks for the same again.
        if len(self.list.results.found) >= self._limit:
            self._limit += PAGE_ROWS
        self.more.setEnabled(False)
        self._ask()

    def _on_filters(self) -> None:
        if self.text or self._wants_all:
            self.search_now()

    def _cancel(self) -> None:
        self._forget_task()
        if self.list.results.found and self.list.isVisibleTo(self):
            self.told.setText(tr("The search was stopped."))
            self.more.setEnabled(True)
        else:
            self._show_state("", tr("The search was stopped."), "", [(tr("Search again"), "plain", self._ask)])

    def _search_all(self) -> None:
        self._wants_all = True
        self.search_now()

    def _switch_on(self) -> None:
        try:
            self._app.change("network", allowed=True)
        except errors.AppError as error:
            self._notify.error(error)
        self.network_switched.emit()
        self.search_now()

    # Showing.

    def _say_searching(self) -> None:
        if self.list.isVisibleTo(self):
            self.told.setText(tr("Searching…"))
        else:
            self._show_state("", tr("Searching the Hub…"), "")

    def _offer_cancel(self) -> None:
        if self.list.isVisibleTo(self):
            self.cancel.show()
        else:
            self._show_state(
                "", tr("Searching the Hub…"), tr("The answer takes long."), [(tr("Cancel"), "plain", self._cancel)]
            )

    def _show_empty(self) -> None:
        self._show_state(
            "magnifying-glass",
            tr("Find a model on the Hub"),
            tr("Type a name or a task at the left, such as “qwen”, “gemma” or “translation”. "
               "Only models that run in this program are shown."),
            [(tr("Show the most downloaded"), "plain", self._search_all)] if self._app.settings.network.allowed else [],
        )  # fmt: skip

    def _show_off(self) -> None:
        self._show_state(
            "wifi-slash",
            tr("The network is switched off"),
            tr("Searching asks huggingface.co for names and sizes. Nothing of your chats is sent."),
            [(tr("Switch the network on"), "primary", self._switch_on)],
        )

    def _show_nothing(self) -> None:
        text = tr("Nothing was found for “{words}”", words=self.text) if self.text else tr("Nothing was found")
        if self.filters.is_narrow:
            self._show_state(
                "magnifying-glass", text, tr("The filters above leave some models out."),
                [(tr("Search without filters"), "plain", self.filters.widen)],
            )  # fmt: skip
        else:
            self._show_state("magnifying-glass", text, tr("A shorter name often finds more."))

    def _show_state(self, glyph: str, title: str, text: str, choices: list[Choice] | None = None) -> None:
        self.list.show_found(())
        self.state.show_state(glyph, title, text, choices or [])
        self._set_visible(is_list=False)

    def _set_visible(self, *, is_list: bool) -> None:
        self.title.setVisible(is_list)
        self.told.setVisible(is_list)
        self._foot.setVisible(is_list)
        self.list.setVisible(is_list)
        self.state.setVisible(not is_list)

    def _results_page(self) -> QWidget:
        self._holder = QWidget()
        self._head = QHBoxLayout()
        self._head.addWidget(self.told, 1)
        self._head.addWidget(self.cancel)
        self._foot = QWidget()
        self._foot_row = QHBoxLayout(self._foot)
        self._foot_row.addWidget(self.more_told, 1)
        self._foot_row.addWidget(self.more)
        self._column = QVBoxLayout(self._holder)
        self._column.addWidget(self.filters)
        self._column.addWidget(self.title)
        self._column.addLayout(self._head)
        self._column.addWidget(self.list, 1)
        self._column.addWidget(self.state, 1)
        self._column.addWidget(self._foot)
        page = QWidget()
        self._around = QHBoxLayout(page)
        self._around.addWidget(self._holder, 1000)
        self._around.addStretch(1)
        return page

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        theme, px = self._theme, self._theme.px
        self.title.setFont(theme.font(21, 600))
        self.told.setFont(theme.font(14))
        self.cancel.setFont(theme.font(13.5, 500))
        self.more.setFont(theme.font(13.5, 500))
        self.more_told.setFont(theme.font(13))
        self._holder.setMaximumWidth(px(PAGE_PX))
        self._around.setContentsMargins(px(EDGE_PX), px(TOP_PX), px(EDGE_PX), px(12))
        self._around.setSpacing(0)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(px(10))
        self._foot_row.setContentsMargins(0, px(2), px(2), 0)
