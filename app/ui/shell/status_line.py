"""Status line: the model's device, the context gauge, waiting messages, and the network switch."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QWidget

from app.core.events import ModelElsewhere, ModelLoaded
from app.core.visible import visible_name
from app.features.models.model_messages import short_count
from app.ui.focus_ring import has_ring
from app.ui.i18n import join_sentences, tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.screen_reader import read_as
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ElidedLabel, plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout

NETWORK_OFF = "Network off"
SERVER_IS_ON = "Other programs can use this model"
PROGRAM_USES_MODEL = "{program} is using the model"
NETWORK_ON = "Network on"
CPU_ONE_THREAD = "CPU, 1 thread"
CPU_THREADS = "CPU, {count} threads"
GPU_LAYERS = "GPU: {name}, {some}/{all} layers"
LAYERS_ON_OTHER_COMPUTERS = "Also on {computers}: {some}/{all} layers"
OPEN_TO_PROGRAMS = "Open to programs"

INSET_PX = 8
BAR_PX = 64
DEVICE_PX = 80
"""Least room for the device's name; with less it is hidden."""
PROGRAMS_PX = 720
"""Line width below which programs that use the model are named in short."""
MOST_NAME = 24


def device_text(model: ModelLoaded) -> str:
    """Return the text about where a model runs, from how it was actually loaded."""
    if isinstance(model, ModelElsewhere):
        return tr("Runs on {host}", host=model.host)
    if model.computers:
        where = join_list(model.computers)
        return tr(LAYERS_ON_OTHER_COMPUTERS, computers=where, some=model.gpu_layers, all=model.layers)
    if model.gpu_layers > 0:
        return tr(GPU_LAYERS, name=model.device, some=model.gpu_layers, all=model.layers)
    return tr_count(CPU_ONE_THREAD, CPU_THREADS, model.threads)


LEAST_SHARE = 0.01
"""Share of the context below which the gauge is hidden; an empty chat's instructions take a few tokens."""


