"""The name of a file and the title of a document are text in a tool tip, too."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from app.features.summaries import StoredSummary
from app.features.summary.result import Wish
from app.ui.summarize.texts import SummaryListModel
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.plain_tip import plain_tip

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
    summaries = SummaryListModel()
    summaries.show([StoredSummary(1, HOSTILE, "done", Wish(), (1,), 1, 1, None, 0.0, 0.0)])
    tip = summaries.index_of(1).data(Qt.ItemDataRole.ToolTipRole)
    assert shown(tip) == HOSTILE
    assert summaries.index_of(1).data(Qt.ItemDataRole.EditRole) == HOSTILE
    label = ElidedLabel(HOSTILE)
    qtbot.addWidget(label)
    assert shown(label.toolTip()) == HOSTILE
