"""Settings of programs that use the models: switch, address, key, set-up recipes, requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app import APP_NAME
from app.core.visible import visible_name
from app.ui.i18n import sentence_for, tr
from app.ui.locale_formats import format_number, format_time, join_facts, join_list
from app.ui.settings.settings_pages import SettingsSection
from app.ui.shared_labels import COPIED, COPY_THE_ADDRESS
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.settings_index import label_of
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.theme_fonts import CODE_PX
from app.ui.widgets.buttons import ChoiceButton, IconButton, text_button
from app.ui.widgets.input_fields import Stepper
from app.ui.widgets.labels import plain_label, show_problem
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.context_growth import GrownContext
    from app.features.serving.request_journal import RequestRecord
    from app.server.recipes import ClientRecipe, ConnectionOffer
    from app.ui.shell.api_programs import OtherPrograms

KEY_CHANGES_EACH_START = "This system has no keyring, so the key changes every time {program} starts."

COPY_KEY = "Copy the key"
COPY_SETTINGS = "Copy these settings"

LOOK_EVERY_MS = 2000
MOST_ASKED = 12
LEAST_PORT, MOST_PORT = 1024, 65535
RECIPE_PX = 132
HIDDEN = "•" * 16
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/*?#]+")
"""Origin of a web page, as browsers send it: no path, no pattern."""


class ProgramsSection(SettingsSection):
    """Section whose server details are shown while it runs."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        intro = tr("Editors, scripts and other programs on this computer can use your models.")
        super().__init__(ui.theme, tr("Other programs"), intro)
        assert ui.programs is not None
        self._app, self._programs = app, ui.programs
        self._recipes: tuple[ClientRecipe, ...] = ()
        self._largest_tokens = 0
        self._measuring = tasks.RepeatedTask(self._measure, self, on_event=self._on_measured)
        self._in_code_font: list[tuple[QWidget, float]] = []
        self._said = self.muted("")
        self._said.setObjectName("server_said")
        self.switch = self.add_switch("programs", self._said, self._on_switched, is_on=ui.programs.is_wanted)
        port = Stepper(
            ui.theme, label_of("port"), app.settings.serving.port, lowest=LEAST_PORT, highest=MOST_PORT,
            on_change=lambda value: self._programs.use(port=int(value)),
        )  # fmt: skip
        self.add_setting("port", tr("If another program uses this port, choose a different one."), port)
        self.add_switch(
            "loads_models",
            tr("Loads a second model if memory allows."),
            lambda wanted: self._programs.use(loads_models=wanted),
            is_on=app.settings.serving.loads_models,
            more=tr("Otherwise the program gets an error."),
        )
        self.add_switch(
            "lends_documents",
            tr("Programs with the key can search and read all of them."),
            lambda wanted: self._programs.use(lends_documents=wanted),
            is_on=app.settings.serving.lends_documents,
            more=tr("They connect by MCP. Nothing can be changed that way."),
        )
        self._inside = self._theme.dress(QVBoxLayout(), spacing=14)
        self._open = self.card.add_content(self._inside)
        self._add_door()
        self._add_recipes()
        self.origins = AllowedOrigins(self, ui.theme, app, ui.programs)
        self.journal = RecentRequests(self, ui.theme, ui.programs)
        fill_layout(self._inside, self.origins, self.journal)
        self._theme.changed.connect(self._put_fonts_on)
        self._put_fonts_on()
        self.finish()
        # The server reports no requests to the window, so they are asked for while the page is visible.
        self._poll = new_timer(self, LOOK_EVERY_MS, self.journal.reload, repeats=True)
        ui.programs.changed.connect(self._show)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._poll.start()
        self.journal.reload()
        if self._programs.door is not None:
            self._measuring.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._poll.stop()
        super().hideEvent(event)

    def _put_fonts_on(self) -> None:
        for widget, size in self._in_code_font:
            widget.setFont(self._theme.fonts.code(size))

    def _on_switched(self, wanted: bool) -> None:
        # `_show` sets the switch as well, which emits the same signal.
        if wanted != self._programs.is_wanted:
            self._programs.want(wanted=wanted)

    def _add_door(self) -> None:
        self._address, address = self._value(tr(COPY_THE_ADDRESS), lambda: self._door_text("address"))
        self._key, key = self._value(tr(COPY_KEY), lambda: self._door_text("key"))
        renew = text_button(tr("Create new key…"), "plain", on_click=lambda _=False: self._ask_to_renew())
        self.follow_font(renew, "control")
        key.addWidget(renew)
        self._add_block(tr("Address"), address)
        self._add_block(tr("Key"), key)

    def _value(self, name: str, text: Callable[[], str]) -> tuple[QLabel, QHBoxLayout]:
        shown = plain_label()
        self._in_code_font.append((shown, CODE_PX))
        copy = IconButton(self._theme, "copy", name)
        copy.clicked.connect(lambda: self._copy(copy, text()))
        return shown, fill_layout(QHBoxLayout(), shown, copy, 1)

    def _add_block(self, name: str, row: QHBoxLayout) -> None:
        block = self._theme.dress(fill_layout(QVBoxLayout(), self.label(name, "control"), row), spacing=4)
        self._inside.addLayout(block)

    def _copy(self, button: IconButton, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        button.show_done(tr(COPIED))

    def _door_text(self, field: str) -> str:
        door = self._programs.door
        return str(getattr(door, field)) if door is not None else ""

    def _ask_to_renew(self) -> None:
        self.ask(
            tr("Create a new key?"),
            tr("Programs with the old key can’t connect until you give them the new one."),
            tr("New key"),
            self._programs.renew_key,
        )

    def _add_recipes(self) -> None:
        self._inside.addWidget(self.label(tr("Settings for other programs"), "group"))
        self._choice_row = QHBoxLayout()
        self._where = self.muted("")
        self._recipe = QPlainTextEdit()
        self._recipe.setReadOnly(True)
        self._recipe.setObjectName("recipe")
        self._recipe.setAccessibleName(tr("Values to enter"))
        self._recipe.setTabChangesFocus(True)
        self._theme.dress(self._recipe, height=RECIPE_PX)
        self._in_code_font.append((self._recipe, 12.5))
        self._inside.addLayout(self._choice_row)
        self._context = self.muted("")
        self._context.setObjectName("recipe_context")
        fill_layout(self._inside, self._where, self._recipe, self._context)

    def _offer_recipes(self) -> None:
        # Imported here, as the server's modules aren't needed before it runs.
        from app.server.recipes import RECIPES

        if self._recipes:
            return
        self._recipes = RECIPES
        names = [(recipe.name, recipe.name) for recipe in RECIPES]
        self._program = ChoiceButton(self._theme, tr("Program"), names, on_change=lambda _: self._show_recipe())
        copy = IconButton(self._theme, "copy", tr(COPY_SETTINGS))
        copy.clicked.connect(lambda: self._copy(copy, self._recipe_text(self._door_text("key"))))
        fill_layout(self._choice_row, self._program, copy, 1)

    def _chosen_recipe(self) -> ClientRecipe:
        return next(recipe for recipe in self._recipes if recipe.name == self._program.value)

    def _offer(self, key: str) -> ConnectionOffer:
        from app.server.recipes import ConnectionOffer

        loaded, address = self._app.loaded, self._door_text("address")
        path = Path(loaded.path) if loaded is not None else self._app.model_path()
        offer = ConnectionOffer(address, key, path.stem if path is not None else "model")
        if loaded is None:
            return offer
        now, largest = loaded.context_tokens, self._largest_tokens
        return replace(offer, sees=loaded.sees, context_tokens=now, largest_tokens=largest)

    def _recipe_text(self, key: str) -> str:
        return self._chosen_recipe().write(self._offer(key))

    def _show_recipe(self) -> None:
        self._where.setText(tr(self._chosen_recipe().where))
        # The key is hidden on the screen; the button copies it whole.
        self._recipe.setPlainText(self._recipe_text(HIDDEN))
        words = self._chosen_recipe().context_words(self._offer(HIDDEN))
        self._context.setText(in_words(words))
        self._context.setVisible(bool(words.text))

    def _measure(self, _token: object) -> Iterator[int]:
        """Yield the largest context of the model; runs on a thread."""
        # The model's file is read for it.
        yield self._programs.switch.largest_context()

    def _on_measured(self, largest_tokens: int) -> None:
        if largest_tokens != self._largest_tokens and self._programs.door is not None:
            self._largest_tokens = largest_tokens
            self._show_recipe()

    def _show(self) -> None:
        door, programs = self._programs.door, self._programs
        if self.switch.isChecked() != programs.is_wanted:
            self.switch.setChecked(programs.is_wanted)
        self._said.setText(self._state_words())
        if door is not None:
            self._address.setText(door.address)
            self._key.setText(HIDDEN)
            self._offer_recipes()
            self._show_recipe()
            self.journal.reload()
        self._open.setVisible(door is not None)  # shown once it is filled, as later parts would appear with a delay

    def _state_words(self) -> str:
        programs = self._programs
        if programs.is_turning:
            return tr("One moment…")
        if programs.error is not None:
            return sentence_for(programs.error).text
        if programs.door is None:
            return tr("Only programs here that have the key can connect.")
        if not programs.door.is_kept:
            return tr(KEY_CHANGES_EACH_START, program=APP_NAME)
        return tr("Your own chats have priority.")


class AllowedOrigins(QWidget):
    """Field for the web pages that may send requests; a wrong one is not saved."""

    def __init__(self, section: SettingsSection, theme: Theme, app: Fireside, programs: OtherPrograms) -> None:
        super().__init__()
        self._app, self._programs = app, programs
        name = tr("Allowed web pages")
        self.field = QLineEdit(" ".join(app.settings.serving.origins), placeholderText="app://obsidian.md")
        self.field.setAccessibleName(name)
        self.field.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.field.editingFinished.connect(self._on_edited)
        self._problem = section.muted("")
        self._problem.setProperty("kind", "danger")
        self._problem.hide()
        self.field.textEdited.connect(lambda _: show_problem(self._problem, self.field, ""))
        block = QVBoxLayout(self)
        block.setContentsMargins(0, 0, 0, 0)
        theme.dress(block, spacing=4)
        hint = section.muted(tr("Addresses of browser apps that may connect, separated by spaces."))
        fill_layout(block, section.label(name, "control"), hint, self.field, self._problem)

    def _on_edited(self) -> None:
        wanted = tuple(self.field.text().split())
        wrong = [origin for origin in wanted if not ORIGIN.fullmatch(origin)]
        if wrong:
            words = tr("Not saved. {origin} must look like https://name.", origin=wrong[0])
            show_problem(self._problem, self.field, words)
        elif wanted != self._app.settings.serving.origins:
            self._programs.use(origins=wanted)


class RecentRequests(QWidget):
    """Which programs sent requests in the last hour, and what is loaded for them."""

    def __init__(self, section: SettingsSection, theme: Theme, programs: OtherPrograms) -> None:
        super().__init__()
        self._programs = programs
        self._requests = plain_label(kind="muted", wraps=True)
        self._requests.setObjectName("server_journal")
        section.follow_font(self._requests, "small")
        self._loaded = section.muted("")
        self._loaded.setObjectName("server_beside")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        theme.dress(column, spacing=14)
        fill_layout(column, section.label(tr("Requests in the last hour"), "group"), self._requests, self._loaded)

    @property
    def text(self) -> str:
        return self._requests.text()

    def reload(self) -> None:
        """Ask the server, if it runs, for its requests and models, and show them."""
        if self._programs.door is None:
            return
        asked = self._programs.switch.list_requests()
        lines = [_asked_text(request_record) for request_record in asked[:MOST_ASKED]]
        if len(asked) > MOST_ASKED:
            lines.append(tr("and {count} more", count=len(asked) - MOST_ASKED))
        text = "\n".join(lines) or tr(
            "No requests yet. {program} lists which programs asked, never the content.", program=APP_NAME
        )
        if text != self._requests.text():
            self._requests.setText(text)
        names = join_list(visible_name(name) for name in self._programs.switch.list_api_models())
        notes = [tr("Loaded for programs: {models}", models=names)] if names else []
        if (grown := self._programs.switch.grown) is not None:
            notes.append(_grown_text(grown))
        self._loaded.setText("\n".join(notes))
        self._loaded.setVisible(bool(notes))


def _grown_text(grown: GrownContext) -> str:
    return tr(
        "{time}: Reloaded {model} for a longer prompt. Its context grew from {before} to {now} tokens.",
        time=format_time(grown.at),
        model=visible_name(grown.model),
        before=format_number(grown.before_tokens),
        now=format_number(grown.context_tokens),
    )


def _asked_text(asked: RequestRecord) -> str:
    when = format_time(asked.at)
    if asked.status == 200 and not asked.prompt_tokens + asked.generated_tokens:
        what = ""
    elif asked.status == 200:
        what = tr(
            "{read} tokens read, {written} written",
            read=format_number(asked.prompt_tokens),
            written=format_number(asked.generated_tokens),
        )
    # nginx's status for a client that closed its connection
    elif asked.status == 499:
        what = tr("it disconnected")
    else:
        what = tr("refused ({status})", status=asked.status)
    return join_facts((when, asked.who, asked.model, what))
