"""Settings dialog: every change is saved and applied at once; fields can't hold invalid values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QStackedWidget, QVBoxLayout, QWidget

from app.core.policy import read_policy
from app.features.administration import policy_problems
from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.settings.about import AboutPage
from app.ui.settings.appearance_page import AppearancePage
from app.ui.settings.chat_page import ChatPage
from app.ui.settings.check_page import ComputerCheckPage
from app.ui.settings.computers import ComputersSection
from app.ui.settings.data import DataPage, TrashPage
from app.ui.settings.engine_page import EnginePage
from app.ui.settings.lending_section import LendingSection
from app.ui.settings.memories import MemoriesPage
from app.ui.settings.network_page import NetworkPage
from app.ui.settings.programs import ProgramsSection
from app.ui.settings.servers_page import ServersSection
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.settings.settings_search import SettingsSearch
from app.ui.settings.system_page import SystemPage
from app.ui.shared_labels import SETTINGS
from app.ui.shell.settings_index import PAGES, SettingsPageSpec, page_label
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, within_screen

if TYPE_CHECKING:
    from app.bootstrap import Fireside

WIDTH_PX, HEIGHT_PX = 860, 640
TIGHT_PX = 320
"""Width below which the search moves under the page button."""
NARROW_PX = 520
"""Width below which the list of pages becomes a menu button."""


class SettingsDialog(Dialog):
    """Dialog with a list of pages and a search for rows. `page`: see `SettingHit`."""

    def __init__(self, app: Fireside, ui: UiContext, page: str = "appearance") -> None:
        super().__init__(ui.window)
        theme = ui.theme
        self._app, self._theme, self._notify = app, theme, ui.notify
        self.set_up_window("settings_dialog", tr(SETTINGS))
        px = theme.px
        beside, room = ui.window.width() - px(48), ui.window.height() - px(48)
        width, height = max(px(TIGHT_PX), min(px(WIDTH_PX), beside)), max(px(420), min(px(HEIGHT_PX), room))
        self.resize(within_screen(self, QSize(width, height)))
        self._nav = QWidget()
        self._nav.setObjectName("settings_nav")
        self._nav.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._nav_column = theme.dress(QVBoxLayout(self._nav), margins=(12, 16, 12, 16), spacing=2)
        theme.dress(self._nav, least_width=168)
        theme.changed.connect(self._arrange)
        self._group = QButtonGroup(self)
        self._numbers: dict[str, int] = {}
        self._page_makers: dict[int, tuple[QWidget, Callable[[], SettingsPage]]] = {}
        self.pages = QStackedWidget()
        self.search = SettingsSearch(theme, self, show_results=self._show_results, show_page=self.show_page_named)
        self._nav_column.addWidget(self.search.field)
        listed = read_as(QWidget(), QAccessible.Role.PageTabList)
        listed.setAccessibleName(tr(SETTINGS))
        self._page_rows = theme.dress(drop_margins(QVBoxLayout(listed)), spacing=2)
        self._nav_column.addWidget(listed)
        self._add_pages(app, ui)
        self._nav_column.addStretch(1)
        names = [(str(number), button.text()) for number, button in enumerate(self._group.buttons())]
        self._choice = ChoiceButton(
            theme, tr("Page"), names, shows_change=False, on_change=lambda number: self.show_page(int(number))
        )
        self.pages.currentChanged.connect(lambda number: self._choice.show_value(str(number)))
        self._above = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._above.addWidget(self._choice, 0, Qt.AlignmentFlag.AlignLeading)
        self._shown = QStackedWidget()
        fill_layout(self._shown, self.pages, self.search.results)
        self._row = drop_margins(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), 0)
        fill_layout(self._row, self._nav, self._above, (self._shown, 1))
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.field.setFocus)
        self._arrange()
        self.show_page_named(page)

    def _add_pages(self, app: Fireside, ui: UiContext) -> None:
        theme = ui.theme
        makers: dict[str, Callable[[], SettingsPage]] = {
            "appearance": lambda: AppearancePage(app, theme, self._save),
            "chat": lambda: ChatPage(app, theme, self._save),
            "memories": lambda: MemoriesPage(app, theme, ui.notify, self._save),
            "engine": lambda: self._engine_page(ui),
            "tools": lambda: _tools_page(app, ui, self._save),
            "network": lambda: self._network_page(ui),
            "connections": lambda: _connections_page(app, ui),
            "system": lambda: SystemPage(app, ui, self._save),
            "data": lambda: DataPage(app, ui, self._save, self.accept),
            "trash": lambda: TrashPage(app, ui, self._save),
            "check": lambda: ComputerCheckPage(app, ui, self.accept),
            "about": lambda: AboutPage(
                app,
                theme,
                open_help=lambda page: ui.go.open_help(page or "start", self),
                open_shortcuts=lambda: ui.go.open_shortcuts(self),
            ),
        }
        group = ""
        for page in PAGES:
            if page.group != group:
                group = page.group
                self._add_caption(tr(group))
            self._add_page(page, makers[page.name])

    @property
    def help_screen(self) -> str:
        names = (name for name, number in self._numbers.items() if number == self.pages.currentIndex())
        return f"settings/{next(names)}"

    def show_page(self, number: int) -> None:
        """Show a page by its position in the list."""
        self.search.field.clear()
        button = self._group.buttons()[number]
        button.setChecked(True)
        (button if self._choice.isHidden() else self._choice.button).setFocus()
        self._open(number)

    def show_page_named(self, name: str) -> None:
        """Show a page by name, scrolled to a row if one is named; see `SettingHit`."""
        page, _, row = name.partition("/")
        self.show_page(self._numbers[page])
        shown = self.pages.currentWidget()
        if row and isinstance(shown, SettingsPage):
            shown.reveal_later(row)

    def _show_results(self, wanted: bool) -> None:
        self._shown.setCurrentIndex(int(wanted))

    def done(self, result: int) -> None:
        """Save pending typed text, then close; Qt calls it for Escape and the close button, too."""
        if (page := self.pages.findChild(ChatPage)) is not None:
            page.save_typed()
        super().done(result)

    def _arrange(self) -> None:
        """Put the list beside the pages, or as a menu above them if there is little room."""
        px = self._theme.px
        is_narrow = self.width() < px(NARROW_PX) or self.height() < self._nav.sizeHint().height()
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        direction = down if self.width() < px(TIGHT_PX) else along
        was_wide = self._above.direction() == along and direction == down
        self._above.setDirection(direction)
        if is_narrow != self._nav.isHidden():
            # A widget that moves to another parent loses the focus.
            had_focus = self.search.field.hasFocus()
            if is_narrow:
                self._above.addWidget(self.search.field, 1)
            else:
                self._nav_column.insertWidget(0, self.search.field)
            if had_focus:
                self.search.field.setFocus()
        self._nav.setHidden(is_narrow)
        self._choice.setVisible(is_narrow)
        self._above.setContentsMargins(*((px(16), px(10), px(16), 0) if is_narrow else (0, 0, 0, 0)))
        self._row.setDirection(down if is_narrow else along)
        if was_wide:
            self._row.activate()  # or the window would keep its former minimum width

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _add_page(self, page: SettingsPageSpec, make: Callable[[], SettingsPage]) -> None:
        number = self.pages.count()
        button = text_button(tr(page.label), "nav", on_click=lambda: self.show_page(number))
        # An icon wider than its glyph adds space.
        self._theme.dress(button, font="control", glyph=(page.icon, "muted", 18), glyph_size=(24, 18))
        button.setCheckable(True)
        read_as(button, QAccessible.Role.PageTab)
        self._numbers[page.name] = number
        self._group.addButton(button)
        self._page_rows.addWidget(button)
        empty = QWidget()
        self._page_makers[number] = empty, make
        self.pages.addWidget(empty)

    def _add_caption(self, text: str) -> None:
        """Add the caption of the following pages."""
        caption = plain_label(text, kind="muted")
        self._page_rows.addWidget(self._theme.dress(caption, font="caption", margins=(10, 12, 10, 2)))

    def _open(self, number: int) -> None:
        """Show a page by its number, building it on first use."""
        # Most pages are never opened.
        if number in self._page_makers:
            empty, make = self._page_makers.pop(number)
            # In this order, so that all pages keep their numbers.
            self.pages.insertWidget(number, self._with_locks(make()))
            self.pages.removeWidget(empty)
            empty.deleteLater()
        self.pages.setCurrentIndex(number)

    def _with_locks(self, page: SettingsPage) -> SettingsPage:
        """Show on a page what an administrator has set, and what is wrong with their file."""
        for section in (page, *page.sections):
            section.lock_rows(self._app.settings)
        for place, sentence in enumerate(policy_problems(read_policy()), 1):
            label = page.label(sentence, "small")
            label.setProperty("kind", "danger")
            page.column.insertWidget(place, label)
        return page

    def _engine_page(self, ui: UiContext) -> SettingsPage:
        page = EnginePage(self._app, ui.theme, self._save)
        page.reload.clicked.connect(ui.loader.reload)
        page.watch_loader(ui.loader)
        return page

    def _network_page(self, ui: UiContext) -> SettingsPage:
        return NetworkPage(self._app, ui.theme, self._save, on_network=ui.go.show_network)

    def _save(self, section: str, **values: Any) -> None:
        with self._notify.guard():
            self._app.change_settings(section, **values)


def _tools_page(app: Fireside, ui: UiContext, save: Save) -> SettingsPage:
    from app.ui.settings.tools_page import ToolsPage  # with all that speaks to tool servers, which few have

    return ToolsPage(app, ui, save)


def _connections_page(app: Fireside, ui: UiContext) -> SettingsPage:
    """Build the page of remote models, other computers' memory, and programs that use this one's models."""
    page = SettingsPage(ui.theme, page_label("connections"))
    page.add_section(ServersSection(app, ui), "servers")
    page.add_section(ComputersSection(app, ui.theme, ui.notify), "computers")
    page.add_section(LendingSection(app, ui.theme), "lending")
    if ui.programs is not None:
        page.add_section(ProgramsSection(app, ui))
    page.finish()
    return page
