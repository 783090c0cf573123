"""Settings dialog: every change is saved and applied at once; fields can't hold invalid values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QButtonGroup,
    QKeySequenceEdit,
    QPlainTextEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import APP_NAME
from app.features.chat.chat_options import MOST_TOKENS
from app.language.language_names import english_name
from app.ui.i18n import tr, window_title
from app.ui.sampling_fields import TEMPERATURE_WORDS, KnobStepper, knobs
from app.ui.settings.about import AboutPage
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
from app.ui.settings.shared_sections import DocumentsSection
from app.ui.shared_labels import DEFAULT, DROP_OLDEST, QUICK_ASK, SETTINGS
from app.ui.shell.settings_index import PAGES, SettingsPageSpec, label_of, page_label
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import ZOOM_STEPS
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.input_fields import SegmentedControl, Stepper, Switch
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, within_screen
from app.ui.widgets.motion import allow_motion

if TYPE_CHECKING:
    from app.bootstrap import Fireside

NO_LIMIT = "No limit"
ASK_ME = "Ask me"


PROMPT_DELAY_MS = 400
WIDTH_PX, HEIGHT_PX = 860, 640
TIGHT_PX = 320
"""Width below which the search moves under the page button."""
NARROW_PX = 520
"""Width below which the list of pages becomes a menu button."""
WHEN_FULL = {
    "compact": "Leaves out old turns until a quarter is free.",
    "rolling": "Leaves out as few old turns as possible.",
    "ask": "Leaves nothing out without asking you.",
}


class SettingsDialog(Dialog):
    """Dialog with a list of pages and a search for rows. `page`: see `SettingHit`."""

    def __init__(self, app: Fireside, ui: UiContext, page: str = "appearance") -> None:
        super().__init__(ui.window)
        theme = ui.theme
        self._app, self._theme, self._notify = app, theme, ui.notify
        self.setObjectName("settings_dialog")
        self.setWindowTitle(window_title(tr(SETTINGS)))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        px = theme.px
        room = ui.window.height() - px(48)
        self.resize(within_screen(self, QSize(px(WIDTH_PX), max(px(420), min(px(HEIGHT_PX), room)))))
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
        self.search = SettingsSearch(theme, self)
        self.search.chosen.connect(self.show_page_named)
        self._nav_column.addWidget(self.search.field)
        self._prompt_later = QTimer(self, singleShot=True, interval=PROMPT_DELAY_MS)
        self._add_pages(app, ui)
        self._nav_column.addStretch(1)
        names = [(str(number), button.text()) for number, button in enumerate(self._group.buttons())]
        self._choice = ChoiceButton(theme, tr("Page"), names, shows_change=False)
        self._choice.changed.connect(lambda number: self.show_page(int(number)))
        self.pages.currentChanged.connect(lambda number: self._choice.show_value(str(number)))
        self._above = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._above.addWidget(self._choice, 0, Qt.AlignmentFlag.AlignLeading)
        self._shown = QStackedWidget()
        fill_layout(self._shown, self.pages, self.search.results)
        self.search.is_on.connect(self._show_results)
        self._row = drop_margins(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), 0)
        fill_layout(self._row, self._nav, self._above, (self._shown, 1))
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.field.setFocus)
        self._arrange()
        self.show_page_named(page)

    def _add_pages(self, app: Fireside, ui: UiContext) -> None:
        theme = ui.theme
        makers: dict[str, Callable[[], SettingsPage]] = {
            "appearance": self._appearance_page,
            "chat": self._chat_page,
            "memories": lambda: MemoriesPage(app, theme, ui.notify, self._save),
            "engine": lambda: self._engine_page(ui),
            "network": lambda: self._network_page(ui),
            "connections": lambda: _connections_page(app, ui),
            "system": lambda: SystemPage(app, ui, self._save),
            "data": lambda: DataPage(app, ui, self._save, self.accept),
            "trash": lambda: TrashPage(app, ui, self._save),
            "about": lambda: AboutPage(app, theme, lambda: ui.go.open_shortcuts(self)),
        }
        group = ""
        for page in PAGES:
            if page.group != group:
                group = page.group
                self._add_caption(tr(group))
            self._add_page(page, makers[page.name])

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
        if self._prompt_later.isActive():
            self._prompt_later.stop()
            self._save_prompt()
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
        self._numbers[page.name] = number
        self._group.addButton(button)
        self._nav_column.addWidget(button)
        empty = QWidget()
        self._page_makers[number] = empty, make
        self.pages.addWidget(empty)

    def _add_caption(self, text: str) -> None:
        """Add the caption of the following pages."""
        caption = plain_label(text, kind="muted")
        self._nav_column.addWidget(self._theme.dress(caption, font="caption", margins=(10, 12, 10, 2)))

    def _open(self, number: int) -> None:
        """Show a page by its number, building it on first use."""
        # Most pages are never opened.
        if number in self._page_makers:
            empty, make = self._page_makers.pop(number)
            # In this order, so that all pages keep their numbers.
            self.pages.insertWidget(number, make())
            self.pages.removeWidget(empty)
            empty.deleteLater()
        self.pages.setCurrentIndex(number)

    def _engine_page(self, ui: UiContext) -> SettingsPage:
        page = EnginePage(self._app, ui.theme, self._save)
        page.reload.clicked.connect(ui.loader.reload)
        page.watch_loader(ui.loader)
        return page

    def _network_page(self, ui: UiContext) -> SettingsPage:
        page = NetworkPage(self._app, ui.theme, self._save)
        page.network_changed.connect(ui.go.show_network)
        return page

    def _appearance_page(self) -> SettingsPage:
        theme, appearance = self._theme, self._app.settings.appearance
        page = SettingsPage(theme, page_label("appearance"))
        choices = [("system", tr("System")), ("light", tr("Light")), ("dark", tr("Dark"))]
        field = SegmentedControl(theme, label_of("scheme"), choices, appearance.scheme, self._on_scheme)
        page.add_setting("scheme", "", field)
        dim = Switch(theme, label_of("dim_pages"), on=appearance.dim_pages)
        dim.toggled.connect(self._on_dim_pages)
        page.add_setting("dim_pages", tr("White paper is darker in dark mode."), dim)
        font = Switch(theme, label_of("system_font"), on=appearance.system_font)
        font.toggled.connect(self._on_system_font)
        page.add_setting("system_font", tr("Replaces Inter everywhere except in code."), font)
        motion = Switch(theme, label_of("reduce_motion"), on=appearance.reduce_motion)
        motion.toggled.connect(self._on_reduce_motion)
        page.add_setting("reduce_motion", tr("Menus, notices and panels appear at once."), motion)
        zoom = Stepper(
            theme, label_of("zoom"), theme.zoom * 100,
            lowest=ZOOM_STEPS[0] * 100, highest=ZOOM_STEPS[-1] * 100, step=10, suffix=" %",
        )  # fmt: skip
        zoom.changed.connect(self._on_zoom)
        page.add_setting("zoom", tr("Also with Ctrl + and Ctrl −."), zoom)
        told = tr("Chats and documents can be in any language.")
        page.add_setting("interface_language", told, theme.dress(plain_label(tr("English")), font="row"))
        page.finish()
        return page

    def _on_scheme(self, scheme: str) -> None:
        self._theme.scheme = scheme
        self._save("appearance", scheme=scheme)

    def _on_dim_pages(self, wanted: bool) -> None:
        self._theme.dims_pages = wanted
        self._save("appearance", dim_pages=wanted)

    def _on_system_font(self, wanted: bool) -> None:
        self._theme.system_font = wanted
        self._save("appearance", system_font=wanted)

    def _on_reduce_motion(self, wanted: bool) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        allow_motion(application, is_reduced=wanted)
        self._save("appearance", reduce_motion=wanted)

    def _on_zoom(self, percent: float) -> None:
        self._theme.zoom = percent / 100
        self._save("appearance", zoom=self._theme.zoom)

    def _chat_page(self) -> SettingsPage:
        theme, chat = self._theme, self._app.settings.chat
        page = SettingsPage(theme, page_label("chat"))
        self._prompt = QPlainTextEdit(chat.system_prompt, placeholderText=tr("Instructions for every answer"))
        self._prompt.setAccessibleName(label_of("system_prompt"))
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(theme.px(96))
        self._prompt.textChanged.connect(self._prompt_later.start)
        self._prompt_later.timeout.connect(self._save_prompt)
        page.add_block("system_prompt", tr("For new chats. Each chat can have its own, too."), self._prompt)
        page.add_heading(tr("Answers"))
        # The model's own temperature is stored as -1, and some settings files hold more than the slider goes to.
        knob = replace(knobs()[0], most=5, unset=DEFAULT)
        temperature = KnobStepper(
            theme, knob, chat.temperature if chat.temperature >= 0 else None, is_in_settings=False
        )
        temperature.changed.connect(
            lambda _: self._save("chat", temperature=-1.0 if temperature.chosen is None else temperature.chosen)
        )
        page.add_setting("temperature", tr(TEMPERATURE_WORDS), temperature)
        longest = Stepper(
            theme, label_of("max_tokens"), max(0, chat.max_tokens),
            lowest=0, highest=MOST_TOKENS, step=256, word_for_lowest=tr(NO_LIMIT),
        )  # fmt: skip
        # 0 is shown as "No limit", which is stored as -1.
        longest.changed.connect(lambda value: self._save("chat", max_tokens=int(value) or -1))
        explanation = tr("A token is about three quarters of a word.")
        page.add_setting("max_tokens", explanation, longest, tr("No limit means as much as the context allows."))
        self._add_thinking(page)
        self._add_when_full(page)
        self._add_spelling(page)
        page.finish()
        return page

    def _save_prompt(self) -> None:
        self._save("chat", system_prompt=self._prompt.toPlainText())

    def _add_thinking(self, page: SettingsPage) -> None:
        chat = self._app.settings.chat
        choices = [("auto", tr(DEFAULT)), ("on", tr("On")), ("off", tr("Off"))]
        name = label_of("thinking")
        field = SegmentedControl(
            self._theme, name, choices, chat.thinking, lambda key: self._save("chat", thinking=key)
        )
        page.add_setting("thinking", tr("For models that can think before they answer."), field)
        budget = Stepper(
            self._theme, label_of("thinking_budget"), max(0, chat.thinking_budget),
            lowest=0, highest=MOST_TOKENS, step=256, word_for_lowest=tr(NO_LIMIT),
        )  # fmt: skip
        budget.changed.connect(lambda value: self._save("chat", thinking_budget=int(value) or -1))
        page.add_setting("thinking_budget", tr("In tokens. Then the model is asked to answer."), budget)

    def _add_when_full(self, page: SettingsPage) -> None:
        page.add_heading(tr("Long chats"))
        choices = [("compact", tr(DROP_OLDEST)), ("rolling", tr("Slide")), ("ask", tr(ASK_ME))]
        name = label_of("when_full")
        self._when_full_note = page.muted("")
        field = SegmentedControl(self._theme, name, choices, self._app.settings.chat.when_full, self._on_when_full)
        page.add_setting("when_full", self._when_full_note, field)
        self._when_full_note.setText(tr(WHEN_FULL[self._app.settings.chat.when_full]))
        again = Switch(self._theme, label_of("recall"), on=self._app.settings.chat.recall)
        again.toggled.connect(lambda wanted: self._save("chat", recall=wanted))
        explanation = tr("Shows the model old messages when you ask about them.")
        more = tr("If you ask about messages that no longer fit, Fireside shows them to the model again.")
        page.add_setting("recall", explanation, again, more)
        page.add_heading(tr("Writing"))
        titles = Switch(self._theme, label_of("titles"), on=self._app.settings.chat.titles)
        titles.toggled.connect(lambda wanted: self._save("chat", titles=wanted))
        explanation = tr("While the model is idle. Your own titles are kept.")
        page.add_setting("titles", explanation, titles, tr("Small models are skipped."))

    def _add_spelling(self, page: SettingsPage) -> None:
        name = label_of("check_spelling")
        codes = self._app.spelling.languages
        names = ", ".join(tr(english_name(code)) for code in codes)
        field = Switch(self._theme, name, on=self._app.settings.composer.check_spelling and bool(codes))
        field.setEnabled(bool(codes))
        field.toggled.connect(lambda wanted: self._save("composer", check_spelling=wanted))
        explanation = tr("In chats and in pages of prose.")
        more = tr("Dictionaries on this computer: {names}.", names=names)
        if not codes:
            explanation = tr("No dictionary found on this computer.")
            more = tr(
                "Install Hunspell and a dictionary for your language, such as hunspell-en-us, then restart {program}.",
                program=APP_NAME,
            )
        page.add_setting("check_spelling", explanation, field, more)

    def _on_when_full(self, choice: str) -> None:
        self._save("chat", when_full=choice)
        self._when_full_note.setText(tr(WHEN_FULL[choice]))

    def _save(self, section: str, **values: Any) -> None:
        with self._notify.guard():
            self._app.change_settings(section, **values)


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


class SystemPage(SettingsPage):
    """Settings of the tray, the global shortcut and notifications; choices apply at once."""

    def __init__(self, app: Fireside, ui: UiContext, save: Save) -> None:
        super().__init__(ui.theme, page_label("system"))
        self._app, self._save, self._system = app, save, ui.system
        self._add_switch("tray", tr("Next to the clock, if your desktop shows tray icons."))
        self._add_switch(
            "keeps_running",
            tr("In the tray. To quit, use the tray’s menu."),
            tr("On desktops without a tray, closing the window quits."),
        )
        self._add_shortcut()
        self.add_heading(tr("Notifications"))
        self._add_switch(
            "notifies",
            tr("When long work finishes while you’re elsewhere."),
            tr("Long work is an answer, a summary, a translation or a download."),
        )
        self._add_switch(
            "notifies_with_words",
            tr("Chat title and first words, even on a locked screen."),
            tr("Anyone who sees your screen can read them."),
        )
        self.add_section(DocumentsSection(app, ui.theme, save, ui))
        self.finish()

    def _add_shortcut(self) -> None:
        self.add_heading(tr(QUICK_ASK))
        self._add_switch(
            "shortcut_on",
            tr("Asks about selected or copied text. Nothing is saved."),
            tr("Opens a small window for a question about the text."),
        )
        keys = QKeySequenceEdit(QKeySequence(self._app.settings.system.shortcut))
        # A global shortcut is one combination of keys; Qt would take a sequence of four.
        keys.setMaximumSequenceLength(1)
        keys.setClearButtonEnabled(False)
        keys.setAccessibleName(label_of("shortcut"))
        keys.editingFinished.connect(lambda: self._on_keys(keys))
        self._theme.dress(keys, width=176)
        self._said = self.muted("")
        self._said.setObjectName("shortcut_said")
        self._keys_row = self.add_setting("shortcut", self._said, keys)
        self._system.shortcut_said.connect(self._show_said)
        self._show_said()

    def _on_keys(self, field: QKeySequenceEdit) -> None:
        keys = field.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        # An empty field gets its keys back: the switch above turns the shortcut off.
        if not keys:
            field.setKeySequence(QKeySequence(self._app.settings.system.shortcut))
        elif keys != self._app.settings.system.shortcut:
            self._save("system", shortcut=keys)
            self._system.changed.emit()

    def _show_said(self) -> None:
        is_on, words = self._app.settings.system.shortcut_on, self._system.shortcut_words
        self._said.setText(words if is_on else "")
        self._keys_row.setVisible(is_on)

    def _add_switch(self, field: str, explanation: str, more: str = "") -> None:
        switch = Switch(self._theme, label_of(field), on=getattr(self._app.settings.system, field))
        switch.toggled.connect(lambda wanted: self._change(field, wanted))
        self.add_setting(field, explanation, switch, more)

    def _change(self, field: str, wanted: bool) -> None:
        self._save("system", **{field: wanted})
        self._system.changed.emit()
        self._show_said()
