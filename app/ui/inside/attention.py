"""What each token of a short text attends to: arcs over the text, a map, and all heads of the model as thumbnails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from app.core.events import CancelToken, TokenSeen
from app.features.inside import looks
from app.features.inside.patterns import Pattern, Place, Repeats, pattern_of, repeats_of, sentences_of, word_of
from app.language.names import is_right_to_left
from app.ui.i18n import tr
from app.ui.inside.heat_map import HeatMap, share_colours, share_image
from app.ui.inside.look import LookPage
from app.ui.inside.plots import PlotButtons, percent
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.fields import Segments, Stepper
from app.ui.widgets.labels import announce, plain_label, plain_tip
from app.ui.widgets.layouts import FlowLayout, name_widgets, scrolled

if TYPE_CHECKING:
    import numpy as np

    from app.engine.client import EngineOnDemand

    Floats = np.ndarray[Any, np.dtype[np.float32]]

MEAN = -1
"""In place of a head: the mean of all heads of the layer."""
ARCS, MAP, HEADS = "arcs", "map", "heads"
FIELD_PX = 56
NAMED = 5
"""So many tokens are told in words."""


@dataclass(frozen=True)
class Seen:
    """A text's attention as it is shown; `shares` is [layer, head, token that looks, token looked at]."""

    tokens: tuple[TokenSeen, ...]
    layers: tuple[int, ...]
    shares: Floats
    repeats: Repeats
    patterns: tuple[tuple[Pattern, ...], ...]
    """Of each head of each layer."""
    is_all: bool
    """Whether the text was short enough."""

    def of(self, layer: int, head: int) -> Floats:
        """One head's shares, or the mean of a layer's; `layer` counts from 0 among `layers`."""
        found: Floats = self.shares[layer].mean(axis=0) if head == MEAN else self.shares[layer, head]
        return found

    def pattern(self, layer: int, head: int) -> Pattern:
        """What is seen in it."""
        if head == MEAN:
            return pattern_of(self.of(layer, head), self.tokens, self.repeats)
        return self.patterns[layer][head]


def see(engine: EngineOnDemand, text: str, cancel: CancelToken) -> Seen:
    """Asks the model, and looks at what each head does; on a thread. Raises what `looks.attention` raises."""
    import numpy as np

    found, is_all = looks.attention_of_beginning(engine, text, cancel=cancel)
    shares = np.asarray(found.shares)
    repeats = repeats_of(found.tokens)
    patterns = tuple(tuple(pattern_of(head, found.tokens, repeats) for head in layer) for layer in shares)
    return Seen(found.tokens, found.layers, shares, repeats, patterns, is_all)


