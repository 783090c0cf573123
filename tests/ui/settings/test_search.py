"""The search of the settings: every row is declared once, found by people's words, and led to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.ui.settings.settings_pages import SettingsPage
from app.ui.shell.settings_index import PAGES, label_of
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame

ONLY_WHERE_OF_USE = {
    "search_address",
    "gpu_layers",
    "experts_on_cpu",
    "projector_on_cpu",
    "shortcut",
    "lock_after",
    "lock_now",
}
"""Rows that are hidden where the computer has no graphics card, a switch above them is off, or no lock is set."""


@pytest.fixture
def dialog(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame)
    yield opened
    opened.close()


def test_every_row_is_declared_and_every_declared_row_is_there(dialog: SettingsDesk) -> None:
    for number, spec in enumerate(PAGES):
        dialog.show_page(number)
        page = dialog.root.pages.currentWidget()
        assert isinstance(page, SettingsPage)
        rows = {key for part in (page, *page.sections) for key in part.setting_rows}
        assert rows == {setting.key for setting in spec.settings}, spec.name
        hidden = {setting.key for setting in spec.settings if page.row_of(setting.key) is None}
        assert hidden <= ONLY_WHERE_OF_USE, spec.name


def test_typing_lists_rows_and_return_leads_to_the_very_row(dialog: SettingsDesk) -> None:
    root = dialog.root
    QTest.keyClicks(root.search.field, "creativ")
    assert root.search.titles[0] == label_of("temperature")
    assert root.search.list.isVisible()
    QTest.keyClick(root.search.field, Qt.Key.Key_Return)
    page = root.pages.currentWidget()
    assert isinstance(page, SettingsPage)
    dialog.wait(lambda: page.marked_row is not None)
    row = page.row_of("temperature")
    assert (page.marked_row, root.search.field.text()) == (row, "")
    assert row is not None
    focus = QApplication.focusWidget()
    assert focus is not None
    assert row.isAncestorOf(focus)
    assert not row.visibleRegion().isEmpty()
