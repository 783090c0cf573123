"""A summary that is there, complete or as far as it came: its statements, what was read, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.features.summaries import StoredSummary
from app.features.summary.messages import nothing_words
from app.features.summary.result import Form, Summary
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.summarize.column import Column, scrolled
from app.ui.summarize.foot import Foot
from app.ui.summarize.result_head import ResultHead
from app.ui.summarize.state_bar import StateBar
from app.ui.summarize.statement_text import Told
from app.ui.summarize.statement_view import StatementView
from app.ui.theme import Theme


class ResultPage(QWidget):
    """`again_wanted` carries the `Wish` for another summary of the same documents."""

    again_wanted = Signal(object)

    def __init__(self, theme: Theme, notify: Notify) -> None:
        super().__init__()
        self.stored: StoredSummary | None = None
        self.summary: Summary | None = None
        self._shown: tuple[object, ...] = ()
        self.head = ResultHead(theme)
        self.bar = StateBar(theme, notify)
        self._bar_row = Column(theme, top_px=4, bottom_px=4)
        self._bar_row.rows.addWidget(self.bar)
        self.statements = StatementView(theme)
        self.foot = Foot(theme, tr("Summarize again"), is_primary=False)
        self.foot.started.connect(lambda: self.again_wanted.emit(self.foot.wish))
        inside = QWidget()
        inside.setObjectName("page")
        rows = QVBoxLayout(inside)
        for widget in (self.head, self._bar_row):
            rows.addWidget(widget)
        rows.addWidget(self.statements, 1)
        rows.addWidget(self.foot)
        column = QVBoxLayout(self)
        column.addWidget(scrolled(inside))  # in a low window nothing is pressed together
        for layout in (rows, column):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)

    def show_result(self, stored: StoredSummary, summary: Summary | None, told: Sequence[Told]) -> None:
        """Shows it from the top, unless it is shown already as it is."""
        key = (stored.id, summary.statements if summary else (), summary is None or summary.is_partial)
        is_same, self._shown = key == self._shown, key  # another title moves nobody from where they read
        self.stored, self.summary = stored, summary
        self.head.title.show_title(stored.title)
        self.head.show_facts(summary)
        self.bar.show_state(stored, summary)
        self._bar_row.setVisible(not self.bar.isHidden())
        if not is_same:
            # What was read before the end are points of the sections, whatever form was wished.
            is_whole = summary is not None and not summary.is_partial
            self.statements.show_statements(told, stored.wish.form if is_whole else Form.BULLETS)
            if summary is not None and (nothing := nothing_words(summary)):
                self.statements.show_plain(tr(nothing))
            self.foot.choices.show_wish(stored.wish)