class AttentionView(LookPage):
    """Layer and head above; below them, of the same numbers, the arcs, the map or all heads."""

    def __init__(self, ui: UiContext, engine: Callable[[], EngineOnDemand]) -> None:
        super().__init__(ui, engine)
        theme = ui.theme
        self.setAccessibleName(tr("Attention"))
        self.seen: Seen | None = None
        self.layer, self.head, self.token = 0, MEAN, 0
        self._is_chosen = False
        """Whether the person chose a head, which then stays from text to text."""
        self._shown_as = ARCS
        self.cut = plain_label(kind="muted", wraps=True)
        self.layer_field = Stepper(theme, tr("Layer"), 0, lowest=0, highest=0)
        self.head_field = Stepper(theme, tr("Head"), MEAN, lowest=MEAN, highest=0, word_for_lowest=tr("Mean"))
        self.layer_field.changed.connect(lambda value: self._on_layer(int(value)))
        self.head_field.changed.connect(lambda value: self.choose_head(self.layer, int(value)))
        self.sentence = plain_label(wraps=True)
        self.sentence.setObjectName("attention_sentence")
        ways = ((ARCS, tr("Arcs")), (MAP, tr("Map")), (HEADS, tr("All heads")))
        self.ways = Segments(tr("Show as"), ways, ARCS, self.show_as)
        self.ways.setProperty("is_tight", True)
        theme.dress(*self.ways.findChildren(QPushButton), font=(13, 500))
        self.cell = plain_label(kind="muted", wraps=True)
        self.arcs = TokenArcs(theme)
        self.arcs.chosen.connect(self.show_token)
        self.map = HeatMap(theme, tr("Attention"), self._cell_words)
        self.map.pointed.connect(lambda row, column: self.cell.setText(self._cell_words(row, column)))
        self.map.chosen.connect(lambda row, _column: self.show_token(row))
        self.heads = HeadTable(theme)
        self.heads.chosen.connect(self._open_head)
        self.largest = plain_label(wraps=True)
        self.largest.setObjectName("attention_largest")
        self.kinds = plain_label(wraps=True)
        self.parts = {
            ARCS: PlotButtons(theme, ui.notify, self.arcs),
            MAP: PlotButtons(theme, ui.notify, self.map.plot),
            HEADS: PlotButtons(theme, ui.notify, self.heads),
        }
        self.larger = IconButton(theme, "magnifying-glass-plus", tr("Larger cells"), size_px=18)
        self.smaller = IconButton(theme, "magnifying-glass-minus", tr("Smaller cells"), size_px=18)
        self.larger.clicked.connect(lambda: self._zoom(1))
        self.smaller.clicked.connect(lambda: self._zoom(-1))
        self._lay_out()
        self.clear()

    def _lay_out(self) -> None:
        dress = self.theme.dress
        self.pickers = QWidget()
        pickers = FlowLayout(self.pickers)
        for words, field in ((tr("Layer"), self.layer_field), (tr("Head"), self.head_field)):
            pair = QWidget()
            row = QHBoxLayout(pair)
            row.setContentsMargins(0, 0, 0, 0)
            label = plain_label(words, kind="muted")
            row.addWidget(label)
            row.addWidget(field)
            dress(row, spacing=6)
            dress(label, font=(13, 400))
            pickers.addWidget(pair)
        self.top = QWidget()
        top = FlowLayout(self.top)
        top.addWidget(self.ways)
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.smaller, self.larger, *self.parts.values()):
            row.addWidget(button)
        top.addWidget(tools)
        self.stack = QStackedWidget()
        self._pages = {
            ARCS: self._page(self.largest, scrolled(self.arcs)),
            MAP: self._page(self.map, self.cell),
            HEADS: self._page(self.kinds, self.heads),
        }
        for page in self._pages.values():
            self.stack.addWidget(page)
        for widget in (self.cut, self.pickers, self.sentence, self.top):
            self.body.addWidget(widget)
        self.body.addWidget(self.stack, 1)
        dress(pickers, spacing=8)
        dress(top, row, spacing=4)
        dress(self.sentence, font=(13.5, 400))
        dress(self.layer_field.number, self.head_field.number, width=FIELD_PX)
        dress(self.cut, self.largest, self.cell, self.kinds, font=(13, 400))
        name_widgets(layer_field=self.layer_field, head_field=self.head_field, attention_cell=self.cell)

    def _page(self, *widgets: QWidget) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            column.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
        self.theme.dress(column, spacing=6)
        return page

    # What is looked at.

    def look_at(self, text: str) -> None:
        """Shows what each token of this text attends to, or of as much of its beginning as can be looked at."""
        self.clear()
        if text.strip():

            def work(engine: EngineOnDemand, cancel: CancelToken) -> Iterator[Seen]:
                yield see(engine, text, cancel)

            self.begin(work, self._show, lambda: None)

    def clear(self) -> None:
        """Shows nothing any more."""
        super().clear()
        self.seen = None
        self.map.clear()
        self.arcs.show_tokens(())
        self.heads.show_heads(None)
        for widget in (self.cut, self.pickers, self.sentence, self.top, self.stack):
            widget.hide()

    def _show(self, event: object) -> None:
        assert isinstance(event, Seen)
        self.seen = event
        heads = event.shares.shape[1]
        for field, ends in (
            (self.layer_field, (event.layers[0], event.layers[-1])),
            (self.head_field, (MEAN, heads - 1)),
        ):
            field.number.blockSignals(True)
            field.number.setRange(*ends)
            field.number.blockSignals(False)
        count = len(event.tokens)
        self.cut.setText("" if event.is_all else tr("The first {count} tokens are shown.", count=count))
        self.cut.setHidden(event.is_all)
        for widget in (self.pickers, self.sentence, self.top, self.stack):
            widget.show()
        self.token = count - 1
        self.arcs.show_tokens(event.tokens)
        self.heads.show_heads(event)
        self.kinds.setText(" ".join(kinds_in_words(event.patterns)))
        if not self._is_chosen:
            self.layer, self.head = plainest(event.patterns)
        self.show_head(min(self.layer, len(event.layers) - 1), min(self.head, heads - 1))
        self.show_as(self._shown_as)

    # What of it is shown.

    def choose_head(self, layer: int, head: int) -> None:
        """The person wants to see this one."""
        self._is_chosen = True
        self.show_head(layer, head)

    def _on_layer(self, number: int) -> None:
        """The layer of that number; where it has no attention, the next one that has, in the same direction."""
        assert self.seen is not None
        before, numbers = self.seen.layers[self.layer], self.seen.layers
        is_up = number > before
        found = [one for one in numbers if (one >= number if is_up else one <= number)]
        self.choose_head(numbers.index((min if is_up else max)(found, default=before)), self.head)

    def show_head(self, layer: int, head: int) -> None:
        """Another layer, counted from 0 among those that have attention, and one of its heads, or `MEAN`."""
        self.layer, self.head = layer, head
        if self.seen is None:
            return
        import numpy as np

        for field, value in ((self.layer_field, self.seen.layers[layer]), (self.head_field, head)):
            field.number.blockSignals(True)
            field.number.setValue(value)
            field.number.blockSignals(False)
        shares = self.seen.of(layer, head)
        words = " ".join(tr(each.text, **each.values) for each in sentences_of(self.seen.pattern(layer, head)))
        self.sentence.setText(words)
        names = tuple(map(word_of, self.seen.tokens))
        above = np.triu(np.ones(shares.shape, bool), 1)
        title = tr("Attention, layer {layer}", layer=self.seen.layers[layer])
        if head != MEAN:
            title = tr("Attention, layer {layer}, head {head}", layer=self.seen.layers[layer], head=head)
        self.map.plot.title = self.arcs.title = title
        self.map.show_shares(np.where(above, np.float32(np.nan), shares), names, names, f"{title}. {words}")
        self.arcs.show_shares(shares, title)
        self.cell.setText(self._cell_words(*self.map.current))
        self.heads.mark(layer, head)
        announce(self, words)
        self.show_token(min(self.token, len(names) - 1))

    def show_token(self, token: int) -> None:
        """What one token attends to, with arcs and in words."""
        if self.seen is None:
            return
        self.token = token
        words = largest_in_words(self.seen.of(self.layer, self.head)[token], self.seen.tokens, token)
        self.largest.setText(words)
        self.arcs.mark(token, words)

    def show_as(self, way: str) -> None:
        """One of arcs, map and heads."""
        self._shown_as = way
        self.ways.show_value(way)
        self.stack.setCurrentWidget(self._pages[way])
        for name, buttons in self.parts.items():
            buttons.setVisible(name == way)
        for button in (self.larger, self.smaller):
            button.setVisible(way == MAP)
        self.theme.dress_again(self._pages[way])
        if way == ARCS:
            self.arcs.reveal()

    def _open_head(self, layer: int, head: int) -> None:
        self.choose_head(layer, head)
        self.show_as(MAP if self._shown_as == HEADS else self._shown_as)
        self.map.setFocus(Qt.FocusReason.OtherFocusReason)

    def _zoom(self, steps: int) -> None:
        self.map.zoom_by(steps)
        self.cell.setText(tr("{percent} % as large", percent=round(100 * self.map.zoom)))

    def _cell_words(self, row: int, column: int) -> str:
        if self.seen is None:
            return ""
        looking, looked = word_of(self.seen.tokens[row]), word_of(self.seen.tokens[column])
        if column > row:
            return tr("“{looking}” comes before “{looked}” and cannot see it.", looking=looking, looked=looked)
        share = percent(float(self.seen.of(self.layer, self.head)[row, column]))
        if row == column:
            return tr("“{looking}” looks at itself: {percent} %", looking=looking, percent=share)
        return tr("“{looking}” looks at “{looked}”: {percent} %", looking=looking, looked=looked, percent=share)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.ways.fit(self.width())


