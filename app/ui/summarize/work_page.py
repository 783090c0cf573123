"""While a summary is made: which section of how many, time left, the points so far, the write-up as it grows; Stop.

Below the points stand sentences of what is not read yet, until points take their place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.features.summary.messages import DIGEST_WORDS
from app.features.summary.result import Form, Statement
from app.features.summary.summaries import StoredSummary
from app.features.summary.summarize import Planned, SectionRead, SummaryEvent, Writing
from app.ui.i18n import tr
from app.ui.summarize.statements import StatementView
from app.ui.summarize.texts import Progress, Told, work_words
from app.ui.theme import HEADING_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import STEPS, ElidedLabel, ProgressLine
from app.ui.widgets.layouts import name_widgets
from app.ui.work.page import Column

TICK_MS = 5_000
WRITES = "The summary as it is written"


class WorkPage(QWidget):
    """`tell` makes what is shown of statements, `left_s` how many seconds a summary still takes, as far as is known.

    `stop_wanted`: what is there is to be kept.
    """

    stop_wanted = Signal()

    def __init__(
        self,
        theme: Theme,
        tell: Callable[[Sequence[Statement]], list[Told]],
        left_s: Callable[[int], float | None],
    ) -> None:
        super().__init__()
        self._tell, self._left_s = tell, left_s
        self.stored: StoredSummary | None = None
        self.progress: Progress | None = None
        self._count = 0
        self._digest: list[Told] = []
        self._digest_of: tuple[int, ...] = ()
        self._title = ElidedLabel()
        self._title.setObjectName("summary_title")
        self.stop = text_button(tr("Stop"), "plain")
        self.stop.clicked.connect(self.stop_wanted)
        self.stop.setToolTip(tr("Stop; what is there is kept"))
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.words.setProperty("kind", "muted")
        self.line = ProgressLine(theme)
        self.line.setAccessibleName(tr("How far the summary is"))
        self.lead = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.points = StatementView(theme)
        self.points.setAccessibleName(tr("Points so far"))
        self._head = Column(theme, top_px=TOP_PX, bottom_px=2)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self.stop)
        self._head.rows.addLayout(top)
        for widget in (self.words, self.line, self.lead):
            self._head.rows.addWidget(widget)
        column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(self.points, 1)
        # The time that is left goes down between two sections, too.
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._show_words)
        theme.dress(column, margins=(0, 0, 0, 16))
        theme.dress(self._title, font=(21, 600), least_height=HEADING_PX)
        theme.dress(self.words, font=(13.5, 400))
        theme.dress(self.lead, font=(13, 600), margins=(0, 12, 0, 0))
        theme.dress(self.stop, font=(14, 500), glyph=("stop", "muted", 15), glyph_size=(24, 15))
        theme.dress(top, spacing=10)
        name_widgets(stop_work=self.stop, work_words=self.words, work_lead=self.lead)

    def show_work(self, stored: StoredSummary, progress: Progress | None) -> None:
        """A summary that waits or is at work, as far as it is."""
        is_other = self.stored is None or self.stored.id != stored.id or progress is not self.progress
        self.stored, self.progress = stored, progress
        self._title.setText(stored.title)
        self._title.setAccessibleName(stored.title)
        if is_other:
            points = progress.points if progress is not None else []
            self._count = len(points)
            self.points.show_statements(self._tell(points), Form.BULLETS)
            self._digest = self._digest if self._digest_of == stored.document_ids else []
            if progress is not None and progress.text:
                self.points.show_plain(progress.text)
            else:
                self._show_digest()
        self._show_words()

    def show_digest(self, document_ids: tuple[int, ...], told: Sequence[Told]) -> None:
        """Sentences of these documents, which stand in for the sections that are not read yet."""
        self._digest_of, self._digest = document_ids, list(told)
        if self.progress is None or not self.progress.text:
            self._show_digest()

    def _show_digest(self) -> None:
        self.points.show_below(tr(DIGEST_WORDS), self._left_of_digest)

    @property
    def _left_of_digest(self) -> list[Told]:
        """Of sections that are not read yet."""
        has_read = self.progress.has_read if self.progress is not None else lambda _anchor: False
        return [one for one in self._digest if not any(map(has_read, one.statement.anchors))]

    def take(self, event: SummaryEvent) -> None:
        """Something happened in the one that is shown; its `Progress` knows of it already."""
        progress = self.progress
        if progress is None:
            return
        if isinstance(event, Planned):
            self._count = 0
            self.points.show_statements([], Form.BULLETS)
            self._show_digest()
        elif isinstance(event, SectionRead):
            new = progress.points[self._count :]
            self._count = len(progress.points)
            self.points.add(self._tell(new), self._left_of_digest)
        elif isinstance(event, Writing):
            self.points.show_plain(event.text)
        if not isinstance(event, Writing) or self.lead.text() != tr(WRITES):  # a write-up grows many times a second
            self._show_words()

    def _show_words(self) -> None:
        if self.stored is None:
            return
        progress = self.progress
        self.words.setText(work_words(progress, self.stored, self._left_s(self.stored.id)))
        share = progress.share if progress is not None else 0.0
        self.line.setValue(round(share * STEPS))
        lead = ""
        if progress is not None and progress.text:
            lead = tr(WRITES)
        elif progress is not None and progress.points:
            lead = tr("Points so far")
        self.lead.setText(lead)
        self.lead.setVisible(bool(lead))
        is_at_work = self.isVisible() and progress is not None and not progress.rests
        (self._tick.start if is_at_work else self._tick.stop)()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._tick.stop()
