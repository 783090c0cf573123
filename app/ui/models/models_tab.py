"""The Models tab: its pages and its column, and what passes between these, the loader, the downloads and the window."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.ui.i18n import tr
from app.ui.models.downloads import DownloadsPage
from app.ui.models.installed import InstalledPage
from app.ui.models.page import ModelsPage
from app.ui.models.storage import StoragePage
from app.ui.models.suggested import SuggestedPage
from app.ui.shell.keyboard import keys_of
from app.ui.shell.tab_spec import CHAT, Tab, UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import SearchField

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.installed import Installed
    from app.hub.download import Download
    from app.ui.inside.how_it_works import HowItWorks
    from app.ui.models.anatomy import AnatomyPage
    from app.ui.models.blind import BlindPage
    from app.ui.models.compare import ComparePage
    from app.ui.models.search import SearchPage


Page = TypeVar("Page", bound=QWidget)


class ModelsView(QStackedWidget):
    """Pages are called suggested, installed, others, downloads, storage, search, anatomy, compare, blind and how.

    The last five are built when they are wanted first.
    """

    _heard = Signal(object)
    """From whatever thread a download tells on."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self.setObjectName("models_view")
        self.setAccessibleName(tr("Models"))
        self._app, self._ui, self._loader = app, ui, ui.loader
        self._column = ModelsColumn(ui.theme)
        self.suggested = SuggestedPage(app, ui)
        self.installed = InstalledPage(app, ui)
        self.others = InstalledPage(app, ui, of_others=True)
        self.downloads = DownloadsPage(app, ui)
        self.storage = StoragePage(app, ui)
        self._pages: dict[str, ModelsPage] = {
            "suggested": self.suggested,
            "installed": self.installed,
            "others": self.others,
            "downloads": self.downloads,
            "storage": self.storage,
        }
        for page in self._pages.values():
            self.addWidget(page)
        self._states: dict[int, str] = {}
        self._before_search, self._listed_on = "suggested", "installed"
        self.page = ""
        self._connect()
        self.downloads.ask(lambda _: app.models.hub.prepare(), lambda _: None)

    @property
    def column(self) -> ModelsColumn:
        """What stands at the window's left while this view is shown."""
        return self._column

    @cached_property
    def search(self) -> SearchPage:
        """The page of the Hub's search."""
        from app.ui.models.search import SearchPage

        page = SearchPage(self._app, self._ui)
        page.download_wanted.connect(lambda *_: self.downloads.reload())
        self.addWidget(page)
        return page

    @cached_property
    def anatomy(self) -> AnatomyPage:
        """One model from the inside."""
        from app.ui.models.anatomy import AnatomyPage

        page = AnatomyPage(self._ui)
        page.back_wanted.connect(lambda: self.show_page(self._listed_on))
        page.explained_wanted.connect(lambda: self.show_page("how"))
        page.compared_wanted.connect(lambda: self.show_page("compare"))
        return self._added(page)

    @cached_property
    def compare(self) -> ComparePage:
        """Several models on one text."""
        from app.ui.models.compare import ComparePage

        page = ComparePage(self._app, self._ui)
        page.results.use_wanted.connect(lambda path: self._use("chat", path))
        return self._added(page)

    @cached_property
    def blind(self) -> BlindPage:
        """Two models and one question."""
        from app.ui.models.blind import BlindPage

        return self._added(BlindPage(self._app, self._ui))

    @cached_property
    def how(self) -> HowItWorks:
        """How a language model works, in six pages."""
        from app.ui.inside.how_it_works import HowItWorks

        page = HowItWorks(self._app, self._ui)
        page.compare_wanted.connect(lambda: self.show_page("compare"))
        return self._added(page)

    def close_work(self) -> None:
        """The window closes: what was begun in these pages ends."""
        for name in ("compare", "blind"):
            if name in self.__dict__:
                getattr(self, name).stop()

    def show_page(self, name: str) -> None:
        """Shows a page, and reads anew what is on it; the first time, what the column counts, too."""
        if not self.page:
            for page in (self.installed, self.others, self.downloads):
                page.reload()
        if name == "search":
            self.setCurrentWidget(self.search)
        else:
            wanted = self._pages.get(name) or getattr(self, name)
            self._before_search = name
            self.setCurrentWidget(wanted)
            wanted.reload()
        self.page = name
        focus, shown = QApplication.focusWidget(), self.currentWidget()
        if shown is not None and (focus is None or not self._column.isAncestorOf(focus)):
            shown.setFocus(Qt.FocusReason.OtherFocusReason)  # Tab goes on from the page's beginning
        self._column.show_page(name)

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

    def look_inside(self, installed: Installed, name: str) -> None:
        """Of one model, as the card calls it."""
        self._listed_on = self.page
        self.anatomy.show_model(installed, name)
        self.show_page("anatomy")

    def _added(self, page: Page) -> Page:
        self.addWidget(page)
        return page

    def _connect(self) -> None:
        self._column.add_wanted.connect(self._ui.go.add_model)
        self._column.page_chosen.connect(self.show_page)
        self._column.search_changed.connect(self.look_for)
        self._column.search.returnPressed.connect(self._to_results)
        self.suggested.use_wanted.connect(self._use)
        self.suggested.details_wanted.connect(self.show_repository)
        self.storage.moved.connect(self._on_moved)
        self.suggested.downloads_changed.connect(self.downloads.reload)
        for models in (self.installed, self.others):
            models.inside_wanted.connect(self.look_inside)
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
            self._ui.go.show_tab(CHAT)
            return
        done = self.suggested.ask(lambda _: self._app.models.use(task, path), lambda _: self.suggested.reload())
        done.failed.connect(self._ui.notify.error)


