"""Fades where something appears; none if the system or the user asks for less motion."""

from __future__ import annotations

import configparser
import sys
from functools import cache
from pathlib import Path

from PySide6.QtCore import QEasingCurve, QObject, QPoint, QStandardPaths, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QGraphicsOpacityEffect, QWidget
from shiboken6 import isValid

FADE_MS = 120
SLIDE_PX = 16
EFFECT = Qt.UIEffect.UI_General
"""Qt's own switch for motion, which holds for all widgets; a process starts without."""


def allow_motion(application: QApplication, *, is_reduced: bool) -> None:
    """Switch motion on unless the setting or the system reduces it."""
    is_system_reduced = system_reduces_motion()  # asked first, as Qt forgets the system's answer below
    application.setEffectEnabled(EFFECT, not is_reduced and not is_system_reduced)


def may_move() -> bool:
    return QApplication.isEffectEnabled(EFFECT)


def system_reduces_motion(config: Path | None = None) -> bool:
    """Return whether the desktop's animations are switched off, as far as its files tell.

    Read from Windows and macOS through Qt; of Linux desktops, from KDE's and GTK's settings in `config`.
    """
    if sys.platform in ("win32", "darwin"):
        return _qt_reduces_motion()
    folder = config or Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation))
    off = (
        ("kdeglobals", "KDE", "AnimationDurationFactor", ("0", "0.0")),
        ("gtk-4.0/settings.ini", "Settings", "gtk-enable-animations", ("0", "false")),
        ("gtk-3.0/settings.ini", "Settings", "gtk-enable-animations", ("0", "false")),
    )
    return any(_value_in(folder / file, section, key).lower() in values for file, section, key, values in off)


@cache
def _qt_reduces_motion() -> bool:
    return not may_move()


def _value_in(file: Path, section: str, key: str) -> str:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read(file, "utf-8")
    except (OSError, ValueError, configparser.Error):
        return ""
    return parser.get(section, key, fallback="")


class FadeIn(QObject):
    """Fades a floating widget in, whenever `start` is called, together with its shadow."""

    def __init__(self, floating: QWidget) -> None:
        super().__init__(floating)
        self._floating = floating
        self._shadow: QGraphicsOpacityEffect | None = None
        self._own: QGraphicsOpacityEffect | None = None
        self._run = QVariantAnimation(self, duration=FADE_MS, startValue=0.0, endValue=1.0)
        self._run.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._run.valueChanged.connect(self._on_value)
        self._run.finished.connect(self.stop)

    def start(self, shadow: QWidget) -> None:
        if not may_move():
            return
        self.stop()
        self._shadow = QGraphicsOpacityEffect(shadow)
        shadow.setGraphicsEffect(self._shadow)
        if not self._floating.isWindow():
            self._own = QGraphicsOpacityEffect(self._floating)
            self._floating.setGraphicsEffect(self._own)
        self._on_value(0.0)
        self._run.start()

    def stop(self) -> None:
        """Show the widget as it is."""
        self._run.stop()
        for effect in (self._shadow, self._own):
            # Deleted with its widget, or here: an effect costs a second drawing as long as it is there.
            if effect is not None and isValid(effect):
                widget = effect.parent()
                if isinstance(widget, QWidget):
                    widget.setGraphicsEffect(None)  # type: ignore[arg-type] # which deletes the effect
        self._shadow = self._own = None
        if self._floating.isWindow():
            self._floating.setWindowOpacity(1.0)

    def _on_value(self, share: float) -> None:
        if self._floating.isWindow():
            self._floating.setWindowOpacity(share)  # where there is no compositor it has no effect
        for effect in (self._shadow, self._own):
            if effect is not None and isValid(effect):
                effect.setOpacity(share)


class SlideIn(QWidget):
    """Picture of a pane that slides to its place over the pane, which isn't drawn meanwhile."""

    def __init__(self, pane: QWidget) -> None:
        super().__init__(pane)
        self.setObjectName("slide_in")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._picture: QPixmap = pane.grab()
        self._share = 0.0
        self._is_mirrored = pane.isRightToLeft()
        self.setGeometry(pane.rect())
        self._run = QVariantAnimation(self, duration=FADE_MS, startValue=0.0, endValue=1.0)
        self._run.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._run.valueChanged.connect(self._on_value)
        self._run.finished.connect(self.deleteLater)
        self.show()
        self.raise_()
        self._run.start()

    def _on_value(self, share: float) -> None:
        self._share = share
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.palette().color(QPalette.ColorRole.Window)))
        painter.setOpacity(self._share)
        away = round(SLIDE_PX * (1 - self._share)) * (-1 if self._is_mirrored else 1)
        painter.drawPixmap(QPoint(away, 0), self._picture)


def slide_in(pane: QWidget) -> None:
    """Slide a pane that was just opened to its place."""
    if may_move() and pane.isVisible():
        SlideIn(pane)