def largest_in_words(row: Floats, tokens: Sequence[TokenSeen], token: int) -> str:
    """The five that a token attends to most, and what is left for the others."""
    order = sorted(range(token + 1), key=lambda at: -float(row[at]))[:NAMED]
    said = [
        tr("itself {percent} %", percent=percent(float(row[at])))
        if at == token
        else tr("“{word}” {percent} %", word=word_of(tokens[at]), percent=percent(float(row[at])))
        for at in order
    ]
    words = tr("“{word}” looks at {others}", word=word_of(tokens[token]), others=", ".join(said))
    left = token + 1 - len(order)
    rest = max(0.0, 1.0 - sum(float(row[at]) for at in order))
    if left:
        words += tr("; at {count} others with {percent} % together", count=left, percent=percent(rest))
    return words + "."


def plainest(patterns: Sequence[Sequence[Pattern]]) -> tuple[int, int]:
    """The layer and the head to begin with: what looks most at the token before is understood at once."""
    found = [
        (pattern.share * (1 - pattern.first), layer, head)
        for layer, heads in enumerate(patterns)
        for head, pattern in enumerate(heads)
        if pattern.kind is Place.PREVIOUS
    ]
    _, layer, head = max(found, default=(0.0, 0, MEAN))
    return layer, head


KIND_WORDS = {
    Place.FIRST: "{count} rest on the first token",
    Place.PREVIOUS: "{count} look at the token before",
    Place.ITSELF: "{count} stay with the token itself",
    Place.NEAR: "{count} stay near",
    Place.FEW: "{count} look at the same few tokens",
    Place.EVEN: "{count} look at everything evenly",
    Place.MIXED: "{count} show no single place",
    Place.SAME: "{count} find the same word earlier",
    Place.AFTER_SAME: "{count} go on with a repetition",
}


