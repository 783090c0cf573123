"""Base of the pages in the Models view: a title and a column of cards, or an empty state."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMargins, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.features.models.model_engines import build_engine
from app.ui.i18n import join_sentences, tr
from app.ui.icons import icon
from app.ui.models.model_card import ModelCard
from app.ui.screen_reader import read_as
from app.ui.shell import tasks
from app.ui.theme import EDGE_PX, HEADING_PX, PAGE_PX, TOP_PX, FontRole, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.layouts import ColumnRow, drop_margins, fill_layout, name_widgets, scrolled

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.engine.contract import Engine
    from app.ui.shell.tab_spec import UiContext

NARROW_PX = 600
WAYS_TO_COMPARE = {"blind": "Blind test", "compare": "Benchmark on a text"}
"""Names of two pages that share a place in the navigation, with a switch between them beside the title."""


def back_row(theme: Theme, back: QWidget, *others: QWidget) -> QWidget:
    """Return the row above a page with the button that leaves it, whose words stand on the page's edge."""
    row, around = QWidget(), QWidget()
    head = fill_layout(QHBoxLayout(row), back, 1, *others)
    ColumnRow(theme, row, around, most_px=PAGE_PX + 2 * EDGE_PX)
    theme.dress(head, margins=(EDGE_PX - 16, TOP_PX, EDGE_PX, 4))
    return around


