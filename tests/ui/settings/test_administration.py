"""What an administrator has set, in the settings: disabled, and said to be theirs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QLineEdit

from app.core.errors.saving_errors import SettingLocked
from app.core.policy import VARIABLE
from app.features.administration import POLICY_BROKEN
from app.ui.settings.settings_pages import SET_BY_ADMINISTRATOR, SettingsPage
from app.ui.shell.keyboard import is_tab_stop
from app.ui.shell.settings_index import PAGES, STORED_AS, label_of
from app.ui.widgets.setting_rows import HelpMark
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.locked_settings import lockable

Start = Callable[[str], Frame]


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "policy.json"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@pytest.fixture
def start(policy: Path, request: pytest.FixtureRequest) -> Iterator[Start]:
    """The window, started with this file of an administrator."""

    def begin(text: str) -> Frame:
        policy.write_text(text)
        found: Frame = request.getfixturevalue("frame")
        return found

    yield begin


def test_what_is_set_is_disabled_and_said_and_the_rest_is_not(start: Start) -> None:
    frame = start('{"network": {"internet": false, "proxy": "http://office.example:3128"}}')
    dialog = SettingsDesk(frame, "network")
    assert dialog.line(label_of("proxy")).text() == "http://office.example:3128"
    assert not dialog.line(label_of("proxy")).isEnabled()
    assert not dialog.named(QCheckBox, label_of("allow_internet")).isEnabled()
    assert dialog.named(QCheckBox, label_of("allow_network")).isEnabled()
    assert dialog.said.count(SET_BY_ADMINISTRATOR) == 2
    with pytest.raises(SettingLocked):
        frame.app.change_settings("network", internet=True, allowed=False)
    assert (frame.app.settings.network.internet, frame.app.settings.network.allowed) == (False, False)
    frame.app.change_settings("network", internet=False)
    dialog.close()


def test_a_file_that_cannot_be_read_is_told_and_the_program_starts(start: Start, policy: Path) -> None:
    frame = start("{")
    dialog = SettingsDesk(frame, "network")
    assert POLICY_BROKEN.format(path=policy) in dialog.said
    assert dialog.line(label_of("proxy")).isEnabled()
    dialog.close()


def test_every_row_that_stores_something_can_be_set_by_an_administrator(start: Start) -> None:
    frame = start(json.dumps(lockable()))
    dialog, seen = SettingsDesk(frame), set()
    for number in range(dialog.page_count):
        dialog.show_page(number)
        page = dialog.root.pages.currentWidget()
        assert isinstance(page, SettingsPage)
        for section in (page, *page.sections):
            for key in section.setting_rows.keys() & STORED_AS.keys():
                row = section.setting_rows[key]
                seen.add(key)
                stops = [one for one in row.findChildren(QLineEdit) + row.findChildren(QCheckBox) if is_tab_stop(one)]
                assert not [one for one in stops if one.isEnabled() and not isinstance(one, HelpMark)], key
                told = SET_BY_ADMINISTRATOR in [label.text() for label in row.findChildren(type(page.muted("")))]
                assert told or row.toolTip() == SET_BY_ADMINISTRATOR, key
    rows = {setting.key for page in PAGES for setting in page.settings}
    assert STORED_AS.keys() <= rows
    assert STORED_AS.keys() - seen <= {"shortcut", "shortcut_on", "port", "loads_models", "lends_documents"}, seen
    dialog.close()
