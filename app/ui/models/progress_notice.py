"""A notice about work that goes on: its sentence changes, a thin line fills, and Cancel ends it."""

from __future__ import annotations

from collections.abc import Callable

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.indicators import ProgressLine
from app.ui.widgets.notice_bar import Notice


class ProgressNotice(Notice):
    """Lasts until it is dismissed; the work goes on when a person does that."""

    def __init__(self, theme: Theme, text: str, on_cancel: Callable[[], object]) -> None:
        super().__init__(theme, text)
        self.line = ProgressLine(theme)
        self.line.setAccessibleName(tr("Progress"))
        self._column.insertWidget(1, self.line)
        self.add_button(tr("Cancel"), on_cancel, leaves=False)

    def show_progress(self, text: str, done: int, total: int) -> None:
        """What is done now, and how much of it."""
        self.text = text
        self.setAccessibleName(text)
        self._label.setText(text)
        self.line.show_share(done, total)
