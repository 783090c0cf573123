"""Settings of memory and disk, and of documents, shared by all tabs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.features.claim_checker.fetching import OFFER_LIMITS, OFFER_WORDS
from app.ui.i18n import number_suffix, size_text, tr
from app.ui.settings.claim_checker import CheckerField
from app.ui.settings.settings_pages import Save, SettingsSection
from app.ui.shared_labels import DOCUMENTS_LABEL, NEVER, RESUME, STOP
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.input_fields import Stepper
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.tab_spec import UiContext


KEPT_SIZE = "{size} saved."
CLEAR_SAVED_STATES = "Clear saved states"
CLEAR = "Clear"
NOTHING_KEPT = "Nothing saved."
NOTHING = "Nothing"
MOST_MINUTES = 24 * 60
MOST_GB = 1000


class MemorySection(SettingsSection):
    """Settings of sleeping models and of the saved states of contexts."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(
            theme, tr("Sleep"), tr("A sleeping model uses no memory. It wakes up when you send a message.")
        )
        self._app, self._save = app, save
        self._add_sleep()
        self._add_states()
        self.finish()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._with_states(lambda: None)

    def _add_sleep(self) -> None:
        engine = self._app.settings.engine
        self.add_switch(
            "memory",
            tr("Frees memory for other programs. Never during an answer."),
            lambda wanted: self._save("engine", unload_when_memory_short=wanted),
            is_on=engine.unload_when_memory_short,
        )
        after = Stepper(
            self._theme, label_of("unload_after"), engine.unload_after_min,
            lowest=0, highest=MOST_MINUTES, step=5, word_for_lowest=tr(NEVER), suffix=number_suffix("min"),
            on_change=lambda value: self._save("engine", unload_after_min=int(value)),
        )  # fmt: skip
        self.add_setting("unload_after", tr("After this long without a message."), after)

    def _add_states(self) -> None:
        kept = tr(
            "Keeps what a model has read of a chat, so answers start at once when you return. Deleted with the chat."
        )
        self.add_heading(tr("Saved states"), kept)
        budget = Stepper(
            self._theme, label_of("states"), self._app.settings.engine.states_budget_mb / 1000,
            lowest=0, highest=MOST_GB, word_for_lowest=tr(NOTHING), suffix=number_suffix("GB"),
            on_change=self._on_budget,
        )  # fmt: skip
        self.add_setting("states", tr("The least recently used are deleted first."), budget)
        self._size = self.muted(tr("Checking…"))
        self._size.setObjectName("states_size")
        self._clear = text_button(tr(CLEAR), on_click=self._ask_to_clear)
        self._clear.setAccessibleName(tr(CLEAR_SAVED_STATES))
        self._clear.setEnabled(False)
        inside = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight), (self._size, 1), self._clear)
        self.card.add_content(inside)
        self.turn_with_room(inside, self._clear, 16)

    def _on_budget(self, gigabytes: float) -> None:
        self._save("engine", states_budget_mb=round(gigabytes * 1000))
        self._with_states(self._app.states.trim)

    def _ask_to_clear(self) -> None:
        words = tr("The next answer in each chat and about each document will take longer.")
        self.ask(tr("Clear saved states?"), words, tr(CLEAR), lambda: self._with_states(self._app.states.clear))

    def _with_states(self, do: Callable[[], object]) -> None:
        """Run `do` on a thread, then show the folder's size."""

        def sized(_token: CancelToken) -> int:
            do()
            return self._app.states.size_bytes()

        # The folder may be on a slow disk.
        tasks.ask(sized, self, self._show_size)

    def _show_size(self, size_bytes: int) -> None:
        if size_bytes:
            self._size.setText(tr(KEPT_SIZE, size=size_text(size_bytes)))
        else:
            self._size.setText(tr(NOTHING_KEPT))
        self._clear.setEnabled(size_bytes > 0)


class PassagesField(QWidget):
    """Choice of the embedding model that finds passages, with its progress and buttons to change, stop or remove it."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui
        self.explanation = plain_label(kind="muted", wraps=True)
        self.choose = text_button(tr("Choose…"), "plain", on_click=self._on_choose)
        self.pause = text_button("", "quiet", on_click=self._on_pause)
        self.off = text_button(tr("Turn off"), "plain", on_click=self._on_off)
        column = ui.theme.dress(drop_margins(QVBoxLayout(self)), spacing=6)
        for button in (self.choose, self.off, self.pause):
            column.addWidget(button)
            ui.theme.dress(button, font="control")
        ui.theme.dress(self.explanation, font="small")
        if ui.passages is not None:
            ui.passages.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        path, indexing = self._app.settings.models.passages_path, self._ui.passages
        progress = indexing.progress if indexing is not None else None
        is_stopped = bool(path) and indexing is not None and indexing.is_stopped
        self.choose.setVisible(not path)
        self.off.setVisible(bool(path))
        self.pause.setVisible(bool(path) and (is_stopped or progress is not None))
        self.pause.setText(tr(RESUME) if is_stopped else tr(STOP))
        self.pause.setAccessibleName(self.pause.text())
        words = [tr("Finds passages by meaning, in any language the model knows.")]
        if path:
            words = [tr("{name} finds passages by meaning.", name=self._app.names.name_of(Path(path)))]
        if is_stopped:
            words.append(tr("Preparing documents is paused."))
        elif path and progress is not None:
            share = 100 * progress.done // max(1, progress.total)
            values = {"name": progress.name, "share": share, "count": progress.documents_left}
            words.append(tr("Preparing {name}: {share} %. Documents left: {count}.", **values))
        elif path:
            words.append(tr("All documents in your chats are ready."))
        self.explanation.setText(" ".join(words))

    def _on_choose(self) -> None:
        # The settings would stay in front of the tab that opens.
        self.window().close()
        self._ui.go.open_models("passages")

    def _on_off(self) -> None:
        with self._ui.notify.guard():
            self._app.change_settings("models", passages_path="")
        self._show()

    def _on_pause(self) -> None:
        if (indexing := self._ui.passages) is not None:
            (indexing.resume if indexing.is_stopped else indexing.stop)()


class DocumentsSection(SettingsSection):
    """Settings of documents. Length, form and language are chosen in the tabs, which remember them."""

    def __init__(self, app: Fireside, theme: Theme, save: Save, ui: UiContext | None = None) -> None:
        super().__init__(theme, tr(DOCUMENTS_LABEL))
        if ui is not None:
            self.passages = PassagesField(app, ui)
            self.add_setting("passages_model", self.passages.explanation, self.passages)
        self.add_switch(
            "stay_awake",
            tr("Only when plugged in. The screen may still turn off."),
            lambda wanted: save("summaries", stay_awake=wanted),
            is_on=app.settings.summaries.stay_awake,
        )
        self.add_switch(
            "read_scans",
            tr("Figures are read only when you ask."),
            lambda wanted: save("documents", pictures="" if wanted else "none"),
            is_on=app.settings.documents.pictures != "none",
            more=tr("Figures, and pages read by a model on another computer, are read only when you ask."),
        )
        self.add_setting("check_claims", tr(OFFER_WORDS), CheckerField(app, theme, save), tr(OFFER_LIMITS))
        self.finish()
