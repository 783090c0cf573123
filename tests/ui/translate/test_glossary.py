"""The glossary of a pair of languages: its table by keys and clicks, CSV in and out, what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.features.translate.translation_events import GlossaryTerm
from app.ui.shared_labels import SAVED_AS
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.glossary_panel import GLOSSARY_COUNT, GLOSSARY_HELP, TERM_REMOVED, GlossaryPanel
from app.ui.translate.glossary_table import KEPT, TERM_NOT_TRANSLATED
from tests.helpers.texts import shows

TERMS = (GlossaryTerm("lease", "Mietvertrag"), GlossaryTerm("Fireside", "Fireside"), GlossaryTerm("tenant", "Mieter"))

Make = Callable[..., GlossaryPanel]


@pytest.fixture
def make(qtbot: QtBot, qapp: QApplication) -> Iterator[Make]:
    bars: list[QWidget] = []

    def panel(terms: tuple[GlossaryTerm, ...] = TERMS) -> GlossaryPanel:
        theme = Theme("light")
        theme.install(qapp)
        notify = Notify(theme)
        bars.append(notify.bar)
        made = GlossaryPanel(theme, notify)
        qtbot.addWidget(made)
        made.show_terms(terms, ("English", "Deutsch"), ("en", "de"))
        made.resize(380, 500)
        made.show()
        qtbot.waitExposed(made)
        made.activateWindow()
        qtbot.waitUntil(made.isActiveWindow)
        return made

    yield panel
    assert tasks.running.stop_all(60)
    tasks.running.reopen()
    for bar in bars:
        bar.deleteLater()
    qapp.setStyleSheet("")


def press(qtbot: QtBot, *keys: Qt.Key) -> None:
    for key in keys:
        focus = QApplication.focusWidget()
        assert focus is not None
        qtbot.keyClick(focus, key)
        for _ in range(2):  # a cell's editor closes in a turn of its own, and the next one opens in another
            QApplication.processEvents()


def type_(qtbot: QtBot, text: str) -> None:
    focus = QApplication.focusWidget()
    assert focus is not None
    qtbot.keyClicks(focus, text)


def test_a_term_is_added_by_keys_from_the_source_on_to_the_target(make: Make, qtbot: QtBot) -> None:
    panel = make(())
    changes: list[tuple[GlossaryTerm, ...]] = []
    panel.changed.connect(lambda: changes.append(panel.terms.terms))
    assert shows(GLOSSARY_HELP, panel.words.text())
    panel.take_keyboard()
    assert panel.add_button.hasFocus()
    press(qtbot, Qt.Key.Key_Space)
    type_(qtbot, "interest")
    press(qtbot, Qt.Key.Key_Return)
    type_(qtbot, "Zinsen")
    press(qtbot, Qt.Key.Key_Return)
    assert changes[-1] == (GlossaryTerm("interest", "Zinsen"),)
    assert panel.title.text() == GLOSSARY_COUNT.format(count=1)
    assert panel.words.isHidden()


def test_enter_edits_a_cell_in_its_place(make: Make, qtbot: QtBot) -> None:
    panel = make()
    panel.take_keyboard()
    press(qtbot, Qt.Key.Key_Right, Qt.Key.Key_Return)
    field = QApplication.focusWidget()
    assert field is not None
    field.selectAll()  # type: ignore[attr-defined]
    type_(qtbot, "Pachtvertrag")
    press(qtbot, Qt.Key.Key_Return)
    assert panel.terms.terms[0] == GlossaryTerm("lease", "Pachtvertrag")


def test_a_tick_keeps_a_term_as_it_is_and_taken_away_asks_for_the_target(make: Make, qtbot: QtBot) -> None:
    panel = make()
    table = panel.table
    middle = table.visualRect(panel.terms.index(0, KEPT)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(middle.x(), middle.y()))
    assert panel.terms.terms[0] == GlossaryTerm("lease", "lease")
    table.setCurrentIndex(panel.terms.index(1, KEPT))
    table.setFocus()
    press(qtbot, Qt.Key.Key_Space)
    assert [one.source for one in panel.terms.terms] == ["lease", "tenant"], "without a target it is none"
    said = panel.terms.index(0, KEPT).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == TERM_NOT_TRANSLATED.format(term="lease")


def test_delete_takes_lines_out_and_undo_puts_them_back_in_their_place(make: Make, qtbot: QtBot) -> None:
    panel = make()
    panel.take_keyboard()
    press(qtbot, Qt.Key.Key_Down, Qt.Key.Key_Delete)
    assert panel.terms.terms == (TERMS[0], TERMS[2])
    notice = panel._notify.bar.notices[0]
    assert notice.text == TERM_REMOVED.format(term="Fireside")
    notice.buttons[0].click()
    assert panel.terms.terms == TERMS


def test_terms_come_out_of_a_file_and_go_into_one(make: Make, qtbot: QtBot, tmp_path: Path) -> None:
    panel = make()
    came = tmp_path / "terms.csv"
    came.write_text("source;target\ntenant;Mieterin\nkeys;Schlüssel\n", "utf-8")
    dialog = panel.files.ask_to_import()
    dialog.filesSelected.emit([str(came)])
    dialog.close()
    qtbot.waitUntil(lambda: GlossaryTerm("keys", "Schlüssel") in panel.terms.terms)
    assert GlossaryTerm("tenant", "Mieterin") in panel.terms.terms
    assert len(panel.terms.terms) == 4
    assert panel._notify.bar.notices[-1].text == "2 terms imported. 1 already existed."
    gone = tmp_path / "out.csv"
    save = panel.files.ask_to_export(panel.terms.terms, "en-de")
    assert save.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    save.filesSelected.emit([str(gone)])
    save.close()
    qtbot.waitUntil(lambda: any(shows(SAVED_AS, one.text) for one in panel._notify.bar.notices))
    assert "lease,Mietvertrag" in gone.read_text("utf-8-sig")


@pytest.mark.parametrize("content", [b"a\0b\0\0", None])
def test_a_file_that_is_no_table_is_told_in_words(make: Make, qtbot: QtBot, tmp_path: Path, content: bytes) -> None:
    panel = make()
    path = tmp_path / "terms.csv"
    if content is not None:
        path.write_bytes(content)
    panel.files.read(path)
    qtbot.waitUntil(lambda: bool(panel._notify.bar.notices))
    assert "terms.csv" in panel._notify.bar.notices[0].text
    assert panel.terms.terms == TERMS


def test_esc_closes_the_panel_but_first_the_cell(make: Make, qtbot: QtBot) -> None:
    panel = make()
    closed: list[bool] = []
    panel.closed.connect(lambda: closed.append(True))
    panel.take_keyboard()
    press(qtbot, Qt.Key.Key_Return, Qt.Key.Key_Escape)
    assert closed == []
    press(qtbot, Qt.Key.Key_Escape)
    assert closed == [True]


def test_what_the_document_keeps_the_same_becomes_terms_that_can_be_changed(make: Make, qtbot: QtBot) -> None:
    panel = make()
    assert not panel.take_button.isVisible()
    panel.show_found((GlossaryTerm("Annex", "Anlage"), GlossaryTerm("Lease", "Pacht"), GlossaryTerm("Rome", "Rom")))
    changes: list[tuple[GlossaryTerm, ...]] = []
    panel.changed.connect(lambda: changes.append(panel.terms.terms))
    qtbot.mouseClick(panel.take_button, Qt.MouseButton.LeftButton)
    assert changes == [(*TERMS, GlossaryTerm("Annex", "Anlage"), GlossaryTerm("Rome", "Rom"))], (
        "what the person said stays"
    )
    assert not panel.take_button.isVisible()
    assert panel.table.currentIndex().row() == len(TERMS)
    assert panel.table.hasFocus()
