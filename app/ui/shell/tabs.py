"""The window's tabs: the row at the top, the left column of each, and the switching between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QIcon, QKeyEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.store.jobs import JobTable
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.shared_labels import SETTINGS, WRITING_AN_ANSWER
from app.ui.shell import tasks
from app.ui.shell.keyboard import keys_of, written
from app.ui.shell.tab_spec import CHAT, OwnEngine, Tab, TabSpec, UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.layouts import CurrentStack, InsideSplitter, drop_focus, drop_margins, fill_layout, scrolled

if TYPE_CHECKING:
    from app.bootstrap import Fireside


ICON_PX, GAP_PX = 18, 6
PADDING_PX, NARROW_PADDING_PX, TIGHT_PADDING_PX = 14, 8, 3
"""Horizontal padding of a tab with a name, with an icon, and with an icon in the tightest layout; as in the style
sheet.
"""
HELP_PARTS = ("inside_panel", "document_view")
"""Object names of parts of a tab that have a help page of their own."""
TIGHT_GAP_PX = 2


class TabRow(QWidget):
    """Row of tab buttons, with at most one of them checked."""

    def __init__(self, theme: Theme, specs: Sequence[TabSpec], *, choose: Callable[[str], object]) -> None:
        super().__init__()
        self.choose = choose
        read_as(self, QAccessible.Role.PageTabList)
        self._theme = theme
        self._has_names, self._is_tight = True, False
        self._specs = {spec.name: spec for spec in specs}
        self._row = theme.dress(drop_margins(QHBoxLayout(self)), spacing=GAP_PX)
        self._buttons: dict[str, QPushButton] = {}
        for spec in specs:
            button = text_button(tr(spec.label), "tab", on_click=lambda _=False, name=spec.name: self.choose(name))
            button.setObjectName(f"tab_{spec.name}")
            button.setCheckable(True)
            read_as(button, QAccessible.Role.PageTab)
            self._buttons[spec.name] = button
            self._row.addWidget(button)
        theme.dress(*self._buttons.values(), font="control", glyph_size=(ICON_PX, ICON_PX))
        theme.changed.connect(self._label_buttons)
        self._label_buttons()

    @property
    def names_px(self) -> int:
        return self._width_with([button.fontMetrics().horizontalAdvance(tr(self._specs[name].label)) + 1
                                 for name, button in self._buttons.items()])  # fmt: skip

    @property
    def icons_px(self) -> int:
        return self._width_with([self._theme.px(ICON_PX)] * len(self._buttons), NARROW_PADDING_PX)

    @property
    def tight_px(self) -> int:
        """Width of the row with icons in the tightest layout."""
        return self._width_with([self._theme.px(ICON_PX)] * len(self._buttons), TIGHT_PADDING_PX, TIGHT_GAP_PX)

    def show_names(self, *, shown: bool, is_tight: bool = False) -> None:
        """Show names, or icons instead; screen readers and tooltips have both."""
        if (shown, is_tight) != (self._has_names, self._is_tight):
            self._has_names, self._is_tight = shown, is_tight
            self._theme.dress(self._row, spacing=TIGHT_GAP_PX if is_tight else GAP_PX)
            self._label_buttons()

    def mark(self, name: str) -> None:
        """Check the button of the open tab; none if that has no button here."""
        for known, button in self._buttons.items():
            button.setChecked(known == name)

    def _width_with(self, contents_px: list[int], padding_px: int = PADDING_PX, gap_px: int = GAP_PX) -> int:
        around = 2 * self._theme.px(padding_px) + 2
        return sum(width + around for width in contents_px) + self._theme.px(gap_px) * (len(contents_px) - 1)

    def _label_buttons(self) -> None:
        for name, button in self._buttons.items():
            set_mark(button, "narrow", "tight" if self._is_tight else not self._has_names)
            words, keys = tr(self._specs[name].label), [written(key) for key in self._specs[name].keys[:1]]
            button.setText(words if self._has_names else "")
            button.setIcon(QIcon() if self._has_names else icon(self._specs[name].icon, self._theme.tokens.text))
            button.setToolTip("".join(keys if self._has_names else [words, *(f" ({key})" for key in keys)]))


class Tabs(QObject):
    """Builds tabs on first use and shows them: their view in `content`, their column in `left`.

    The first of `specs` is the home tab, shown when nothing else is open; it is built with the window.
    """

    changed = Signal()
    """Another tab or another item in it is open; the window's title and the picker follow."""
    title_changed = Signal()
    inside_changed = Signal()
    """The inspector panel of the open tab was opened or closed."""
    model_changed = Signal()
    """A tab's model changed other than by the picker."""

    def __init__(self, app: Fireside, ui: UiContext, left: LeftColumn, specs: Sequence[TabSpec]) -> None:
        super().__init__(left)
        self._app, self._ui, self._left = app, ui, left
        self.specs = {spec.name: spec for spec in specs}
        self.home = specs[0].name
        self._made: dict[str, Tab] = {}
        self._seen: set[str] = set()
        """Names of the tabs whose view is built; others may already work without one."""
        self.work = TabWork(self.specs, self._made, self)
        self.current = self.tab = self.home
        """Names of the tab that is shown, and of the open one that a start returns to, never one at the
        column's foot.
        """
        self.row = TabRow(ui.theme, [spec for spec in specs if not spec.is_at_foot], choose=self.show)
        self.content = CurrentStack()
        self.row.mark(self.home)
        self._seen_first(self.home)

    @property
    # Only of a tab whose view is there: others would be built by this.
    def title(self) -> str:
        """Title of what is shown; "" for the empty home tab."""
        tab = self._made[self.current] if self.current in self._seen else None
        label = "" if self.current == self.home else tr(self.specs[self.current].label)
        return (tab.title if tab is not None else "") or label

    @property
    def in_use(self) -> dict[str, str | int]:
        """The open tab and the open item of each, as stored in the settings; for unbuilt tabs, that before the
        restart.
        """
        kept = self._app.settings.window
        return {"tab": self.tab} | {
            spec.kept_id: (self._made[name].open_id or 0) if name in self._seen else getattr(kept, spec.kept_id)
            for name, spec in self.specs.items()
            if spec.kept_id
        }

    @property
    def task(self) -> str:
        """Task whose model belongs to the open tab."""
        return self.specs[self.tab].task

    @property
    def has_inside(self) -> bool:
        """True if what is shown has an inspector panel."""
        return self.specs[self.current].has_inside

    @property
    def is_inside_open(self) -> bool:
        """True if the inspector panel of what is shown is open."""
        view = self._made[self.current].view if self.has_inside and self.current in self._seen else None
        return isinstance(view, InsideSplitter) and view.is_pane_open

    @property
    def help_screen(self) -> str:
        """What is shown, for help: the tab, and its page or the part that has the focus."""
        part, widget = self.seen(self.current).help_part, QApplication.focusWidget()
        while widget is not None and not part and widget is not self.content:
            part = widget.objectName() if widget.objectName() in HELP_PARTS else ""
            widget = widget.parentWidget()
        return f"{self.current}/{part}" if part else self.current

    def toggle_inside(self) -> None:
        """Open or close the inspector panel, if what is shown has one."""
        if self.has_inside:
            self.seen(self.current).do("inside")

    def made(self, name: str) -> Tab:
        """Return a tab's controller, building it if necessary, perhaps without a view."""
        if name not in self._made:
            tab = self._made[name] = self.specs[name].build(self._app, self._ui)
            tab.setParent(self._ui.window)
            tab.changed.connect(self.changed)
            tab.title_changed.connect(self.title_changed)
            tab.model_changed.connect(self.model_changed)
            tab.inside_changed.connect(self.inside_changed)
            self.work.follow_tab(name, tab)
        return self._made[name]

    def seen(self, name: str) -> Tab:
        """Return a tab with its view and column, restored to its state before the restart."""
        if name not in self._seen:
            self._seen_first(name)
            self._restore(name)
        return self._made[name]

    def _seen_first(self, name: str) -> None:
        tab = self.made(name)
        self._seen.add(name)
        self.content.addWidget(tab.view)
        self._left.add(tab.column)

    def _restore(self, name: str) -> None:
        kept_id = self.specs[name].kept_id
        self._made[name].restore(getattr(self._app.settings.window, kept_id) if kept_id else 0)

    def show(self, name: str, *, takes_focus: bool = True) -> Tab:
        """Open a tab and focus it, ready for typing or dropped files; unless the caller moves the focus."""
        tab = self.seen(name)
        if name != self.current:
            self._ui.notify.bar.leave_screen()
            drop_focus(self.content)
            drop_focus(self._left.views)
        self.content.setCurrentWidget(tab.view)
        self._left.views.setCurrentWidget(tab.column)
        self._mark(name)
        for seen_name in self._seen:
            self._made[seen_name].on_shown(is_shown=seen_name == name)
        self.changed.emit()
        if takes_focus:
            tab.take_keyboard()
        return tab

    def show_soon(self, name: str) -> None:
        """Show an empty placeholder that becomes the tab once the window is painted, or a key arrives. Speeds up the
        start.
        """
        self._mark(name)
        blank, blank_column = _Blank(), QWidget()
        self.content.addWidget(blank)
        self._left.views.addWidget(blank_column)
        self.content.setCurrentWidget(blank)
        self._left.views.setCurrentWidget(blank_column)
        blank.setFocus(Qt.FocusReason.OtherFocusReason)

        def build() -> None:
            if self.content.currentWidget() is blank:
                self.show(name)
            for widget in (blank, blank_column):
                if isValid(widget):  # a key press may have built the tab already
                    widget.deleteLater()

        def take_key(event: QKeyEvent) -> None:
            build()
            # What is typed before the tab is built belongs into it.
            if (focus := self._ui.window.focusWidget()) is not None and focus is not blank:
                QApplication.sendEvent(focus, event)

        blank.key_came.connect(take_key)
        # Queued: building inside paintEvent would delay the first picture that this placeholder is for.
        blank.painted.connect(build, Qt.ConnectionType.QueuedConnection)

    def restore(self) -> None:
        """Restore the home tab, and then the tab that was open before a restart, unless it is one at the
        column's foot.
        """
        self._restore(self.home)
        self._made[self.home].take_keyboard()
        name = self._app.settings.window.tab
        if name in self.specs and name != self.home and not self.specs[name].is_at_foot:
            self.show_soon(name)

    def send(self, name: str, files: Sequence[Path]) -> None:
        """Open a tab and hand it files; does nothing without any."""
        if files:
            self.show(name).take_files(files)

    @property
    def is_column_focused(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and self._left.isAncestorOf(focus)

    @property
    def for_search(self) -> Tab:
        """Tab whose list is searched: the open one, or else the home tab, which gets opened."""
        return self.seen(self.current) if not self.specs[self.current].is_at_foot else self.show(self.home)

    @property
    def for_files(self) -> Tab:
        """Tab that accepts files: the open one, or else the home tab, which gets opened."""
        takes = self.specs[self.current].drops is not None and self.current != self.home
        return self.seen(self.current) if takes else self.show(self.home)

    def on_model_chosen(self) -> None:
        """Let all built tabs update what depends on the model."""
        for name in self._seen:
            self._made[name].on_model_chosen()

    def go_on(self) -> None:
        """Resume the jobs that an earlier run left queued, once the window is shown."""
        tasks.run(
            lambda _token: self.work.waiting(JobTable(self._app.database)),
            self,
            on_event=lambda name: self.made(name).go_on(),
        )

    def store(self) -> None:
        for tab in self._made.values():
            tab.store()

    def close(self) -> None:
        for tab in self._made.values():
            tab.close()

    def _mark(self, name: str) -> None:
        self.current = name
        self._left.mark(name)
        self.row.mark(name)
        if not self.specs[name].is_at_foot:
            self.tab = name


class TabWork(QObject):
    """Tracks the work in all built tabs (`made`), shown or not.

    The first of `specs` answers the user; jobs in the others run in parallel or pause meanwhile.
    """

    changed = Signal(str)
    """Text of the latest activity in any tab; "" when all are idle."""
    ended = Signal(str, object)
    """Long work ended: the tab's name, and its `EndOfWork`."""

    def __init__(self, specs: Mapping[str, TabSpec], made: Mapping[str, Tab], parent: QObject) -> None:
        super().__init__(parent)
        self._specs, self._made = specs, made
        self._home = next(iter(specs))
        self._words: dict[str, str] = {}

    def follow_tab(self, name: str, tab: Tab) -> None:
        tab.state_changed.connect(lambda words: self.show_activity(name, words))
        tab.work_ended.connect(lambda end: self.ended.emit(name, end))

    @property
    def is_going_on(self) -> bool:
        """True if a tab other than the home tab works, or is paused while the user chats."""
        return any(tab.is_at_work for name, tab in self._made.items() if name != self._home)

    @property
    def words(self) -> dict[str, str]:
        """Activity of each working tab by its name, for the user."""
        answering = {self._home: tr(WRITING_AN_ANSWER)} if self._made[self._home].is_at_work else {}
        return answering | self._words

    def has_task(self, task: str) -> bool:
        """Return whether the model of a task is generating in its tab."""
        return any(tab.is_at_work for name, tab in self._made.items() if self._specs[name].task == task != CHAT)

    def engine_of(self, task: str) -> OwnEngine | None:
        """Return the control of a task's own model, or None."""
        tabs = (tab for name, tab in self._made.items() if self._specs[name].task == task != CHAT)
        return next((engine for tab in tabs if (engine := tab.own_engine) is not None), None)

    def waiting(self, jobs: JobTable) -> Iterator[str]:
        """Yield the tabs with stored jobs."""
        # Only the table is read, so that no tab is built without need.
        for name, spec in self._specs.items():
            if spec.jobs and jobs.find(spec.jobs, ("queued", "running")):
                yield name

    def show_activity(self, name: str, words: str) -> None:
        """Show a tab's activity; when it ends, the most recent one of another tab returns."""
        # Taken out and put in again, so that the latest is the last.
        self._words.pop(name, None)
        if words:
            self._words[name] = words
        self.changed.emit(next(reversed(self._words.values()), ""))


class _Blank(QWidget):
    """Placeholder that reports when it is painted, and keys that arrive before the tab exists."""

    painted = Signal()
    key_came = Signal(object)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.key_came.emit(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted.emit()


class LeftColumn(QWidget):
    """Left column of the window, with the same width and place for all tabs."""

    def __init__(self, theme: Theme, specs: Sequence[TabSpec], *, choose: Callable[[str], object]) -> None:
        super().__init__()
        self.choose = choose
        """A button at the foot was pressed; carries its tab's name."""
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self.views = CurrentStack()
        self._foot = theme.dress(QVBoxLayout(), margins=(12, 6, 12, 10), spacing=2)
        self._buttons: dict[str, QPushButton] = {}
        tabs = read_as(QWidget(), QAccessible.Role.PageTabList)
        tab_rows = theme.dress(drop_margins(QVBoxLayout(tabs)), spacing=2)
        self._foot.addWidget(tabs)
        for spec in specs:
            button = self._buttons[spec.name] = text_button(
                tr(spec.label), "foot", on_click=lambda _=False, name=spec.name: self.choose(name)
            )
            button.setObjectName(spec.name)
            button.setToolTip(keys_of(spec.name))
            button.setCheckable(True)
            read_as(button, QAccessible.Role.PageTab)
            tab_rows.addWidget(button)
        self.settings = text_button(tr(SETTINGS), "foot", name="settings")
        self.settings.setToolTip(keys_of("settings"))
        self._foot.addWidget(self.settings)
        inside = QWidget()
        inside.setObjectName("page")
        column = fill_layout(QVBoxLayout(inside), (self.views, 1), self._foot)
        around = QVBoxLayout(self)
        self._area = scrolled(inside)
        # A scroll area, so that a low window squeezes nothing.
        around.addWidget(self._area)
        theme.dress(column, around, margins=(0, 0, 0, 0), spacing=0)
        for button, glyph in [*((self._buttons[spec.name], spec.icon) for spec in specs), (self.settings, "gear-six")]:
            # A push button keeps its text four pixels from the icon; a wider icon around the same glyph gives it air.
            theme.dress(button, font="control", glyph=(glyph, "muted", 16), glyph_size=(28, 16))

    def minimumSizeHint(self) -> QSize:
        """Return the width of the widest content; a low window scrolls."""
        inside = self._area.widget()
        return QSize(inside.minimumSizeHint().width() if inside is not None else 0, 0)

    def add(self, view: QWidget) -> None:
        """Add a tab's own widget to the stack of columns."""
        self.views.addWidget(view)

    def mark(self, name: str) -> None:
        """Check the button at the foot whose tab is open; none if that has no button there."""
        for known, button in self._buttons.items():
            button.setChecked(known == name)

    def showEvent(self, event: QShowEvent) -> None:
        self._theme.dress_again(self)  # a scroll area polishes what is in it, too
        super().showEvent(event)
