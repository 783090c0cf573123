"""Commands of the window: what its shortcuts, menus and the palette do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.ui.shell.keyboard import WINDOW_SHORTCUTS, add_shortcuts, lines_of
from app.ui.shell.tab_spec import CHAT, UiContext
from app.ui.shell.tabs import Tabs
from app.ui.shell.text_reading import NO_SPEECH
from app.ui.shell.window_geometry import WindowGeometry
from app.ui.widgets.input_fields import SearchField
from app.ui.widgets.layouts import drop_focus, end_with_focus

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.palette import Offers


class WindowCommands:
    """Adds the window's actions with their keys; `actions` holds them by name, for the palette."""

    def __init__(
        self,
        app: Fireside,
        ui: UiContext,
        tabs: Tabs,
        sizes: WindowGeometry,
        *,
        choose_model: Callable[[], object],
        quit_program: Callable[[], None],
    ) -> None:
        self._app, self._ui, self._tabs, self._sizes = app, ui, tabs, sizes
        self._offers: Offers | None = None
        """What the palette offered last, with which the next one begins."""
        go, specs = ui.go, list(tabs.specs.values())
        opening = {f"tab_{spec.name}": lambda name=spec.name: tabs.show(name) for spec in specs}
        self.actions = add_shortcuts(
            ui.window,
            [*lines_of(specs), *WINDOW_SHORTCUTS],
            {
                **opening,
                "new": lambda: self.begin_in(tabs.tab if tabs.current == tabs.tab else tabs.home),
                "temporary_chat": lambda: tabs.seen(CHAT).do("temporary_chat"),
                "new_project": lambda: tabs.seen(CHAT).do("new_project"),
                "palette": self._open_palette,
                "quick_ask": lambda: ui.system.ask_wanted.emit(""),
                "find": self._find,
                "search": self._search_column,
                "sidebar": sizes.toggle_column,
                "inside": tabs.toggle_inside,
                "context": lambda: tabs.show(CHAT).do("context"),
                "choose_model": choose_model,
                "attach": lambda: tabs.for_files.ask_for_files(),  # noqa: PLW0108 - of the tab that is open then
                **{name: partial(self._open_over_chat, name) for name in ("prompts", "assistants", "chat_settings")},
                "dictate": self._dictate,
                "read_aloud": self._read_aloud,
                "stop_reading": self._stop_reading,
                "next_sentence": lambda: self._step_reading(1),
                "previous_sentence": lambda: self._step_reading(-1),
                "export": lambda: tabs.seen(CHAT).do("export"),
                "print": lambda: tabs.seen(CHAT).do("print"),
                "export_chats": lambda: tabs.seen(CHAT).do("export_chats"),
                "import_chats": lambda: tabs.seen(CHAT).do("import_chats"),
                "open_model": go.ask_for_model,
                "models": go.open_models,
                "settings": go.open_settings,
                "zoom_in": lambda: self._zoom_by(1),
                "zoom_out": lambda: self._zoom_by(-1),
                "zoom_reset": lambda: self._zoom_by(0),
                "help": go.open_help,
                "shortcuts": lambda: go.open_shortcuts(ui.window),
                "quit": quit_program,
            },
        )

        # Held, the key would begin and end it again and again.
        self.actions["dictate"].setAutoRepeat(False)

    def _dictate(self) -> None:
        if self._ui.dictation is not None:
            self._ui.dictation.press_key()

    def _read_aloud(self) -> None:
        if self._ui.reading is not None:
            self._ui.reading.toggle()
        else:
            self._ui.notify.show_notice(NO_SPEECH)

    def _stop_reading(self) -> None:
        if self._ui.reading is not None:
            self._ui.reading.stop()

    def _step_reading(self, steps: int) -> None:
        if self._ui.reading is not None:
            self._ui.reading.step(steps)

    def _open_over_chat(self, command: str) -> None:
        """Open a dialog over the chat, which has the keyboard behind it."""
        drop_focus(self._ui.window)
        tab = self._tabs.show(CHAT, takes_focus=False)
        end_with_focus(self._ui.window, partial(tab.do, command), tab.take_keyboard)

    def begin_in(self, name: str) -> None:
        self._tabs.seen(name).show_new()
        self._tabs.show(name)

    def _open_palette(self) -> None:
        from app.ui.shell.palette import toggle_palette  # not needed at start

        self._offers = toggle_palette(self._app, self._ui, self.actions, self._tabs.specs.values(), self._offers)

    def _find(self) -> None:
        """Open the find bar; search the column instead if it has the focus, or if the tab has nothing to find in."""
        if self._tabs.is_column_focused or not self._tabs.seen(self._tabs.current).find():
            self._search_column()

    def _search_column(self) -> None:
        """Show the column, and focus its search field if it has one."""
        tab = self._tabs.for_search
        self._sizes.show_column(shown=True)
        if (field := tab.column.findChild(SearchField)) is not None:
            field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            # Typing replaces what was searched for before.
            field.selectAll()

    def _zoom_by(self, steps: int) -> None:
        """Zoom in or out by steps, which is saved; 0 returns to 100 %."""
        theme = self._ui.theme
        if steps:
            theme.zoom_by(steps)
        else:
            theme.zoom = 1.0
        with self._ui.notify.guard():
            self._app.change_settings("appearance", zoom=theme.zoom)
