"""Goes round a window by Tab, with real keys, and finds what the keyboard never comes to or never leaves."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app.ui.chat.turn import TurnView

MOST_STOPS, MOST_LINKS = 200, 40
STAYS = {"palette_field"}
"""Object names of the only stop of a part that arrows lead through, and Escape leaves."""


def way_faults(window: QWidget) -> list[str]:
    """Press Tab from where the keyboard is until it is there again; return what is wrong on the way.

    What keeps Tab for itself, as the list of a field or an editor does, gives it back with Escape.
    """
    faults, at = _round_faults(window), QApplication.focusWidget()
    if not faults or at is None:
        return faults
    QTest.keyClick(at, Qt.Key.Key_Escape)
    return _round_faults(window) if window.isVisible() else faults


def _round_faults(window: QWidget) -> list[str]:
    way: list[QWidget] = []
    wanted = [part for part in window.findChildren(QWidget) if _is_wanted(part, window)]
    at = QApplication.focusWidget()
    if (at is None or at.window() is not window) and wanted:
        wanted[0].setFocus(Qt.FocusReason.TabFocusReason)
        at = wanted[0]
    while at is not None and at not in way and len(way) < MOST_STOPS:
        way.append(at)
        at = _step_on(at)
    wanted = [part for part in window.findChildren(QWidget) if _is_wanted(part, window)]  # some came on the way
    if at is not None and at.objectName() in STAYS:
        return []
    if len(wanted) > 1 and at is not None and way and at is way[-1]:
        return [f"{_named(at)}: Tab stays here"]
    return [f"{_named(part)}: Tab doesn't come here" for part in wanted if not _is_met(part, way)]


def _step_on(at: QWidget) -> QWidget | None:
    """Press Tab until the keyboard has left a widget, in which it may go from link to link before."""
    for _ in range(MOST_LINKS):
        QTest.keyClick(at, Qt.Key.Key_Tab)
        if QApplication.focusWidget() is not at:
            break
    return QApplication.focusWidget()


def _is_wanted(part: QWidget, window: QWidget) -> bool:
    takes_tab = bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus) and part.focusProxy() is None
    return takes_tab and part.isEnabled() and part.isVisible() and part.window() is window


def _is_met(part: QWidget, way: list[QWidget]) -> bool:
    """Return whether the keyboard came to it, or to another of its group, from where arrows lead on.

    Tab enters a chat at its last question, from where Ctrl+Up and Shift+Tab lead to the turns before.
    """
    if any(isinstance(around, TurnView) for around in _parents(part)):
        return part in way or not any(isinstance(stop, TurnView) and stop.is_last for stop in _parents(part))
    if not isinstance(part, QAbstractButton) or not (part.group() or part.autoExclusive()):
        return part in way
    group, around = part.group(), part.parentWidget()
    others = group.buttons() if group is not None else around.findChildren(type(part)) if around is not None else []
    return any(stop in others for stop in way)


def _parents(part: QWidget | None) -> Iterator[QWidget]:
    while part is not None:
        yield part
        part = part.parentWidget()


def _named(part: QWidget) -> str:
    return f"{type(part).__name__}#{part.objectName()} {part.accessibleName()[:40]!r}"
