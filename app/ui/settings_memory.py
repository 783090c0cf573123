"""The settings of memory and disk: when a model goes to sleep, and what is kept of what it has read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui.settings_page import SettingsPage
from app.ui.shell import tasks
from app.ui.shell.i18n import size_text, tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import Stepper, Switch

if TYPE_CHECKING:
    from app.bootstrap import Fireside

MOST_MINUTES = 24 * 60
MOST_GB = 1000
Save = Callable[..., None]


class MemoryPage(SettingsPage):
    """The folder of saved states is looked at on a thread: it may be on a slow disk."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, tr("Memory"))
        self._app, self._save = app, save
        self._add_sleep()
        self._add_states()
        self.finish()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._with_states(lambda: None)

    def _add_sleep(self) -> None:
        engine = self._app.settings.engine
        self.column.addWidget(
            self.muted(tr("A model that sleeps takes no memory. It wakes up with your next message."))
        )
        short = Switch(self._theme, tr("Sleep when memory is short"), on=engine.unload_when_memory_short)
        short.toggled.connect(lambda wanted: self._save("engine", unload_when_memory_short=wanted))
        explanation = tr("So that other programs have room. Never while an answer is being written.")
        self.add_row(tr("Sleep when memory is short"), explanation, short)
        after = Stepper(
            self._theme, tr("Sleep when not used"), engine.unload_after_min,
            lowest=0, highest=MOST_MINUTES, step=5, word_for_lowest=tr("Never"), suffix=tr(" min"),
        )  # fmt: skip
        after.changed.connect(lambda value: self._save("engine", unload_after_min=int(value)))
        self.add_row(tr("Sleep when not used"), tr("After so many minutes without a message."), after)

    def _add_states(self) -> None:
        self.add_heading(tr("Saved states"))
        self.column.addWidget(
            self.muted(
                tr(
                    "What a model has read of a chat is kept on this computer, so that the chat answers at once when "
                    "you come back to it. It is deleted with the chat."
                )
            )
        )
        budget = Stepper(
            self._theme, tr("Keep at most"), self._app.settings.engine.states_budget_mb / 1000,
            lowest=0, highest=MOST_GB, word_for_lowest=tr("Nothing"), suffix=tr(" GB"),
        )  # fmt: skip
        budget.changed.connect(self._on_budget)
        self.add_row(tr("Keep at most"), tr("The longest unused go first."), budget)
        self._size = self.muted(tr("Looking…"))
        self._size.setObjectName("states_size")
        self._clear = text_button(tr("Clear"))
        self._clear.setAccessibleName(tr("Clear saved states"))
        self._clear.setEnabled(False)
        self._clear.clicked.connect(lambda: self._with_states(self._app.states.clear))
        row = QWidget()
        inside = QHBoxLayout(row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._size, 1)
        inside.addWidget(self._clear)
        self.column.addWidget(row)

    def _on_budget(self, gigabytes: float) -> None:
        self._save("engine", states_budget_mb=round(gigabytes * 1000))
        self._with_states(self._app.states.trim)

    def _with_states(self, do: Callable[[], object]) -> None:
        """Does something to the folder, then shows its size."""

        def work() -> Iterator[int]:
            do()
            yield self._app.states.size_bytes()

        task = tasks.run(lambda _: work(), self)
        task.event.connect(self._show_size)

    def _show_size(self, size_bytes: int) -> None:
        if size_bytes:
            self._size.setText(tr("{size} are kept now.", size=size_text(size_bytes)))
        else:
            self._size.setText(tr("Nothing is kept now."))
        self._clear.setEnabled(size_bytes > 0)