class ModelsPage(QWidget):
    """Page of cards and headings in `rows`; `empty` shows why there are none."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(title)
        self._newest: tasks.BackgroundTask | None = None
        self.title = self.text(title, "title")
        self.title.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        self.lead = self.text("", "row")
        self.lead.setProperty("kind", "muted")
        self.empty = self.text("", "row")
        self.empty.setProperty("kind", "muted")
        self.foot = self.text("", "small")
        self.foot.setProperty("kind", "muted")
        for label in (self.lead, self.empty, self.foot):
            label.hide()
        self.top = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight), (self.title, 1))
        self.rows = theme.dress(QVBoxLayout(), spacing=12)
        inside = QWidget()
        inside.setObjectName("page")
        self._column = fill_layout(QVBoxLayout(), self.top, self.lead, self.empty, self.rows, 1, self.foot)
        self._holder = QWidget()
        self._holder.setLayout(self._column)
        self._around = ColumnRow(theme, self._holder, inside)
        self.area = scrolled(inside)
        fade_ends(self.area, theme)
        fill_layout(drop_margins(QVBoxLayout(self)), self.area)
        theme.dress(self._around, margins=(EDGE_PX, TOP_PX, EDGE_PX, 20), spacing=0)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=12)
        theme.dress(self.title, least_height=HEADING_PX)

    def reload(self) -> tasks.BackgroundTask:
        """Reload the page's content on a thread."""
        raise NotImplementedError

    def text(self, text: str, role: FontRole) -> QLabel:
        """Return a wrapping label that follows the theme's font."""
        return self._theme.dress(QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True), font=role)

    def show_text(self, label: QLabel, text: str) -> None:
        """Set the text of `lead`, `empty` or `foot`; "" hides it."""
        label.setText(text)
        label.setVisible(bool(text))

    def add_heading(self, text: str) -> QLabel:
        heading = self.text(text, "group")
        heading.setProperty("kind", "muted")
        self.rows.addWidget(heading)
        return heading

    def cards(self) -> list[ModelCard]:
        items = (self.rows.itemAt(place) for place in range(self.rows.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [card for card in widgets if isinstance(card, ModelCard) and not card.isHidden()]

    def clear_rows(self, kept: Container[QWidget] = ()) -> None:
        """Take all rows out and delete them, but for those that are kept to be put in again."""
        while (item := self.rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None and widget not in kept:
                # Deleted only when the event loop runs again; until then it would stay visible.
                widget.hide()
                widget.deleteLater()

    def ask(
        self,
        work: Callable[[CancelToken], object],
        then: Callable[..., object],
        failed: Callable[[BaseException], object] | None = None,
    ) -> tasks.BackgroundTask:
        """Run `work` on a thread and pass its result to `then`, or its exception to `failed`, on the window's."""
        return tasks.ask(work, self, then, failed)

    def ask_anew(
        self,
        work: Callable[[CancelToken], object],
        then: Callable[..., object],
        failed: Callable[[BaseException], object],
    ) -> tasks.BackgroundTask:
        """Call `ask` and drop the result of the previous call."""
        if self._newest is not None:
            self._newest.abandon()
        self._newest = self.ask(work, then, failed)
        return self._newest

    def move_focus(self, card: ModelCard, step: int) -> None:
        """Move the focus by `step` cards."""
        cards = self.cards()
        # A card that was just removed leads to the first one.
        place = cards.index(card) + step if card in cards else 0
        if 0 <= place < len(cards):
            cards[place].setFocus(Qt.FocusReason.TabFocusReason)
            self.area.ensureWidgetVisible(cards[place])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self.top.setDirection(along if self.width() >= self._theme.px(NARROW_PX) else down)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.area.verticalScrollBar()
        steps = {Qt.Key.Key_PageDown: bar.pageStep(), Qt.Key.Key_PageUp: -bar.pageStep()}
        if (step := steps.get(Qt.Key(event.key()))) is None:
            super().keyPressEvent(event)
        else:
            bar.setValue(bar.value() + step)


MEASURE_PX = 440

Choice = tuple[str, str, Callable[[], object]]
"""Button: text, kind, action."""


class ComparisonPage(ModelsPage):
    """A page that compares models, with a switch to the other kind of comparison."""

    way_wanted = Signal(str)
    """Carries the name of the other page."""

    def __init__(self, app: Fireside, ui: UiContext, way: str) -> None:
        super().__init__(ui.theme, tr("Compare models"))
        self._app, self._ui, self.way = app, ui, way
        self._task: tasks.BackgroundTask | None = None
        self._engine: Engine | None = None
        ways = [(name, tr(label)) for name, label in WAYS_TO_COMPARE.items()]
        self.ways = SegmentedControl(ui.theme, tr("Comparison method"), ways, way, self._on_way)
        self.top.addWidget(self.ways, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.ways.fit_width(self.width() - 2 * self._theme.px(EDGE_PX))

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def stop(self) -> None:
        """Stop at once, keeping what is there so far."""
        if self._task is not None:
            self._task.cancel()
        # A cancel takes effect with the next token; a model that is being loaded has none for long.
        if self._engine is not None:
            self._engine.let_go()

    def _run_models(self, compare: Callable[..., Iterator[object]]) -> None:
        """Run a comparison on a thread; `compare` takes an engine of its own, and options for the models in it."""
        # The chat's engine keeps its model, unless that has to sleep to make room. This one loads no projectors.
        pool, engine = self._app.pool, build_engine(self._app.paths)

        def work(cancel: CancelToken) -> Iterator[object]:
            # However it ends, its child ends with it.
            with closing(engine):
                yield from compare(engine, wish=pool.options(), make_room=pool.make_room, cancel=cancel)

        self._engine = engine
        self._task = tasks.run(work, self, on_event=self._on_event, on_end=self._on_ended, on_failed=self._on_failed)

    def _on_event(self, event: Any) -> None:
        """Show what came of the comparison."""

    def _on_failed(self, error: BaseException) -> None:
        self._ui.notify.error(error)
        self._on_ended()

    def _on_ended(self) -> None:
        self._task = self._engine = None

    def _on_way(self, way: str) -> None:
        # A press has moved the mark; this page keeps its own, and the other page shows the other.
        self.ways.show_value(self.way)
        if way != self.way:
            self.way_wanted.emit(way)


class StateView(QWidget):
    """Centred message with up to two buttons; screen readers read title and text as one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._glyph = ""
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.text = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.text.setProperty("kind", "muted")
        self._buttons = theme.dress(QHBoxLayout(), margins=(0, 8, 0, 0), spacing=8)
        inside = theme.dress(QVBoxLayout(), spacing=10)
        for widget in (self._icon, self.title, self.text):
            inside.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addLayout(self._buttons)
        row = fill_layout(QHBoxLayout(), 1, (inside, 100), 1)
        fill_layout(QVBoxLayout(self), 3, row, 4)
        theme.dress(self.title, font="section")
        read_as(self._icon, QAccessible.Role.Whitespace)
        theme.dress(self.text, font="row")
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(state_title=self.title, state_text=self.text)

    def show_state(self, glyph: str, title: str, text: str, choices: Sequence[Choice] = ()) -> None:
        self._glyph = glyph
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.setAccessibleName(join_sentences([title, text]))
        while (item := self._buttons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._buttons.addStretch(1)
        for label, kind, on_click in choices:
            button = text_button(label, kind, on_click=lambda _checked=False, on_click=on_click: on_click())
            self._theme.dress(button, font="control")
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        theme, edge = self._theme, self._theme.px(32)
        picture = icon(self._glyph, theme.tokens.muted, edge) if self._glyph else None
        self._icon.setVisible(picture is not None)
        if picture is not None:
            self._icon.setPixmap(picture.pixmap(QSize(edge, edge), self.devicePixelRatio()))
        self._fit_labels()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_labels()

    def minimumSizeHint(self) -> QSize:
        # The labels are as wide as they are let; their width is none that the view needs.
        return QSize(0, super().minimumSizeHint().height())

    def _fit_labels(self) -> None:
        margins = layout.contentsMargins() if (layout := self.layout()) is not None else QMargins()
        width = min(self._theme.px(MEASURE_PX), self.width() - margins.left() - margins.right())
        for label in (self.title, self.text):
            # Or the size for the text before would count in the size hint.
            label.setMinimumSize(0, 0)
            # A wrapped label that is centred gets no height for its width from a layout.
            label.setFixedSize(width, max(0, label.heightForWidth(width)))
