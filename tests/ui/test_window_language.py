"""The window's language: its choice, Qt's own texts, direction, and the change while it is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.core.catalogue import tr_count
from app.core.installed_languages import ENGLISH, OWN_NAMES, load_texts
from app.ui.i18n import tr
from app.ui.locale_formats import format_number, join_facts
from app.ui.pseudo_language import LONGER, pseudo_text
from app.ui.shared_labels import COPY
from app.ui.shown_texts import MOST_KEPT, MOST_OF_TEMPLATE, rewrite_text
from app.ui.text.code_view import CodeBlock
from app.ui.text.pieces import Code
from app.ui.theme import Theme
from app.ui.widgets.row_list import GroupedListModel, RowList
from app.ui.window_language import (
    MIRRORED,
    PSEUDO,
    PSEUDO_VARIABLE,
    language_of,
    offered_languages,
    use_language,
)

SEARCH, LATER, COUNTED = "Look for it", "Do it later", "{count:,} things"
RETRY_OF_QT = ("QPlatformTheme", "Retry")


@pytest.fixture(autouse=True)
def english(qapp: QApplication) -> Iterator[None]:
    default = QLocale()
    yield
    use_language(qapp, ENGLISH)
    QLocale.setDefault(default)


def test_only_languages_with_texts_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PSEUDO_VARIABLE, raising=False)
    offered = offered_languages()
    assert offered[ENGLISH] == OWN_NAMES[ENGLISH]
    assert all(load_texts(code).entries for code in offered if code != ENGLISH)
    assert PSEUDO not in offered
    monkeypatch.setenv(PSEUDO_VARIABLE, "1")
    assert PSEUDO in offered_languages()


def test_a_language_without_texts_is_english() -> None:
    assert language_of("xx") == ENGLISH
    assert language_of(PSEUDO) == PSEUDO


def test_the_pseudo_language_is_longer_and_keeps_fields() -> None:
    text = "Delete {count} chats and {name}"
    found = pseudo_text(text)
    assert found.startswith("[") and found.endswith("]")
    assert "{count}" in found and "{name}" in found
    assert len(found) >= round((1 + LONGER) * len(text)) - 2


def test_the_pseudo_language_has_a_form_for_one_and_one_for_others(qapp: QApplication) -> None:
    use_language(qapp, PSEUDO)
    said = [tr_count("one thing", "{count} things", count) for count in (1, 2, 1240)]
    assert said == [pseudo_text("one thing"), *(pseudo_text("{count} things").format(count=n) for n in ("2", "1,240"))]


def test_texts_that_are_shown_change_with_the_language(qapp: QApplication, qtbot: QtBot) -> None:
    label, button, field = QLabel(tr(LATER)), QPushButton(tr(COUNTED, count=1240)), QLineEdit()
    for widget in (label, button, field):
        qtbot.addWidget(widget)
    field.setPlaceholderText(tr(SEARCH))
    field.setText(LATER)
    assert not join_facts([])  # as every empty label shows
    assert join_facts([tr(LATER)]) == tr("{words}", words=LATER) == LATER
    button.setToolTip(join_facts([tr(SEARCH), "report.pdf"]))
    use_language(qapp, PSEUDO)
    assert label.text() == pseudo_text(LATER)
    assert button.text() == pseudo_text(COUNTED).replace("{count:,}", "1,240")
    assert (field.placeholderText(), field.text()) == (pseudo_text(SEARCH), LATER)
    assert button.toolTip() == f"{pseudo_text(SEARCH)} · report.pdf"
    use_language(qapp, ENGLISH)
    assert (label.text(), button.text(), button.toolTip()) == (
        LATER,
        COUNTED.replace("{count:,}", "1,240"),
        f"{SEARCH} · report.pdf",
    )


def test_the_layout_is_mirrored_for_languages_from_right_to_left(qapp: QApplication) -> None:
    use_language(qapp, MIRRORED)
    assert qapp.layoutDirection() is Qt.LayoutDirection.RightToLeft
    use_language(qapp, ENGLISH)
    assert qapp.layoutDirection() is Qt.LayoutDirection.LeftToRight


def test_texts_of_qt_come_in_the_language(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.installed_languages.has_texts", lambda _language: True)
    use_language(qapp, "de")
    assert QCoreApplication.translate(*RETRY_OF_QT) == "Wiederholen"
    assert format_number(1240) == "1.240"
    use_language(qapp, ENGLISH)
    assert QCoreApplication.translate(*RETRY_OF_QT) == RETRY_OF_QT[1]


def test_texts_of_a_progress_push_out_none_but_their_own(qapp: QApplication, qtbot: QtBot) -> None:
    label = QLabel(tr(COUNTED, count=3))
    qtbot.addWidget(label)
    kept = tr("{done} of many", done="0")
    for number in range(MOST_KEPT + MOST_OF_TEMPLATE):
        kept = tr("{done} of many", done=str(number))
    last, first = kept, "0 of many"
    use_language(qapp, PSEUDO)
    assert label.text() == pseudo_text(COUNTED).replace("{count:,}", "3")
    assert rewrite_text(last) != last
    assert rewrite_text(first) == first, "long gone"


def test_a_code_block_writes_its_buttons_anew_with_room_for_them(qapp: QApplication, qtbot: QtBot) -> None:
    view = CodeBlock(Theme("light"))
    qtbot.addWidget(view)
    view.resize(600, 120)
    view.set_code(Code("print(1)", "python"))
    view.show()
    use_language(qapp, PSEUDO)
    assert view._copy.text() == pseudo_text(COPY)
    assert view._copy.width() >= view._copy.sizeHint().width()


def test_headings_of_a_list_change_and_its_rows_stay(qapp: QApplication, qtbot: QtBot) -> None:
    class Entry(SimpleNamespace):
        id, title = 1, "Older"

    class Entries(GroupedListModel[Any]):
        groups = ("Today", "Older")

        def group_of(self, row: Any, now: datetime) -> str:
            return "Older"

    model = Entries()
    entries = RowList(Theme("light"), model, "Entries")
    qtbot.addWidget(entries)
    model.show([Entry()])
    entries.mark(model.index_of(1))
    use_language(qapp, PSEUDO)
    assert [model.index(place).data() for place in range(model.rowCount())] == [pseudo_text("Older"), "Older"]
    assert entries.currentIndex().data() == "Older"
