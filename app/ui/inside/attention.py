"""Attention of a short text: arcs over the text, a map of one head, and thumbnails of all heads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, QRect, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.core.catalogue import CountedTexts
from app.core.events import CancelToken, TokenSeen
from app.features.inside.patterns import (
    MEAN,
    AttentionMap,
    AttentionTarget,
    HeadPattern,
    plainest_head,
    read_attention_map,
    sentences_of,
    word_of,
)
from app.ui.i18n import tr, tr_count
from app.ui.inside.look import CellModel, CellTable, Index, LendEngine, LookPage, paint_frame
from app.ui.inside.maps import HeatMap, LineScroll, TokenArcs, share_colours, share_image
from app.ui.inside.plots import WORD_PERCENT, PlotButtons, percent
from app.ui.locale_formats import join_list
from app.ui.shared_labels import ATTENTION, FIRST_TOKEN_SHOWN, FIRST_TOKENS_SHOWN
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import FontRole, Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.input_fields import SegmentedControl, Stepper
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout, drop_margins, fill_layout, name_widgets

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]
    from app.engine.contract import Engine

LOOKS_AT = "“{word}” looks at {others}"
HEADS_SUMMARY = "{count} heads: {what}."
MEAN_LABEL = "Mean"
ATTENTION_OF_HEAD = "Attention, layer {layer}, head {head}"
HEAD_DESCRIPTION = "Layer {layer}, head {head}. {words}"
LOOKS_AT_PERCENT = "“{looking}” looks at “{looked}”: {percent} %"
CANNOT_SEE_LATER = "“{looking}” comes before “{looked}” and can’t see it."
ATTENTION_OF_LAYER = "Attention, layer {layer}"


THUMB_PX, LARGEST_THUMB_PX = 34, 60
MOST_CELLS = 48
"""Maximum cells per thumbnail edge; in longer texts a cell stands for several tokens."""


class HeadsModel(CellModel):
    """Model of the heads; thumbnails and descriptions are made on demand."""

    name_font: FontRole = "caption"

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.seen: AttentionMap | None = None
        self._images: dict[tuple[int, int], QImage] = {}
        self._colours: list[int] = []

    def show(self, seen: AttentionMap | None) -> None:
        self.beginResetModel()
        self.seen = seen
        self.forget_colours()
        self.endResetModel()

    def forget_colours(self) -> None:
        """Drop the thumbnails, whose colours are the theme's; they are made again when painted."""
        self._images.clear()
        self._colours = share_colours(self._theme)

    def image(self, layer: int, head: int) -> QImage:
        """Return a thumbnail, a pixel per pair of tokens; above the diagonal it is empty."""
        # With the first text: the window starts without NumPy.
        import numpy as np

        assert self.seen is not None
        if (layer, head) not in self._images:
            shares = largest_of(self.seen.shares[layer, head], MOST_CELLS)
            # A token can't attend to later ones: these cells are empty, not zero.
            above = np.triu(np.ones(shares.shape, bool), 1)
            self._images[layer, head] = share_image(np.where(above, np.float32(np.nan), shares))
            self._images[layer, head].setColorTable(self._colours)
        return self._images[layer, head]

    @property
    def shape(self) -> tuple[int, int]:
        return (0, 0) if self.seen is None else (len(self.seen.layers), int(self.seen.shares.shape[1]))

    def describe_cell(self, row: int, column: int) -> str:
        """Describe a head: its number and what it mostly attends to."""
        assert self.seen is not None
        said = " ".join(str(message_template) for message_template in sentences_of(self.seen.patterns[row][column]))
        return tr(HEAD_DESCRIPTION, layer=self.seen.layers[row], head=column, words=said)

    def name(self, section: int, way: Qt.Orientation) -> str:
        """Return a layer's number in the model, or a head's in its layer."""
        assert self.seen is not None
        return str(self.seen.layers[section] if way == Qt.Orientation.Vertical else section)