def kinds_in_words(patterns: Sequence[Sequence[Pattern]]) -> list[str]:
    """How many heads do what, the most frequent first."""
    every = [pattern for layer in patterns for pattern in layer]
    counted = Counter(each.kind for each in every)
    if counted.keys() <= {Place.SHORT}:
        return [tr("{count} heads; the text is too short for a pattern.", count=len(every))]
    said = ", ".join(tr(KIND_WORDS[place], count=count) for place, count in counted.most_common())
    return [tr("Of {count} heads {what}.", count=len(every), what=said)]


# The text with arcs from the chosen token to those it attends to.


MOST_ARCS = 12
LEAST_SHARE = 0.01
LETTERS_PX = 14.0
LINE_PX, ABOVE_PX = 26, 26
"""As high as a token, and what is above each line for arcs."""


class TokenArcs(QWidget):
    """Tokens as the text has them, in as many lines as they need; Left and Right choose another one.

    The background of a token and the width of its arc tell its share, which the words beside tell in numbers.
    """

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self.title = theme, tr("Attention")
        self._tokens: tuple[TokenSeen, ...] = ()
        self._words: tuple[str, ...] = ()
        self._shares: Floats | None = None
        self._is_mirrored = False
        self._rects: list[QRect] = []
        self.current = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(tr("Tokens of the text"))
        theme.changed.connect(self._lay_out)

    def show_tokens(self, tokens: Sequence[TokenSeen]) -> None:
        """Another text; nothing is known of it yet."""
        self._tokens, self._shares = tuple(tokens), None
        self._words = tuple(map(word_of, tokens))
        self._is_mirrored = is_right_to_left(b"".join(each.data for each in tokens).decode("utf-8", "replace"))
        self._lay_out()

    def show_shares(self, shares: Floats, title: str) -> None:
        """What each of them attends to, as [token that looks, token looked at]."""
        self._shares, self.title = shares, title
        self.update()

    def mark(self, token: int, words: str) -> None:
        """The token whose arcs are shown; `words` say the same."""
        self.current = token
        self.setAccessibleDescription(words)
        self.update()

    def table(self) -> list[list[str | float]]:
        assert self._shares is not None
        row = self._shares[self.current]
        found: list[list[str | float]] = [
            [tr("token"), tr("text"), tr("share of {name}", name=self._words[self.current])]
        ]
        return found + [[str(at), self._words[at], float(row[at])] for at in range(self.current + 1)]

    def picture_size(self) -> QSize:
        return QSize(self.width(), self.heightForWidth(self.width()))

    def paint_picture(self, painter: QPainter) -> None:
        painter.fillRect(QRect(QPoint(), self.picture_size()), QColor(self._theme.tokens.background))
        self._paint(painter)

    # Where the tokens stand.

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rects = self._places(width)
        return (rects[-1].bottom() if rects else 0) + self._theme.px(8)

    def sizeHint(self) -> QSize:
        width = self._theme.px(320)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self.heightForWidth(max(self.width(), self._theme.px(120))))

    def _places(self, width: int) -> list[QRect]:
        px, metrics = self._theme.px, QFontMetrics(self._theme.font(LETTERS_PX))
        high, above, edge = px(LINE_PX), px(ABOVE_PX), px(4)
        x, y, rects = edge, above, []
        for number, (token, word) in enumerate(zip(self._tokens, self._words, strict=True)):
            wide = min(metrics.horizontalAdvance(word) + px(10), width - 2 * edge)
            gap = px(6) if token.data[:1].isspace() else px(2)
            x += gap if x > edge else 0
            if x + wide > width - edge and x > edge:
                x, y = edge, y + high + above
            rects.append(QRect(width - x - wide if self._is_mirrored else x, y, wide, high))
            x += wide
            if token.data.endswith(b"\n") and number + 1 < len(self._tokens):
                x, y = edge, y + high + above
        return rects

    def _lay_out(self) -> None:
        self._rects = self._places(self.width())
        self.updateGeometry()
        self.update()

    def token_at(self, place: QPoint) -> int:
        """-1 where there is none."""
        return next((number for number, rect in enumerate(self._rects) if rect.contains(place)), -1)

    def rect_of(self, token: int) -> QRect:
        """Where it stands."""
        return self._rects[token]

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        self._paint(QPainter(self))

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._rects and self._shares is not None:
            row = self._shares[self.current]
            for number in range(len(self._rects)):
                self._paint_token(painter, number, float(row[number]))
            best = sorted(range(self.current + 1), key=lambda at: -float(row[at]))[:MOST_ARCS]
            for number in reversed(best):
                if row[number] >= LEAST_SHARE:
                    self._paint_arc(painter, number, float(row[number]))

    def _paint_token(self, painter: QPainter, number: int, share: float) -> None:
        tokens, px, rect = self._theme.tokens, self._theme.px, QRectF(self._rects[number])
        is_current, is_later = number == self.current, number > self.current
        back = QColor(tokens.selection)
        back.setAlphaF(min(1.0, share**0.5))
        painter.setPen(Qt.PenStyle.NoPen)
        if not is_later:
            painter.setBrush(QColor(tokens.surface))
            painter.drawRoundedRect(rect, px(5), px(5))
            painter.setBrush(back)
            painter.drawRoundedRect(rect, px(5), px(5))
        if is_current:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.focus if self.hasFocus() else tokens.text), px(1.5)))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), px(5), px(5))
        painter.setFont(self._theme.font(LETTERS_PX, 600 if is_current else 400))
        painter.setPen(QColor(tokens.muted if is_later else tokens.text))
        room = rect.adjusted(px(3), 0, -px(3), 0).toRect()
        word = painter.fontMetrics().elidedText(self._words[number], Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, word)

    def _paint_arc(self, painter: QPainter, number: int, share: float) -> None:
        start, end, px = QRectF(self._rects[self.current]), QRectF(self._rects[number]), self._theme.px
        colour = QColor(self._theme.tokens.accent)
        colour.setAlphaF(0.35 + 0.6 * share**0.5)
        begin = QPointF(start.center().x(), start.top())
        path = QPainterPath(begin)
        if number == self.current:
            out, up = px(9), px(ABOVE_PX - 8)
            path.cubicTo(begin + QPointF(-out, -up), begin + QPointF(out, -up), begin)
        elif start.top() == end.top():
            goal = QPointF(end.center().x(), end.top())
            high = min(px(ABOVE_PX - 4) * 4 / 3, px(8) + abs(goal.x() - begin.x()) / 3)
            path.cubicTo(begin - QPointF(0, high), goal - QPointF(0, high), goal)
        else:
            goal = QPointF(end.center().x(), end.bottom())
            way = min(begin.y() - goal.y(), 3.0 * px(LINE_PX)) / 2 + px(6)
            path.cubicTo(begin - QPointF(0, way), goal + QPointF(0, way), goal)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(colour, px(1) + px(4) * share)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawPath(path)

    # From token to token.

    def _choose(self, token: int) -> None:
        token = min(max(token, 0), len(self._tokens) - 1)
        if token >= 0 and token != self.current:
            self.chosen.emit(token)
            self.reveal()
            announce(self, self.accessibleDescription())

    def reveal(self) -> None:
        """Scrolls the page to the token that is chosen."""
        parent = self.parentWidget()
        area = parent.parentWidget() if parent is not None else None
        if isinstance(area, QScrollArea) and self.current < len(self._rects):
            middle = self._rects[self.current].center()
            area.ensureVisible(middle.x(), middle.y(), 0, self._theme.px(LINE_PX + ABOVE_PX))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        side = -1 if self._is_mirrored else 1
        moves = {Qt.Key.Key_Right: side, Qt.Key.Key_Left: -side}
        key = Qt.Key(event.key())
        if key in moves:
            self._choose(self.current + moves[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._choose(0 if key == Qt.Key.Key_Home else len(self._tokens) - 1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self._rects:
            line = (self._theme.px(LINE_PX) + self._theme.px(ABOVE_PX)) * (-1 if key == Qt.Key.Key_Up else 1)
            self._choose(self._nearest(self._rects[self.current].center() + QPoint(0, line)))
        else:
            super().keyPressEvent(event)

    def _nearest(self, place: QPoint) -> int:
        """Of the line at this height; the chosen one where there is no such line."""
        line = [
            (abs(r.center().x() - place.x()), at)
            for at, r in enumerate(self._rects)
            if r.top() <= place.y() <= r.bottom()
        ]
        return min(line, default=(0, self.current))[1]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        token = self.token_at(event.position().toPoint())
        if token >= 0:
            self._choose(token)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            token = self.token_at(event.pos())
            tip = ""
            if self._shares is not None and 0 <= token <= self.current:
                share = percent(float(self._shares[self.current, token]))
                tip = tr("“{word}” {percent} %", word=self._words[token], percent=share)
            QToolTip.showText(event.globalPos(), plain_tip(tip), self)
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._rects = self._places(self.width())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()


# All heads as thumbnails: rows are layers, columns heads.


THUMB_PX, LARGEST_THUMB_PX = 34, 60
MOST_CELLS = 48
"""Along a thumbnail's edge: of a longer text each stands for several tokens."""
Index = QModelIndex | QPersistentModelIndex


class HeadsModel(QAbstractTableModel):
    """Makes a thumbnail when it is painted, and its words when they are asked for."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.seen: Seen | None = None
        self._images: dict[tuple[int, int], QImage] = {}
        self._colours: list[int] = []

    def show(self, seen: Seen | None) -> None:
        """The heads of another text."""
        self.beginResetModel()
        self.seen = seen
        self.forget_colours()
        self.endResetModel()

    def forget_colours(self) -> None:
        """The theme has others."""
        self._images.clear()
        self._colours = share_colours(self._theme)

    def image(self, layer: int, head: int) -> QImage:
        """A pixel for each pair of tokens; nothing above the diagonal."""
        import numpy as np

        assert self.seen is not None
        if (layer, head) not in self._images:
            shares = largest_of(self.seen.shares[layer, head], MOST_CELLS)
            above = np.triu(np.ones(shares.shape, bool), 1)
            self._images[layer, head] = share_image(np.where(above, np.float32(np.nan), shares))
            self._images[layer, head].setColorTable(self._colours)
        return self._images[layer, head]

    def words(self, layer: int, head: int) -> str:
        """Which head it is and what it does."""
        assert self.seen is not None
        said = " ".join(tr(each.text, **each.values) for each in sentences_of(self.seen.patterns[layer][head]))
        return tr("Layer {layer}, head {head}. {words}", layer=self.seen.layers[layer], head=head, words=said)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() or self.seen is None else len(self.seen.layers)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() or self.seen is None else int(self.seen.shares.shape[1])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.words(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self.words(index.row(), index.column()))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and self.seen is not None:
            return str(self.seen.layers[section] if orientation == Qt.Orientation.Vertical else section)
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font(12)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        return None


class HeadTable(QTableView):
    """Arrows go from head to head, Enter or a click opens one."""

    chosen = Signal(int, int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self.title = theme, tr("Attention of all heads")
        self.heads = HeadsModel(theme)
        self.setModel(self.heads)
        self.setItemDelegate(ThumbnailDelegate(theme, self.heads, self))
        self.setObjectName("attention_heads")
        self.setAccessibleName(tr("All heads: layers from top to bottom, heads from left to right"))
        for corner in self.findChildren(QAbstractButton):  # Qt's own, for selecting all
            corner.setAccessibleName(tr("Select all heads"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(1)
            header.setHighlightSections(True)
            header.setSectionsClickable(False)
        self.clicked.connect(self._on_chosen)
        theme.dress(self, least_height=160)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_heads(self, seen: Seen | None) -> None:
        """The heads of another text; None: of none."""
        self.heads.show(seen)
        self._fit()

    def mark(self, layer: int, head: int) -> None:
        """The one that is shown; none for a mean."""
        if head == MEAN:
            self.clearSelection()
        else:
            self.setCurrentIndex(self.heads.index(layer, head))

    def table(self) -> list[list[str | float]]:
        """The kind of each head, and the share of what it mostly looks at."""
        seen = self.heads.seen
        assert seen is not None
        found: list[list[str | float]] = [["layer", "head", "pattern", "share", "first"]]
        for row, layer in enumerate(seen.layers):
            for head, pattern in enumerate(seen.patterns[row]):
                share = pattern.repeated[1] if pattern.repeated is not None else pattern.share
                found.append([str(layer), str(head), pattern.kind.value, share or "", pattern.first or ""])
        return found

    def picture_size(self) -> QSize:
        edge, head = self._edge(), self._theme.px(30)
        return QSize(head + edge * self.heads.columnCount(), head + edge * self.heads.rowCount())

    def paint_picture(self, painter: QPainter) -> None:
        theme, edge, head = self._theme, self._edge(), self._theme.px(30)
        painter.fillRect(QRect(QPoint(), self.picture_size()), QColor(theme.tokens.background))
        painter.setFont(theme.font(12))
        painter.setPen(QColor(theme.tokens.muted))
        for column in range(self.heads.columnCount()):
            place = QRect(head + column * edge, 0, edge, head)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(column))
        for row in range(self.heads.rowCount()):
            number = self.heads.headerData(row, Qt.Orientation.Vertical)
            painter.drawText(QRect(0, head + row * edge, head, edge), Qt.AlignmentFlag.AlignCenter, number)
            for column in range(self.heads.columnCount()):
                self._paint_one(painter, QRect(head + column * edge, head + row * edge, edge, edge), row, column)

    def _paint_one(self, painter: QPainter, rect: QRect, row: int, column: int) -> None:
        paint_thumbnail(painter, self._theme, rect, self.heads.image(row, column))

    def _edge(self) -> int:
        """As large as all heads of a layer have room."""
        px, count = self._theme.px, max(1, self.heads.columnCount())
        return min(max(self.viewport().width() // count, px(THUMB_PX)), px(LARGEST_THUMB_PX))

    def _fit(self) -> None:
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setDefaultSectionSize(self._edge())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _on_chosen(self, index: QModelIndex) -> None:
        self.chosen.emit(index.row(), index.column())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self._on_chosen(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        self.heads.forget_colours()
        self._fit()
        self.verticalHeader().setFixedWidth(self._theme.px(34))
        self.viewport().update()


class ThumbnailDelegate(QStyledItemDelegate):
    """Paints a head's map; a frame around the one that is chosen or under the mouse."""

    def __init__(self, theme: Theme, heads: HeadsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._heads = theme, heads

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        paint_thumbnail(painter, self._theme, option.rect, self._heads.image(index.row(), index.column()))
        state = option.state
        if state & (
            QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus
        ):
            has_focus = state & QStyle.StateFlag.State_HasFocus
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._theme.tokens.focus if has_focus else self._theme.tokens.outline), 2))
            painter.drawRect(option.rect.adjusted(1, 1, -1, -1))
        painter.restore()


def largest_of(shares: Floats, most: int) -> Floats:
    """A smaller array, of the largest share in each part: a mean would hide what stands out."""
    import numpy as np

    if len(shares) <= most:
        return shares
    begins = np.linspace(0, len(shares), most, endpoint=False).astype(int)
    found: Floats = np.maximum.reduceat(np.maximum.reduceat(shares, begins, axis=0), begins, axis=1)
    return found


def paint_thumbnail(painter: QPainter, theme: Theme, rect: QRect, image: QImage) -> None:
    """A map without names, smoothed where it has more cells than room."""
    gap = theme.px(3)
    inside = rect.adjusted(gap, gap, -gap, -gap)
    painter.fillRect(inside, QColor(theme.tokens.code))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > inside.width())
    painter.drawImage(inside, image)
