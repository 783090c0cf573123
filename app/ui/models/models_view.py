"""The Models view: its pages, and what passes between them, the loader and the downloads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QStackedWidget

from app.ui.models.downloads_page import DownloadsPage
from app.ui.models.installed_page import InstalledPage
from app.ui.models.models_column import ModelsColumn
from app.ui.models.storage_page import StoragePage
from app.ui.models.suggested_page import SuggestedPage
from app.ui.shell.i18n import tr
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.hub.downloads import Download
    from app.ui.models.search_page import SearchPage


class ModelsView(QStackedWidget):
    """Pages are called suggested, installed, others, downloads, storage and search."""

    add_wanted = Signal()
    chat_wanted = Signal()
    """A model was chosen for the chat and is being loaded."""
    page_changed = Signal(str)
    network_switched = Signal()
    """The network was switched on from here."""
    _heard = Signal(object)
    """From whatever thread a download tells on."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, loader: ModelLoader) -> None:
        super().__init__()
        self.setObjectName("models_view")
        self.setAccessibleName(tr("Models"))
        self._app, self._theme, self._notify, self._loader = app, theme, notify, loader
        self._column = ModelsColumn(theme)
        self.suggested = SuggestedPage(app, theme, notify, loader)
        self.installed = InstalledPage(app, theme, notify, loader)
        self.others = InstalledPage(app, theme, notify, loader, of_others=True)
        self.downloads = DownloadsPage(app, theme, notify)
        self.storage = StoragePage(app, theme, notify)
        self._search: SearchPage | None = None
        self._pages = {
            "suggested": self.suggested,
            "installed": self.installed,
            "others": self.others,
            "downloads": self.downloads,
            "storage": self.storage,
        }
        for page in self._pages.values():
            self.addWidget(page)
        self._states: dict[int, str] = {}
        self._before_search = "suggested"
        self.page = ""
        self._connect()
        self.downloads.ask(lambda _: app.models.prepare(), lambda _: None)

    @property
    def column(self) -> ModelsColumn:
        """What stands at the window's left while this view is shown."""
        return self._column

    @property
    def search(self) -> SearchPage:
        """The page of the Hub's search, built when it is wanted first."""
        if self._search is None:
            from app.ui.models.search_page import SearchPage

            self._search = SearchPage(self._app, self._theme, self._notify)
            self._search.download_wanted.connect(lambda *_: self.downloads.reload())
            self._search.network_switched.connect(self.network_switched)
            self.addWidget(self._search)
        return self._search

    def show_page(self, name: str) -> None:
        """Shows a page, and reads anew what is on it; the first time, what the column counts, too."""
        if not self.page:
            for page in (self.installed, self.others, self.downloads):
                page.reload()
        if name == "search":
            self.setCurrentWidget(self.search)
        else:
            self._before_search = name
            self.setCurrentWidget(self._pages[name])
            self._pages[name].reload()
        self.page = name
        focus, shown = QApplication.focusWidget(), self.currentWidget()
        if shown is not None and (focus is None or not self._column.isAncestorOf(focus)):
            shown.setFocus(Qt.FocusReason.OtherFocusReason)  # Tab goes on from the page's beginning
        self._column.show_page(name)
        self.page_changed.emit(name)

    def look_for(self, text: str) -> None:
        """Searches the Hub; without a text, back to the page before."""
        if text:
            self.show_page("search")
            self.search.show_query(text)
            self.search.search_now()  # the column has waited for more letters already
        elif self.page == "search":
            self.show_page(self._before_search)

    def _to_results(self) -> None:
        """Return in the search field goes on to what was found."""
        if self.page == "search" and self.search.list.results.found:
            self.search.list.setFocus(Qt.FocusReason.TabFocusReason)

    def show_repository(self, name: str) -> None:
        """One repository of the Hub."""
        self.show_page("search")
        self.search.open_repository(name)

    def _connect(self) -> None:
        self._column.add_wanted.connect(self.add_wanted)
        self._column.page_chosen.connect(self.show_page)
        self._column.search_changed.connect(self.look_for)
        self._column.search.returnPressed.connect(self._to_results)
        self.suggested.use_wanted.connect(self._use)
        self.suggested.details_wanted.connect(self.show_repository)
        self.storage.moved.connect(self._on_moved)
        self.suggested.downloads_changed.connect(self.downloads.reload)
        for page in (self.installed, self.others, self.downloads):
            page.use_wanted.connect(lambda path: self._use("chat", path))
        for name, page in (("installed", self.installed), ("others", self.others), ("downloads", self.downloads)):
            page.counted.connect(lambda count, name=name: self._column.show_count(name, count))
        self.storage.page_wanted.connect(self.show_page)
        self.storage.changed.connect(self._reload_lists)
        self.installed.changed.connect(self.suggested.reload)
        self.installed.changed.connect(self._loader.changed)  # it may have another name
        self._heard.connect(self._on_download, Qt.ConnectionType.QueuedConnection)
        unlisten = self._app.models.listen(self._heard.emit)
        self.destroyed.connect(unlisten)

    def _on_download(self, download: Download) -> None:
        self.downloads.show_change(download)
        self.suggested.show_change(download)
        if self._states.get(download.id, download.state) != download.state and download.state == "done":
            self.installed.reload()
        self._states[download.id] = download.state

    def _on_moved(self, old: Path, new: Path) -> None:
        """The model that is in was read from the old place."""
        path = self._loader.path
        if path is not None and old in path.parents:
            self._loader.load(new / path.relative_to(old))

    def _reload_lists(self) -> None:
        for page in (self.installed, self.downloads):
            page.reload()

    def _use(self, task: str, path: Path) -> None:
        if task == "chat":
            self._loader.load(path)
            self.chat_wanted.emit()
            return
        done = self.suggested.ask(lambda _: self._app.models.use(task, path), lambda _: self.suggested.reload())
        done.failed.connect(self._notify.error)