class ContextGauge(QAbstractButton):
    """Gauge of the context, as text and a bar; opens the breakdown.

    Hidden until a model reports its context size, and while the chat uses next to nothing of it.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("context_gauge")
        read_as(self, has_menu=True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._theme, self._used, self._size, self._is_wanted = theme, 0, 0, True
        self._has_room = self._has_bar = self._is_exact = True
        theme.changed.connect(self._on_change)
        self._on_change()

    def show_used(self, used_tokens: int) -> None:
        if used_tokens != self._used:
            self._used = used_tokens
            self._on_change()

    def show_size(self, context_tokens: int, *, is_exact: bool = True) -> None:
        """Set the model's context size in tokens, 0 without a model. `is_exact` is False if the chat's tokens are
        estimated.
        """
        self._size, self._is_exact = context_tokens, is_exact
        self._on_change()

    def show_wanted(self, *, wanted: bool) -> None:
        """Set whether the open tab uses a context at all."""
        self._is_wanted = wanted
        self._on_change()

    def fit_room(self, room: int, beside: int) -> bool:
        """Hide the bar, then the gauge, if the room is too small; `beside` is the width of its neighbours. Return
        whether it is visible.
        """
        has_room, has_bar = self._width() <= room, self._width(has_bar=True) + beside <= room
        if (has_room, has_bar) != (self._has_room, self._has_bar):
            self._has_room, self._has_bar = has_room, has_bar
            self._on_change()
        return not self.isHidden()

    def sizeHint(self) -> QSize:
        return QSize(self._width(has_bar=self._has_bar), self._theme.px(22))

    def _width(self, *, has_bar: bool = False) -> int:
        # The style sheet sets the font only when the widget is polished; before, the width would be too small.
        self.ensurePolished()
        words = self.fontMetrics().horizontalAdvance(self.accessibleName()) + 2
        return words + self._theme.px((BAR_PX + 8 if has_bar else 0) + 2 * INSET_PX)

    def _on_change(self) -> None:
        words = "Context {used} of {size}" if self._is_exact or not self._used else "Context about {used} of {size}"
        text = tr(words, used=short_count(self._used), size=short_count(self._size))
        self.setAccessibleName(text)
        self.setProperty("painted_text", text)
        self.setToolTip(tr("How much of the model’s context this chat uses, in tokens"))
        self.setAccessibleDescription(tr("Show what the model sees"))
        is_something = self._size > 0 and self._used >= LEAST_SHARE * self._size
        self.setVisible(is_something and self._is_wanted and self._has_room)
        # The width depends on the font of this zoom.
        self.setFont(self._theme.font("small"))
        self.setFixedWidth(self.sizeHint().width())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = smooth_painter(self)
        self._paint_ground(painter)
        painter.setPen(QColor(tokens.text if self.underMouse() or self.hasFocus() else tokens.muted))
        painter.setFont(self.font())
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        painter.drawText(
            self.rect().adjusted(px(INSET_PX), 0, -px(INSET_PX), 0),
            side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter,
            self.accessibleName(),
        )
        if self._has_bar:
            self._paint_bar(painter, mirrored=mirrored)

    def _paint_bar(self, painter: QPainter, *, mirrored: bool) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        left = px(INSET_PX) if mirrored else self.width() - px(BAR_PX) - px(INSET_PX)
        track = QRectF(left, (self.height() - px(4)) / 2, px(BAR_PX), px(4))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.line))
        painter.drawRoundedRect(track, px(2), px(2))
        share = min(1.0, self._used / self._size) if self._size else 0.0
        filled = QRectF(track)
        filled.setWidth(max(px(4), track.width() * share) if self._used else 0)
        if mirrored:
            filled.moveRight(track.right())
        painter.setBrush(QColor(tokens.warning if share >= 0.9 else tokens.muted))
        painter.drawRoundedRect(filled, px(2), px(2))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Buttons of this base class are pressed by Space alone.
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def _paint_ground(self, painter: QPainter) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        ground = self.rect().toRectF().adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(tokens.focus), 2) if has_ring(self) else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.bubble) if self.underMouse() or self.isDown() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(ground, px(6), px(6))

    # A style sheet repaints its own widgets when hovered, but not what is painted by hand.
    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.update()
        super().leaveEvent(event)


class StatusLine(QWidget):
    """Line at the bottom of the window's content."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("status_line")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self.device = ElidedLabel()
        self.device.setObjectName("device")
        self.gauge = ContextGauge(theme)
        self.work = ElidedLabel()
        self.work.setObjectName("work")
        self.waiting = plain_label()
        self.waiting.setObjectName("waiting")
        for label in (self.device, self.work, self.waiting):
            label.setProperty("kind", "muted")
        self._is_elsewhere = False
        self.network = text_button("", "quiet", name="network_switch")
        self._programs_texts = ("", "")
        self.programs = text_button("", "quiet", name="programs_mark")
        self.programs.setMinimumWidth(1)  # otherwise the longer text would limit how narrow the window can get
        self._row = theme.dress(QHBoxLayout(self), margins=(18, 0, 18 - INSET_PX, 0), spacing=24 - INSET_PX)
        fill_layout(self._row, self.device, self.gauge, self.work, 1, self.waiting, self.programs, self.network)
        theme.dress(self, height=30)
        theme.dress(self.device, self.work, self.waiting, self.programs, self.network, font="small")
        self.show_network(is_on=True)
        self.show_work("")
        self.show_waiting("")
        self.show_programs(is_open=False)

    def show_programs(self, *, is_open: bool, users: Sequence[str] = ()) -> None:
        """Show whether other programs may use the model, and which ones are being answered."""
        if users:
            name = visible_name(users[0])
            name = name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 1]}…"
            text = tr(PROGRAM_USES_MODEL, program=name)
            if len(users) > 1:
                text = tr("{program} and {count} more are using the model", program=name, count=len(users) - 1)
            self._programs_texts = (text, tr("Used by a program"))
        else:
            text = tr(SERVER_IS_ON)
            self._programs_texts = (text, tr(OPEN_TO_PROGRAMS))
        self.programs.setAccessibleName(text)
        self.programs.setToolTip(
            plain_tip(tr("{state}. Click to see which programs asked or to turn it off.", state=text))
        )
        self.programs.setVisible(is_open)
        self._fit_parts()

    def show_network(self, *, is_on: bool, has_internet: bool = True) -> None:
        """Show whether network access is on, and whether it includes the internet."""
        text = (tr(NETWORK_ON) if has_internet else tr("Own network only")) if is_on else tr(NETWORK_OFF)
        self.network.setText(text)
        self.network.setAccessibleName(text)
        what = tr("You can search for and download models.") if is_on else tr("No connections are made.")
        if is_on and not has_internet:
            what = tr("Only servers in your own network can be reached.")
        how = tr("Click to turn the network off.") if is_on else tr("Click to turn the network on.")
        told = join_sentences([what, how])
        self.network.setToolTip(told)
        self.network.setAccessibleDescription(told)

    def show_model(self, model: ModelLoaded | None) -> None:
        """Show the model's device and context size."""
        self.device.setText(device_text(model) if model else "")
        self._is_elsewhere = isinstance(model, ModelElsewhere)
        is_exact = not isinstance(model, ModelElsewhere) or model.counts_exactly
        self.gauge.show_size(model.context_tokens if model else 0, is_exact=is_exact)
        self._fit_parts()

    def show_waiting(self, text: str) -> None:
        """Show a text about queued messages; "" hides it."""
        self.waiting.setText(text)
        self.waiting.setVisible(bool(text))

    def show_work(self, text: str) -> None:
        """Show the work or pause of another tab; "" hides it."""
        self.work.setText(text)
        self.work.setVisible(bool(text))

    def _fit_parts(self) -> None:
        """Hide parts that do not fit: the gauge's bar first, then the device, then the gauge.

        For a remote model the server stays and the gauge is hidden first.
        """
        margins, gap = self._row.contentsMargins(), self._row.spacing()
        # Shortened before anything else has to go.
        long, short = self._programs_texts
        text = long if self.width() >= self._theme.px(PROGRAMS_PX) else short
        if self.programs.text() != text:
            self.programs.setText(text)
        ends = [label for label in (self.waiting, self.programs, self.network) if label.text()]
        ends = [label for label in ends if not label.isHidden()]
        room = self.width() - margins.left() - margins.right() - gap
        room -= sum(label.sizeHint().width() + gap for label in ends)
        device = self.device.sizeHint().width() + gap if self.device.text() else 0
        least = min(device, self._theme.px(DEVICE_PX) + gap)
        if self.gauge.fit_room(room - gap - (device if self._is_elsewhere else 0), 0 if self._is_elsewhere else device):
            room -= self.gauge.sizeHint().width() + gap
        self.device.setVisible(0 < least <= room or (self._is_elsewhere and device > 0))

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._fit_parts()
        return super().event(event)