class HeadTable(CellTable):
    """Table of thumbnails; arrows move, Enter or a click opens a head."""

    def __init__(self, theme: Theme, *, choose: Callable[[int, int], object]) -> None:
        self.heads = HeadsModel(theme)
        words = tr("All heads: layers from top to bottom, heads from left to right")
        super().__init__(self.heads, words, select_all=tr("Select all heads"))
        self.choose = choose
        self._theme, self.title = theme, tr("Attention of all heads")
        self.setItemDelegate(ThumbnailDelegate(theme, self.heads, self))
        self.setObjectName("attention_heads")
        self.clicked.connect(self._on_chosen)
        theme.dress(self, least_height=160)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_heads(self, seen: AttentionMap | None) -> None:
        """Show the heads of a text; None clears them."""
        self.heads.show(seen)
        self._fit_columns()

    def mark(self, layer: int, head: int) -> None:
        """Select the head shown below; none for a mean."""
        if head == MEAN:
            self.clearSelection()
        else:
            self.setCurrentIndex(self.heads.index(layer, head))

    def table(self) -> list[list[str | float]]:
        """Return rows with each head's kind and the share of its main target."""
        seen = self.heads.seen
        assert seen is not None
        found: list[list[str | float]] = [["layer", "head", "pattern", "share", "first"]]
        for row, layer in enumerate(seen.layers):
            # A head that follows repetitions is described by their share.
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
        painter.setFont(theme.font("caption"))
        painter.setPen(QColor(theme.tokens.muted))
        for column in range(self.heads.columnCount()):
            place = QRect(head + column * edge, 0, edge, head)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(column))
        for row in range(self.heads.rowCount()):
            number = self.heads.name(row, Qt.Orientation.Vertical)
            painter.drawText(QRect(0, head + row * edge, head, edge), Qt.AlignmentFlag.AlignCenter, number)
            for column in range(self.heads.columnCount()):
                self._paint_one(painter, QRect(head + column * edge, head + row * edge, edge, edge), row, column)

    def _paint_one(self, painter: QPainter, rect: QRect, row: int, column: int) -> None:
        paint_thumbnail(painter, self._theme, rect, self.heads.image(row, column))

    def _edge(self) -> int:
        """Return the thumbnail size at which a layer's heads fill the width."""
        # Before the first text there are no columns to divide by.
        px, count = self._theme.px, max(1, self.heads.columnCount())
        return min(max(self.viewport().width() // count, px(THUMB_PX)), px(LARGEST_THUMB_PX))

    def _fit_columns(self) -> None:
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setDefaultSectionSize(self._edge())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _on_chosen(self, index: QModelIndex) -> None:
        self.choose(index.row(), index.column())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self._on_chosen(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        self.heads.forget_colours()
        self._fit_columns()
        self.verticalHeader().setFixedWidth(self._theme.px(34))
        self.viewport().update()


class ThumbnailDelegate(QStyledItemDelegate):
    """Paint thumbnails, with a frame around the selected and the hovered one."""

    def __init__(self, theme: Theme, heads: HeadsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._heads = theme, heads

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        paint_thumbnail(painter, self._theme, option.rect, self._heads.image(index.row(), index.column()))
        state = option.state
        # The keyboard's cell is framed too, so arrows can be followed before Enter opens a head.
        if state & (
            QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus
        ):
            paint_frame(painter, self._theme, option)
        painter.restore()


def largest_of(shares: Floats, most: int) -> Floats:
    """Shrink an array by taking the largest share of each part, since a mean would hide peaks."""
    import numpy as np

    if len(shares) <= most:
        return shares
    # Parts of nearly equal length that together cover every token.
    begins = np.linspace(0, len(shares), most, endpoint=False).astype(int)
    found: Floats = np.maximum.reduceat(np.maximum.reduceat(shares, begins, axis=0), begins, axis=1)
    return found


def paint_thumbnail(painter: QPainter, theme: Theme, rect: QRect, image: QImage) -> None:
    """Paint a thumbnail, smoothed if it has more cells than pixels."""
    gap = theme.px(3)
    inside = rect.adjusted(gap, gap, -gap, -gap)
    painter.fillRect(inside, QColor(theme.tokens.code))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > inside.width())
    painter.drawImage(inside, image)


ARCS, MAP, HEADS = "arcs", "map", "heads"
FIELD_PX = 96
NAMED = 2
"""Number of tokens named in descriptions; all of them are in the table."""


class AttentionView(LookPage):
    """Attention page: layer and head on top, and arcs, map or all heads below."""

    def __init__(self, ui: UiContext, lend: LendEngine) -> None:
        super().__init__(ui, lend)
        theme = ui.theme
        self.setAccessibleName(tr(ATTENTION))
        self.seen: AttentionMap | None = None
        self.layer, self.head, self.token = 0, MEAN, 0
        self._is_chosen = False
        """True once the user chose a head, which is then kept for other texts."""
        self._shown_as = ARCS
        self.cut = plain_label(kind="muted", wraps=True)
        self.layer_field = Stepper(
            theme, tr("Layer"), 0, lowest=0, highest=0, on_change=lambda value: self._on_layer(int(value))
        )
        self.head_field = Stepper(
            theme,
            tr("Head"),
            MEAN,
            lowest=MEAN,
            highest=0,
            word_for_lowest=tr(MEAN_LABEL),
            on_change=lambda value: self.choose_head(self.layer, int(value)),
        )
        self.sentence = plain_label(wraps=True)
        self.sentence.setObjectName("attention_sentence")
        ways = ((ARCS, tr("Arcs")), (MAP, tr("Map")), (HEADS, tr("All heads")))
        self.ways = SegmentedControl(theme, tr("Show as"), ways, ARCS, self.show_as)
        self.ways.setProperty("is_tight", True)
        self.cell = plain_label(kind="muted", wraps=True)
        self.arcs = TokenArcs(theme, choose=self.show_token)
        self.map = HeatMap(theme, tr(ATTENTION), self._cell_words)
        self.map.pointed.connect(lambda row, column: self.cell.setText(self._cell_words(row, column)))
        self.map.chosen.connect(lambda row, _column: self.show_token(row))
        self.heads = HeadTable(theme, choose=self._open_head)
        self.largest = plain_label(wraps=True)
        self.largest.setObjectName("attention_largest")
        self.kinds = plain_label(wraps=True)
        self.parts = {
            ARCS: PlotButtons(theme, ui.notify, self.arcs.plot),
            MAP: PlotButtons(theme, ui.notify, self.map.plot),
            HEADS: PlotButtons(theme, ui.notify, self.heads),
        }
        self.larger = IconButton(
            theme, "magnifying-glass-plus", tr("Larger cells"), size_px=18, on_click=lambda: self._zoom(1)
        )
        self.smaller = IconButton(
            theme, "magnifying-glass-minus", tr("Smaller cells"), size_px=18, on_click=lambda: self._zoom(-1)
        )
        self._lay_out()
        self.clear()

    def _lay_out(self) -> None:
        dress = self.theme.dress
        self.top, self.told = QWidget(), QWidget()
        top = fill_layout(FlowLayout(self.top), self.ways)
        for words, field in ((tr("Layer"), self.layer_field), (tr("Head"), self.head_field)):
            field.number.setPrefix(f"{words} ")
            field.make_compact(FIELD_PX)
            top.addWidget(field)
        row = fill_layout(drop_margins(QHBoxLayout(self.told)), (self.sentence, 1))
        for button in (self.smaller, self.larger, *self.parts.values()):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.drawings = QWidget()
        self._pages = {
            ARCS: self._page(LineScroll(self.arcs), self.largest),
            MAP: self._page(self.map, self.cell),
            HEADS: self._page(self.heads, self.kinds),
        }
        # No stack, which would be as high as the highest of its pages.
        fill_layout(drop_margins(QVBoxLayout(self.drawings)), *self._pages.values())
        fill_layout(self.body, self.cut, self.top, self.told, (self.drawings, 1))
        dress(top, spacing=8)
        dress(row, spacing=2)
        dress(self.sentence, font="small", margins=(0, 5, 0, 0))
        dress(self.cut, self.largest, self.cell, self.kinds, font="small")
        name_widgets(layer_field=self.layer_field, head_field=self.head_field, attention_cell=self.cell)

    def _page(self, drawing: QWidget, words: QLabel) -> QWidget:
        """Return a drawing, as high as it can be used, with its sentence below."""
        page = QWidget()
        fill_layout(self.theme.dress(drop_margins(QVBoxLayout(page)), spacing=6), (drawing, 1000), words, 1)
        return page

    def look_at(self, text: str) -> None:
        """Show the attention of a text, or of as much of its start as the limit allows."""
        self.clear()
        # A text of blanks alone has nothing to attend to.
        if text.strip():

            def work(engine: Engine, cancel: CancelToken) -> Iterator[AttentionMap]:
                yield read_attention_map(engine, text, cancel)

            self.begin(work, self._show, lambda: None)

    def clear(self) -> None:
        super().clear()
        self.seen = None
        self.map.clear()
        self.arcs.show_tokens(())
        self.heads.show_heads(None)
        for widget in (self.cut, self.top, self.told, self.drawings):
            widget.hide()

    def _show(self, event: object) -> None:
        assert isinstance(event, AttentionMap)
        self.seen = event
        heads = event.shares.shape[1]
        for field, ends in (
            (self.layer_field, (event.layers[0], event.layers[-1])),
            (self.head_field, (MEAN, heads - 1)),
        ):
            # A changed range may change the value, which would count as a choice of the user and hold for other texts.
            with QSignalBlocker(field):
                field.number.setRange(*ends)
        count = len(event.tokens)
        self.cut.setText("" if event.is_all else tr_count(FIRST_TOKEN_SHOWN, FIRST_TOKENS_SHOWN, count))
        self.cut.setHidden(event.is_all)
        for widget in (self.top, self.told, self.drawings):
            widget.show()
        self.token = count - 1  # the last token sees all others
        self.arcs.show_tokens(event.tokens)
        self.heads.show_heads(event)
        self.kinds.setText(" ".join(kinds_in_words(event.patterns)))
        if not self._is_chosen:
            self.layer, self.head = plainest_head(event.patterns)
        # Another model may have fewer layers and heads.
        self.show_head(min(self.layer, len(event.layers) - 1), min(self.head, heads - 1))
        self.show_as(self._shown_as)

    def choose_head(self, layer: int, head: int) -> None:
        """Show a head chosen by the user, which is then kept for further texts."""
        self._is_chosen = True
        self.show_head(layer, head)

    def _on_layer(self, number: int) -> None:
        """Show a layer, or the next one in that direction that has attention."""
        assert self.seen is not None
        # Hybrid models have layers without attention, which the field steps over.
        before, numbers = self.seen.layers[self.layer], self.seen.layers
        is_up = number > before
        found = [candidate for candidate in numbers if (candidate >= number if is_up else candidate <= number)]
        self.choose_head(numbers.index((min if is_up else max)(found, default=before)), self.head)

    def show_head(self, layer: int, head: int) -> None:
        """Show a layer, counted from 0 among those with attention, and one of its heads or `MEAN`."""
        self.layer, self.head = layer, head
        if self.seen is None:
            return
        import numpy as np

        for field, value in ((self.layer_field, self.seen.layers[layer]), (self.head_field, head)):
            # Otherwise the fields would report this as a choice of the user.
            field.show_value(value)
        shares = self.seen.shares_of(layer, head)
        words = " ".join(
            str(message_template) for message_template in sentences_of(self.seen.head_pattern(layer, head))
        )
        self.sentence.setText(words)
        names = tuple(map(word_of, self.seen.tokens))
        # As in the thumbnails: later tokens are empty, not zero.
        above = np.triu(np.ones(shares.shape, bool), 1)
        title = tr(ATTENTION_OF_LAYER, layer=self.seen.layers[layer])
        if head != MEAN:
            title = tr(ATTENTION_OF_HEAD, layer=self.seen.layers[layer], head=head)
        self.map.plot.title = title
        self.map.show_shares(np.where(above, np.float32(np.nan), shares), names, names, f"{title}. {words}")
        self.arcs.show_shares(shares, title)
        self.cell.setText(self._cell_words(*self.map.current))
        self.heads.mark(layer, head)
        announce(self, words)
        self.show_token(min(self.token, len(names) - 1))

    def show_token(self, token: int) -> None:
        """Show what a token attends to, as arcs and in words."""
        if self.seen is None:
            return
        self.token = token
        words = largest_in_words(self.seen.shares_of(self.layer, self.head)[token], self.seen.tokens, token)
        self.largest.setText(words)
        self.arcs.mark(token, words)

    def show_as(self, way: str) -> None:
        self._shown_as = way
        self.ways.show_value(way)
        for name, buttons in self.parts.items():
            buttons.setVisible(name == way)
            self._pages[name].setVisible(name == way)
        for button in (self.larger, self.smaller):
            button.setVisible(way == MAP)
        # A page loses the fonts that were set before it was added.
        self.theme.dress_again(self._pages[way])
        if way == ARCS:
            self.arcs.reveal()

    def _open_head(self, layer: int, head: int) -> None:
        self.choose_head(layer, head)
        self.show_as(MAP if self._shown_as == HEADS else self._shown_as)
        self.map.setFocus(Qt.FocusReason.OtherFocusReason)

    def _zoom(self, steps: int) -> None:
        self.map.zoom_by(steps)
        self.cell.setText(tr("Zoom: {percent} %", percent=round(100 * self.map.zoom)))

    def _cell_words(self, row: int, column: int) -> str:
        if self.seen is None:
            return ""
        looking, looked = word_of(self.seen.tokens[row]), word_of(self.seen.tokens[column])
        if column > row:
            return tr(CANNOT_SEE_LATER, looking=looking, looked=looked)
        share = percent(float(self.seen.shares_of(self.layer, self.head)[row, column]))
        if row == column:
            return tr("“{looking}” looks at itself: {percent} %", looking=looking, percent=share)
        return tr(LOOKS_AT_PERCENT, looking=looking, looked=looked, percent=share)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.ways.fit_width(self.width())


def largest_in_words(row: Floats, tokens: Sequence[TokenSeen], token: int) -> str:
    """Describe the tokens with the largest shares."""
    order = sorted(range(token + 1), key=lambda at: -float(row[at]))[:NAMED]  # later tokens have no share
    said = [
        tr("itself {percent} %", percent=percent(float(row[at])))
        if at == token
        else tr(WORD_PERCENT, word=word_of(tokens[at]), percent=percent(float(row[at])))
        for at in order
    ]
    return tr(LOOKS_AT, word=word_of(tokens[token]), others=join_list(said)) + "."


KIND_WORDS: dict[AttentionTarget, CountedTexts] = {
    AttentionTarget.FIRST: ("1 focuses on the first token", "{count} focus on the first token"),
    AttentionTarget.PREVIOUS: ("1 looks at the previous token", "{count} look at the previous token"),
    AttentionTarget.ITSELF: ("1 focuses on the token itself", "{count} focus on the token itself"),
    AttentionTarget.NEAR: ("1 looks at nearby tokens", "{count} look at nearby tokens"),
    AttentionTarget.FEW: ("1 looks at the same few tokens", "{count} look at the same few tokens"),
    AttentionTarget.EVEN: ("1 looks at everything evenly", "{count} look at everything evenly"),
    AttentionTarget.MIXED: ("1 shows no clear pattern", "{count} show no clear pattern"),
    AttentionTarget.SAME: ("1 finds the same word earlier on", "{count} find the same word earlier on"),
    AttentionTarget.AFTER_SAME: ("1 continues a repetition", "{count} continue a repetition"),
}
"""Words for one head of a kind, and for several."""


def kinds_in_words(patterns: Sequence[Sequence[HeadPattern]]) -> list[str]:
    """Count heads by kind, most frequent first, in words."""
    every = [pattern for layer in patterns for pattern in layer]
    counted = Counter(pattern.kind for pattern in every)
    if counted.keys() <= {AttentionTarget.SHORT}:
        short = "{count} heads; the text is too short for a pattern."
        return [tr_count("{count} head; the text is too short for a pattern.", short, len(every))]
    said = join_list(tr_count(*KIND_WORDS[kind], count) for kind, count in counted.most_common())
    return [tr_count("{count} head: {what}.", HEADS_SUMMARY, len(every), what=said)]
