"""Hub search: filters, results, and a repository opened in their place."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from app.core.errors.app_error import AppError, EnvironmentProblem
from app.core.errors.hub_errors import NetworkOff
from app.hub.hub_search import PAGE_ROWS, HubQuery, SearchResultPage
from app.hub.model_files import ModelFile, Repository
from app.ui.i18n import sentence_for, tr
from app.ui.locale_formats import join_facts
from app.ui.models.models_page import Choice, StateView
from app.ui.models.repository import RepositoryPage
from app.ui.models.search_filters import SearchFilters
from app.ui.models.search_results import ResultList
from app.ui.screen_reader import read_as, tell_busy
from app.ui.shared_labels import CANCEL, NETWORK_SETTINGS, TRY_AGAIN
from app.ui.shell import tasks
from app.ui.shell.notify import describe
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import EDGE_PX, HEADING_PX, TOP_PX
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import ColumnRow, fill_layout, name_widgets
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

FIND_ON_HUB = "Find a model on the Hub"

SHOW_MOST_DOWNLOADED = "Show the most downloaded"
MODELS_ON_HUB = "Models on the Hub"
MODELS_FOUND = "Models for “{words}”"
NOTHING_FOUND_FOR = "No results for “{words}”"
SEARCH_WITHOUT_FILTERS = "Search without filters"
SHOW_MORE = "Show more"
ALL_RESULTS_SHOWN = "Showing all {n}."
NETWORK_SWITCHED_OFF = "The network is off"
SWITCH_NETWORK_ON = "Turn on the network"
SEARCH_AGAIN = "Search again"
SEARCH_STOPPED = "Search stopped."
NOTHING_FOUND = "No results"
ONLY_RESULT = "Only one model found."
SEARCHING = "Searching…"
SEARCHING_HUB = "Searching the Hub…"


log = logging.getLogger(__name__)

TYPING_MS = 300
SLOW_MS, VERY_SLOW_MS = 300, 2000


class SearchPage(QWidget):
    """Page of the search. `show_query` searches while typing; a new search cancels the one before."""

    download_wanted = Signal(object, object, bool)
    """A download to queue: `Repository`, `ModelFile`, and whether to include the vision file."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        read_as(self, QAccessible.Role.Section)
        theme = ui.theme
        self._app, self._theme, self._notify, self._go = app, theme, ui.notify, ui.go
        self.text = ""
        self._wants_all = False
        self._limit = PAGE_ROWS
        self._task: tasks.BackgroundTask | None = None
        self._typed = new_timer(self, TYPING_MS, self.search_now)
        self._slow = new_timer(self, SLOW_MS, self._say_searching)
        self._very_slow = new_timer(self, VERY_SLOW_MS - SLOW_MS, self._offer_cancel)
        self.title = theme.dress(plain_label(wraps=True), font="title")
        self.told = plain_label(kind="muted", wraps=True)
        self.cancel = text_button(tr(CANCEL), "link", on_click=self._cancel)
        self.filters = SearchFilters(theme, on_change=self._on_filters)
        self.list = ResultList(theme, open_repository=self.open_repository)
        self.state = StateView(theme)
        self.more = text_button(tr(SHOW_MORE), on_click=self._on_more)
        self.more_told = plain_label(kind="muted", wraps=True)
        self.repository = RepositoryPage(app, ui)
        self.repository.download_wanted.connect(self._download)
        self.repository.back_wanted.connect(self._back)
        self._stack = QStackedLayout(self)
        fill_layout(self._stack, self._results_page(), self.repository)
        theme.dress(self.title, least_height=HEADING_PX)
        theme.dress(self.told, font="small")
        theme.dress(self.cancel, self.more, font="control")
        theme.dress(self.more_told, font="small")
        theme.dress(self._around, margins=(EDGE_PX, TOP_PX, EDGE_PX, 12), spacing=0)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=10)
        theme.dress(self._foot_row, margins=(0, 2, 2, 0))
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
        """True while a search is due or running."""
        return self._typed.isActive() or self._task is not None

    def show_query(self, text: str) -> None:
        """Search for a text after a pause in typing."""
        text = " ".join(text.split())
        self._stack.setCurrentIndex(0)
        if text == self.text and not self._typed.isActive():
            return
        self.text, self._wants_all = text, False
        self._typed.start()
        # A cleared field needs no pause: there is nothing to ask.
        if not text:
            self.search_now()

    def search_now(self) -> None:
        self._typed.stop()
        self._limit = PAGE_ROWS
        if self.text or self._wants_all:
            self._ask()
        else:
            self._forget_task()
            self._show_empty()

    def open_repository(self, name: str) -> None:
        self._stack.setCurrentIndex(1)
        self.repository.show_repository(name)
        self.repository.setFocus()

    def _back(self) -> None:
        self._stack.setCurrentIndex(0)
        self.list.setFocus()

    def _download(self, repository: Repository, model: ModelFile, with_vision: bool) -> None:
        # On a thread, since an equal file is first looked for on this computer.
        tasks.ask(
            lambda _token: self._app.models.fetching.download(repository, model, with_vision),
            self,
            lambda _download: self.download_wanted.emit(repository, model, with_vision),
            self._notify.error,
        )

    def _ask(self) -> None:
        self._forget_task()
        if not self._app.settings.network.reaches_internet:
            self._show_off()
            return
        query = self.filters.query(self.text, self._limit)
        self._task = tasks.ask(
            lambda token: self._app.models.hub.search(query, token),
            self,
            lambda page: self._on_page(query, page),
            self._on_failed,
        )
        self._slow.start()
        tell_busy(self, True)

    def _forget_task(self) -> None:
        if self._task is not None and not self._task.done:
            self._task.abandon()
        self._task = None
        self._slow.stop()
        self._very_slow.stop()
        self.cancel.hide()
        tell_busy(self, False)

    def _on_page(self, query: HubQuery, page: SearchResultPage) -> None:
        # Before its thread has ended, or the page would still count as searching.
        self._forget_task()
        if not page.found:
            self._show_nothing()
            return
        self.list.show_found(page.found)
        # Apart, as the first estimate waits until this computer's speed was measured.
        tasks.ask(lambda _: self._app.models.machine.guess_fits(page.found), self, self.list.results.show_fits)
        self._set_visible(is_list=True)
        count = len(page.found)
        self.title.setText(tr(MODELS_FOUND, words=query.text) if query.text else tr(MODELS_ON_HUB))
        self.told.setText(tr("Nothing is downloaded until you press Download."))
        self.more.setText(tr(SHOW_MORE))
        self.more.setEnabled(True)
        self.more.setVisible(page.has_more)
        shown = tr("Showing the first {n}.", n=count) if page.has_more else tr(ALL_RESULTS_SHOWN, n=count)
        self.more_told.setText(tr(ONLY_RESULT) if count == 1 and not page.has_more else shown)
        announce(self, join_facts((self.title.text(), self.more_told.text())))

    def _on_failed(self, error: BaseException) -> None:
        # If only more results failed to come, those that are there stay.
        is_more = self._limit > PAGE_ROWS and self.list.isVisibleTo(self)
        self._forget_task()
        if isinstance(error, NetworkOff):
            self._show_off()
            return
        # What isn't about disk, memory or network is a defect of ours.
        if not isinstance(error, EnvironmentProblem):
            log.error("defect: %s", describe(error))
        sentence = sentence_for(error)
        announce(self, str(sentence), is_urgent=True)
        if is_more:
            self.more_told.setText(sentence.text)
            self.more.setText(tr(TRY_AGAIN))
            self.more.setEnabled(True)
            return
        choices: list[Choice] = [(tr(TRY_AGAIN), "plain", self._ask)]
        settings = self._notify.actions.get("network")
        if sentence.action == "network" and settings is not None:
            choices.append((tr(NETWORK_SETTINGS), "quiet", settings))
        self._show_state("wifi-slash", sentence.text, sentence.kept, choices)

    def _on_more(self) -> None:
        # A retry repeats the same query.
        if len(self.list.results.found) >= self._limit:
            self._limit += PAGE_ROWS
        self.more.setEnabled(False)
        self._ask()

    def _on_filters(self) -> None:
        if self.text or self._wants_all:
            self.search_now()

    def _cancel(self) -> None:
        self._forget_task()
        # Results of the search before are still good; an empty page gets a way to start over.
        if self.list.results.found and self.list.isVisibleTo(self):
            self.told.setText(tr(SEARCH_STOPPED))
            self.more.setEnabled(True)
        else:
            self._show_state("", tr(SEARCH_STOPPED), "", [(tr(SEARCH_AGAIN), "plain", self._ask)])

    def _search_all(self) -> None:
        self._wants_all = True
        self.search_now()

    def _switch_on(self) -> None:
        try:
            self._app.change_settings("network", allowed=True, internet=True)
        except AppError as error:
            self._notify.error(error)
        self._go.show_network()
        self.search_now()

    def _say_searching(self) -> None:
        # In sequence: after a standstill of the computer both timers would be due at once.
        self._very_slow.start()
        if self.list.isVisibleTo(self):
            self.told.setText(tr(SEARCHING))
        else:
            self._show_state("", tr(SEARCHING_HUB), "")

    def _offer_cancel(self) -> None:
        if self.list.isVisibleTo(self):
            self.cancel.show()
        else:
            self._show_state(
                "", tr(SEARCHING_HUB), tr("This is taking longer than usual."), [(tr(CANCEL), "plain", self._cancel)]
            )

    def _show_empty(self) -> None:
        is_on = self._app.settings.network.reaches_internet
        self._show_state(
            "magnifying-glass",
            tr(FIND_ON_HUB),
            tr("Type a name or task on the left, such as “qwen”, “gemma” or “translation”. Only models that run "
               "in Fireside are shown."),
            [(tr(SHOW_MOST_DOWNLOADED), "plain", self._search_all)] if is_on else [],
        )  # fmt: skip

    def _show_off(self) -> None:
        self._show_state(
            "wifi-slash",
            tr(NETWORK_SWITCHED_OFF),
            tr("Searching asks huggingface.co for names and sizes. Your chats aren’t sent."),
            [(tr(SWITCH_NETWORK_ON), "primary", self._switch_on)],
        )

    def _show_nothing(self) -> None:
        text = tr(NOTHING_FOUND_FOR, words=self.text) if self.text else tr(NOTHING_FOUND)
        announce(self, text)
        if self.filters.is_narrow:
            self._show_state(
                "magnifying-glass", text, tr("The filters above hide some models."),
                [(tr(SEARCH_WITHOUT_FILTERS), "plain", self.filters.widen)],
            )  # fmt: skip
        else:
            self._show_state("magnifying-glass", text, tr("Try a shorter name."))

    def _show_state(self, glyph: str, title: str, text: str, choices: list[Choice] | None = None) -> None:
        # Emptied, so that neither keys nor screen readers meet results that can't be seen.
        self.list.show_found(())
        self.title.setText(tr(MODELS_ON_HUB))
        self.state.show_state(glyph, title, text, choices or [])
        self._set_visible(is_list=False)

    def _set_visible(self, *, is_list: bool) -> None:
        self.told.setVisible(is_list)
        self._foot.setVisible(is_list)
        self.list.setVisible(is_list)
        self.state.setVisible(not is_list)

    def _results_page(self) -> QWidget:
        self._holder = QWidget()
        self._head = fill_layout(QHBoxLayout(), (self.told, 1), self.cancel)
        self._foot = QWidget()
        self._foot_row = fill_layout(QHBoxLayout(self._foot), (self.more_told, 1), self.more)
        self._column = QVBoxLayout(self._holder)
        fill_layout(self._column, self.title, self.filters, self._head, (self.list, 1), (self.state, 1), self._foot)
        page = QWidget()
        self._around = ColumnRow(self._theme, self._holder, page)
        return page

    def showEvent(self, event: QShowEvent) -> None:
        # Shown by a stack, it has lost the fonts that were set before.
        self._theme.dress_again(self)
        super().showEvent(event)
