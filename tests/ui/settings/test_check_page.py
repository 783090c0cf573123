"""The page that checks this computer: a sentence for each check, a button for what can be mended, the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QLabel

from app.features.computer_check import CHECK_NAMES, MODELS, NO_PROBLEM, CheckFinding, CheckResult
from app.features.error_messages import message_of_words
from app.ui.settings import check_page
from app.ui.settings.check_page import ComputerCheckPage
from app.ui.settings.dialog import SettingsDialog
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame


@pytest.fixture
def desk(frame: Frame) -> Iterator[SettingsDesk]:
    desk = SettingsDesk(frame, "check")
    yield desk
    desk.close()


def page_of(desk: SettingsDesk) -> ComputerCheckPage:
    """The page, when all checks have ended."""
    page = desk.find_step(ComputerCheckPage)
    desk.wait(page.again.isEnabled)
    return page


def test_a_computer_without_problems_shows_no_button(desk: SettingsDesk) -> None:
    page = page_of(desk)
    assert {words.text() for words, _ in page.rows.values()} == {NO_PROBLEM}
    assert not any(button.isVisible() for _, button in page.rows.values())
    assert {label.text() for label in page.findChildren(QLabel)} >= set(map(str, CHECK_NAMES.values()))
    assert clipped_texts(desk.root) == []


@pytest.mark.parametrize("action", sorted(check_page.ACTION_NAMES))
def test_every_action_of_a_finding_does_something(
    desk: SettingsDesk, frame: Frame, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(check_page, "open_folder", opened.append)
    page = page_of(desk)
    message = CheckFinding(message_of_words("Something failed.", action))
    page._show_result(CheckResult(MODELS, (message,)))
    desk.click(page.rows[MODELS][1])
    is_settings = action in ("snapshots", "library", "computers")
    if action == "open_folder":
        assert opened == [frame.app.paths.data]
    elif action == "retry":
        assert page_of(desk).rows[MODELS][0].text() == NO_PROBLEM
    else:
        assert (frame.has(SettingsDialog), frame.current_tab) == ((True, "chat") if is_settings else (False, "models"))
    for dialog in frame.every(SettingsDialog):
        dialog.close()


def test_the_report_is_saved(desk: SettingsDesk, tmp_path: Path) -> None:
    page = page_of(desk)
    desk.click(page.save)
    desk.find_step(QFileDialog).filesSelected.emit([str(tmp_path / "report.txt")])
    desk.wait(lambda: "report.txt" in page.said.text())
    assert NO_PROBLEM in (tmp_path / "report.txt").read_text("utf-8")
    desk.find_step(QFileDialog).close()
