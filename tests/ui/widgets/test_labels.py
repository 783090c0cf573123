"""Labels that shorten, buttons that have names and do not steal the keyboard, a dot in the colour of its state."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QHelpEvent, QTextDocument
from PySide6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from app.features.summarize.summaries import StoredSummary
from app.features.summarize.summary_result import SummaryOptions
from app.ui.theme import DARK, LIGHT, Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import ElidedLabel, StatusDot, plain_tip
from app.ui.work.job_column import WorkListModel

LONG = "/home/somebody/with/a/long/path/to/the/folder"


def test_it_can_be_narrower_than_its_text(qtbot: QtBot) -> None:
    label = ElidedLabel(LONG, Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() < label.sizeHint().width() / 2
    label.resize(label.sizeHint())
    whole = label.grab().toImage()
    label.resize(120, label.height())
    assert label.grab().toImage() != whole.copy(0, 0, 120, label.height())
    assert label.toolTip() == LONG
    assert label.property("elides") is True


# The name of a file and the title of a document are text in a tool tip, too.


HOSTILE = '<img src="file:///secret.png"><b>Lease</b>'


def shown(tip: str) -> str:
    """What is read in it: a tip is HTML to Qt where it begins like some."""
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


@pytest.mark.parametrize("text", [HOSTILE, "<b>a</b>.pdf\n2 pages have no text", "<i>  two  spaces"])
def test_what_looks_like_html_is_shown_as_it_is(text: str) -> None:
    assert shown(plain_tip(text)) == text


@pytest.mark.parametrize("text", ["", "lease.pdf", "a < b & c > d", "1 <2", "lease.pdf\n7 has no text"])
def test_any_other_text_is_not_touched(text: str) -> None:
    assert plain_tip(text) == text


def test_the_lists_and_the_labels_use_it(qtbot: QtBot) -> None:
    summaries = WorkListModel(lambda _work: "")
    summaries.show([StoredSummary(1, HOSTILE, "done", None, 0.0, 0.0, SummaryOptions(), (1,), 1, 1)])
    tip = summaries.index_of(1).data(Qt.ItemDataRole.ToolTipRole)
    assert shown(tip) == HOSTILE
    assert summaries.index_of(1).data(Qt.ItemDataRole.EditRole) == HOSTILE
    label = ElidedLabel(HOSTILE)
    qtbot.addWidget(label)
    assert shown(label.toolTip()) == HOSTILE


def test_a_text_button_is_named_and_reached_by_tab_only(qtbot: QtBot) -> None:
    button = text_button("Unfold the map", "quiet")
    qtbot.addWidget(button)
    assert button.accessibleName() == "Unfold the map"
    assert button.focusPolicy() == Qt.FocusPolicy.TabFocus
    assert button.property("kind") == "quiet"


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_button_that_is_shortened_keeps_its_name_and_tells_it(qtbot: QtBot, direction: Qt.LayoutDirection) -> None:
    button = text_button(LONG, "filter", elides=True)
    qtbot.addWidget(button)
    button.setLayoutDirection(direction)
    button.resize(button.sizeHint())
    whole = button.grab().toImage()
    assert shown_tip(button) == ""
    button.resize(120, button.height())
    assert button.grab().toImage() != whole.copy(0, 0, 120, button.height())
    assert button.minimumSizeHint().width() < 120
    assert (button.accessibleName(), button.property("elides")) == (LONG, True)
    assert shown_tip(button) == LONG
    QToolTip.hideText()


def shown_tip(button: QWidget) -> str:
    """What is said where the pointer rests on it."""
    QToolTip.hideText()
    where = button.rect().center()
    QApplication.sendEvent(button, QHelpEvent(QEvent.Type.ToolTip, where, button.mapToGlobal(where)))
    return QToolTip.text() if QToolTip.isVisible() else ""


def test_an_icon_button_is_tinted_again_when_the_theme_changes(qtbot: QtBot) -> None:
    theme = Theme("light")
    button = IconButton(theme, "copy", "Double")
    qtbot.addWidget(button)
    before, size = button.icon().pixmap(20).toImage(), button.iconSize()
    theme.scheme = "dark"
    assert button.icon().pixmap(20).toImage() != before
    theme.zoom = 2
    assert button.iconSize() == 2 * size
    assert (button.accessibleName(), button.toolTip()) == ("Double", "Double")


def test_the_dot_has_the_colour_of_its_state_in_every_scheme(qtbot: QtBot) -> None:
    theme = Theme("light")
    dot = StatusDot(theme)
    qtbot.addWidget(dot)
    dot.show_state("success")
    assert dot.grab().toImage().pixelColor(4, 4) == QColor(LIGHT.success)
    theme.scheme = "dark"
    assert dot.grab().toImage().pixelColor(4, 4) == QColor(DARK.success)
    dot.show_state("success", filled=False)
    assert dot.grab().toImage().pixelColor(4, 4) != QColor(DARK.success)
