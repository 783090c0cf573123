"""The chips of pages and documents are buttons with names, for the mouse, the keyboard and screen readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.store.document_store import StoredDocument
from app.ui.document.document_chip import READING_PERCENT, DocumentChip, PageChip
from app.ui.document.document_details import size_words
from app.ui.document.document_dialogs import PagesDialog
from app.ui.shared_labels import READING_FILE
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts

PAPER = "attention-is-all-you-need.pdf"


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme("dark")
    theme.install(qapp)
    yield theme
    qapp.setStyleSheet("")


def chip_of(qtbot: QtBot, theme: Theme) -> DocumentChip:
    chip = DocumentChip(theme)
    qtbot.addWidget(chip)
    chip.show_name(PAPER)
    chip.show_words("15 pages · 9.8k tokens")
    chip.show()
    chip.resize(chip.sizeHint())
    return chip


def test_a_page_chip_is_compact_and_in_its_colours(qtbot: QtBot, theme: Theme) -> None:
    chip = PageChip(theme, "p. 4", f"Open page 4 of {PAPER}")
    qtbot.addWidget(chip)
    chip.resize(chip.sizeHint())
    assert chip.height() <= 24
    image = chip.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert theme.tokens.chip.lower() in colours
    assert image.pixelColor(4, image.height() // 2) == QColor(theme.tokens.chip)
    heard = QAccessible.queryAccessibleInterface(chip)
    assert heard.role() == QAccessible.Role.Button
    assert heard.text(QAccessible.Text.Name) == f"Open page 4 of {PAPER}"
    assert clipped_texts(chip) == []


def test_a_page_chip_is_pressed_by_mouse_and_keyboard(qtbot: QtBot, theme: Theme) -> None:
    chip = PageChip(theme, "p. 4", "Open page 4")
    qtbot.addWidget(chip)
    chip.show()
    pressed: list[bool] = []
    chip.clicked.connect(lambda: pressed.append(True))
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    chip.setFocus()
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert len(pressed) == 2
    assert chip.focusPolicy() == Qt.FocusPolicy.TabFocus


def test_a_document_chip_says_what_it_is(qtbot: QtBot, theme: Theme) -> None:
    chip = chip_of(qtbot, theme)
    heard = QAccessible.queryAccessibleInterface(chip)
    assert heard.role() == QAccessible.Role.Button
    assert heard.text(QAccessible.Text.Name) == f"Document {PAPER}"
    assert heard.text(QAccessible.Text.Description) == "15 pages · 9.8k tokens"
    assert clipped_texts(chip) == []
    chip.show_error("It needs a password")
    assert heard.text(QAccessible.Text.Description) == "It needs a password"
    chip.show_progress(6, 15)
    assert heard.text(QAccessible.Text.Description) == READING_PERCENT.format(percent=40)
    chip.show_progress(3, 0)
    assert heard.text(QAccessible.Text.Description) == READING_FILE


def test_a_document_chip_is_pressed_anywhere_and_by_keyboard(qtbot: QtBot, theme: Theme) -> None:
    chip = chip_of(qtbot, theme)
    pressed: list[bool] = []
    chip.clicked.connect(lambda: pressed.append(True))
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton, pos=QPoint(chip.width() - 20, 15))
    chip.setFocus()
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
        qtbot.keyClick(chip, key)
    assert len(pressed) == 4


def test_only_a_removable_chip_is_removed(qtbot: QtBot, theme: Theme) -> None:
    chip = chip_of(qtbot, theme)
    removed: list[bool] = []
    pressed: list[bool] = []
    chip.remove_wanted.connect(lambda: removed.append(True))
    chip.clicked.connect(lambda: pressed.append(True))
    chip.setFocus()
    qtbot.keyClick(chip, Qt.Key.Key_Delete)
    assert not chip.remove.isVisible()
    assert removed == []
    narrow = chip.sizeHint().width()
    chip.set_removable(True)
    chip.resize(chip.sizeHint())
    assert chip.width() > narrow
    assert chip.remove.accessibleName() == f"Remove {PAPER}"
    qtbot.mouseClick(chip.remove, Qt.MouseButton.LeftButton)
    qtbot.keyClick(chip, Qt.Key.Key_Delete)
    assert len(removed) == 2
    assert pressed == []


def test_the_progress_fills_from_where_reading_begins(qtbot: QtBot, theme: Theme) -> None:
    chip = chip_of(qtbot, theme)
    muted = QColor(theme.tokens.muted)

    def filled() -> list[int]:
        image = chip.grab().toImage()
        return [x for x in range(image.width()) if image.pixelColor(x, image.height() - 3) == muted]

    assert filled() == []
    chip.show_progress(1, 2)
    assert max(filled()) == pytest.approx(chip.width() / 2, abs=2)
    chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    assert min(filled()) == pytest.approx(chip.width() / 2, abs=2)
    chip.show_words("15 pages")
    assert filled() == []


# A part is chosen by numbers of pages, and by the names of what is in an archive.


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


def opened(window: QWidget, names: Sequence[str] = ()) -> PagesDialog:
    unit = "file" if names else "page"
    dialog = PagesDialog(Theme("light", 1.0), "papers.zip", unit, 3, names=names, parent=window)
    dialog.open()
    return dialog


def test_the_documents_of_an_archive_are_chosen_by_their_names(qtbot: QtBot, window: QWidget) -> None:
    dialog = opened(window, ["letter.docx", "<b>old\u202e</b>/table.csv", f"{'very ' * 40}long.pdf"])
    first, last = dialog.named
    assert first.text() == "letter.docx"
    assert last.text().endswith("very long.pdf")
    qtbot.keyClick(dialog.first.number, Qt.Key.Key_Up)
    assert first.text() == "<b>old\\u202e</b>/table.csv"
    assert "table.csv" in dialog.first.number.accessibleDescription()
    chosen: list[tuple[int, int]] = []
    dialog.chosen.connect(lambda *part: chosen.append(part))
    qtbot.mouseClick(dialog.read_button, Qt.MouseButton.LeftButton)
    assert chosen == [(2, 3)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "2 minutes"), (0.3, "1 second"), (10.2, "10 seconds"), (59.6, "1:00"), (90.0, "1:30"), (3723.0, "1:02:03")],
)
def test_a_recording_is_as_long_as_it_is_and_one_of_which_only_the_minutes_are_known_has_these(
    seconds: float, words: str
) -> None:
    info = {"seconds": seconds} if seconds else {}
    talk = StoredDocument(1, "talk.wav", Path("/talk.wav"), 1, 1, "ab", "sound", "minute", 2, info, 0.0)
    assert size_words(talk) == words