# The left column of the Models view: add a file, search the Hub, and the pages under two headings.


SEARCH_DELAY_MS = 300

_GROUPS = (
    ("On this computer", (
        ("suggested", "Suggested"), ("installed", "Installed"), ("others", "From other programs"),
        ("storage", "Storage"),
    )),
    ("The Hub", (("downloads", "Downloads"),)),
    ("Look inside", (("compare", "Compare"), ("blind", "Two side by side"), ("how", "How it works"))),
)  # fmt: skip


class ModelsColumn(QWidget):
    """Says what is wanted; what is shown is the view's business."""

    add_wanted = Signal()
    page_chosen = Signal(str)
    search_changed = Signal(str)
    """What to look for, when the typing pauses or Return is pressed; "" when the field was emptied."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("models_column")
        self._theme = theme
        self._add = text_button(tr("Add a file"), "new")
        self._add.setObjectName("add_file")
        self._add.clicked.connect(self.add_wanted)
        self.search = SearchField(theme, tr("Search the Hub"))
        self.search.setToolTip(keys_of("models"))
        self._told = ""
        self._later = QTimer(self, singleShot=True, interval=SEARCH_DELAY_MS)
        self._later.timeout.connect(self._tell_search)
        self.search.textChanged.connect(lambda _: self._later.start())
        self.search.installEventFilter(self)
        self.search.returnPressed.connect(self._on_return)
        self._column = QVBoxLayout(self)
        self._begin = QVBoxLayout()
        self._begin.addWidget(self._add)
        self._begin.addWidget(self.search)
        self._column.addLayout(self._begin)
        self.pages: dict[str, QPushButton] = {}
        self._names: dict[str, str] = {}
        self._group = QButtonGroup(self)
        listed = QWidget()
        listed.setObjectName("page")
        self._rows = QVBoxLayout(listed)
        self._rows.setContentsMargins(0, 0, 0, 0)
        for heading, pages in _GROUPS:
            self._add_group(tr(heading), pages)
        self._rows.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._column.addWidget(self._scroll, 1)
        theme.dress(self._column, margins=(12, 14, 12, 0), spacing=3)
        theme.dress(self._rows, spacing=3)
        theme.dress(self._begin, spacing=9)
        theme.dress(self._add, font=(14.5, 600), glyph=("plus", "accent", 20), glyph_size=(32, 16))
        theme.changed.connect(self._show_names)
        self._show_names()
        # WORKAROUND: this polishes what is inside, and under a style sheet Qt puts back later the fonts of that moment.
        self._scroll.setWidget(listed)

    def show_page(self, name: str) -> None:
        """Marks a page; "search" has no row of its own, so nothing is marked then."""
        button = self.pages.get(name)
        self._group.setExclusive(False)
        for one in self.pages.values():
            one.setChecked(one is button)
        self._group.setExclusive(True)

    def show_count(self, name: str, count: int) -> None:
        """How many there are behind a page; none is not said."""
        text = f"{self._names[name]} · {count}" if count else self._names[name]
        self.pages[name].setAccessibleName(text)
        self._show_names()

    def _add_group(self, heading: str, pages: tuple[tuple[str, str], ...]) -> None:
        label = QLabel(heading.upper(), textFormat=Qt.TextFormat.PlainText)
        label.setAccessibleName(heading)
        label.setProperty("kind", "muted")
        self._theme.dress(label, font=(12, 600), margins=(15, 14, 6, 4))
        self._rows.addWidget(label)
        for name, text in pages:
            button = text_button(tr(text), "nav")
            self._theme.dress(button, font=(14, 500))
            button.setObjectName(f"page_{name}")
            button.setCheckable(True)
            button.setProperty("elides", True)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, name=name: self._choose(name))
            self.pages[name], self._names[name] = button, tr(text)
            button.installEventFilter(self)
            self._group.addButton(button)
            self._rows.addWidget(button)

    def _show_names(self) -> None:
        """In a narrow column long names are shortened."""
        room = self.contentsRect().width() - self._theme.px(2 * (12 + 15) + 2)
        for button in self.pages.values():
            text = button.accessibleName()
            button.setText(button.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room))
            button.setToolTip(text if button.text() != text else "")

    def _choose(self, name: str) -> None:
        self._later.stop()
        self.page_chosen.emit(name)

    def _on_return(self) -> None:
        self._told = ""  # the same words again are a wish to see the results again
        self._tell_search()

    def _tell_search(self) -> None:
        self._later.stop()
        text = self.search.text().strip()
        if text != self._told:
            self._told = text
            self.search_changed.emit(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_names()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A button of a group would move the focus along by itself, and choose nothing.
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and isinstance(watched, QWidget):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self._move(watched, step)
                return True
        return super().eventFilter(watched, event)

    def _move(self, start: QWidget, step: int) -> None:
        ways = [self.search, *self.pages.values()]
        place = ways.index(start) + step
        if 0 <= place < len(ways):
            ways[place].setFocus(Qt.FocusReason.TabFocusReason)
            self._scroll.ensureWidgetVisible(ways[max(1, place)])
        if 1 <= place < len(ways):
            list(self.pages.values())[place - 1].click()


class ModelsTab(Tab):
    """A model file can be added without the view."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui

    @cached_property
    def view(self) -> ModelsView:
        view = ModelsView(self._app, self._ui)
        view.column.page_chosen.connect(lambda _: self.changed.emit())
        view.column.search.returnPressed.connect(self.changed)
        return view

    @property
    def column(self) -> ModelsColumn:
        return self.view.column

    def do(self, command: str) -> None:
        self.view.show_page(command)

    def take_keyboard(self) -> None:
        self.column.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def take_files(self, files: Sequence[Path]) -> None:
        from app.ui.models.installed import FileAdding  # not needed at start

        adding = FileAdding(self._app, self._ui)
        for path in files:
            adding.add_file(path, self._ui.go.use_model)

    def close(self) -> None:
        if "view" in self.__dict__:
            self.view.close_work()
