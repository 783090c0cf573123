"""Other programs in the settings: switched on, a real request is answered and listed; off, nothing listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import keyring
import pytest
from keyring.backends import fail
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.core.settings import load_settings
from app.features.mcp.messages import PROTOCOL, SESSION_HEADER, request
from app.ui.settings.address_field import NOT_SAVED
from app.ui.settings.programs import COPY_KEY, COPY_SETTINGS, KEY_CHANGES_EACH_START, ProgramsSection
from app.ui.shared_labels import COPY_THE_ADDRESS
from app.ui.shell.settings_index import label_of
from app.ui.shell.status_line import PROGRAM_USES_MODEL, SERVER_IS_ON
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.input_fields import Switch
from tests.helpers.accessible_tree import description_of
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.texts import shows


@pytest.fixture(autouse=True)
def no_keyring() -> Iterator[None]:
    """That of whoever tests stays as it is."""
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


class Desk(SettingsDesk):
    """The page, opened."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, "connections/programs")
        self.page = self.find_step(ProgramsSection)
        self.programs = frame.window.ui.programs
        assert self.programs is not None

    def switch(self) -> None:
        self.click(self.page.switch)
        assert self.programs is not None
        programs = self.programs
        self.wait(lambda: not programs.is_turning)

    def copied(self, name: str) -> str:
        (button,) = [one for one in self.page.findChildren(IconButton) if one.accessibleName() == name]
        button.click()  # it may be further down than is seen
        return QGuiApplication.clipboard().text()

    @property
    def journal(self) -> str:
        self.page.journal.reload()
        return self.page.journal.text


def ask(address: str, key: str) -> httpx2.Response:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "a secret question"}]}
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "Zed/1.0"}
    return httpx2.post(f"{address}/chat/completions", json=body, headers=headers, timeout=60)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_program_asks_and_is_listed_and_off_means_off(frame: Frame) -> None:
    frame.app.change_settings("serving", port=free_port())
    frame.window.loader.start()
    frame.wait(lambda: frame.app.loaded)
    desk = Desk(frame)
    desk.switch()
    address, key = desk.copied(COPY_THE_ADDRESS), desk.copied(COPY_KEY)
    assert shows(KEY_CHANGES_EACH_START, desk.page._said.text())
    assert key not in desk.page._recipe.toPlainText()
    assert key in desk.copied(COPY_SETTINGS)
    answer = ask(address, key)
    assert answer.json()["choices"][0]["message"]["content"] == "You said: a secret question"
    desk.wait(lambda: "Zed/1.0" in desk.journal)
    assert "secret" not in desk.journal
    assert load_settings(frame.app.paths.settings)[0].serving.on
    desk.programs.renew_key()  # type: ignore[union-attr]
    desk.wait(lambda: not desk.programs.is_turning)  # type: ignore[union-attr]
    assert ask(address, key).status_code == 401
    desk.switch()
    with pytest.raises(httpx2.ConnectError):
        ask(address, key)
    assert not load_settings(frame.app.paths.settings)[0].serving.on


def test_the_window_says_that_programs_may_use_the_model_and_which_one_does(
    frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame.app.change_settings("serving", port=free_port())
    frame.window.loader.start()
    frame.wait(lambda: frame.app.loaded)
    mark, programs = frame.window.status.programs, frame.window.ui.programs
    assert programs is not None and mark.isHidden()
    programs.want(wanted=True)
    frame.wait(lambda: not programs.is_turning)
    assert mark.isVisible() and mark.accessibleName() == SERVER_IS_ON
    shown: list[str] = []
    programs.used.connect(lambda: shown.append(mark.accessibleName()))
    door = programs.door
    assert door is not None
    assert ask(door.address, door.key).status_code == 200
    frame.wait(lambda: len(shown) == 2)
    assert shown == [PROGRAM_USES_MODEL.format(program="Zed/1.0"), SERVER_IS_ON]
    frame.click(mark)
    assert frame.find_step(ProgramsSection).isVisible()
    programs.want(wanted=False)
    frame.wait(lambda: not programs.is_turning)
    assert mark.isHidden()


def test_a_port_that_is_taken_is_said_and_another_one_helps(frame: Frame) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        frame.app.change_settings("serving", port=taken.getsockname()[1])
        desk = Desk(frame)
        desk.switch()
        assert str(taken.getsockname()[1]) in desk.page._said.text()
    programs = desk.programs
    assert programs is not None
    programs.use(port=free_port())
    desk.wait(lambda: not programs.is_turning)
    assert programs.door is not None
    assert frame.app.close() is None, "the server ends before what it answers with"
    assert programs.door is None


def test_pages_of_a_browser_are_let_in_by_name_and_models_are_loaded_only_where_that_is_wanted(frame: Frame) -> None:
    frame.app.change_settings("serving", port=free_port())
    desk = Desk(frame)
    desk.switch()
    page, programs = desk.page, desk.programs
    assert programs is not None
    (loads,) = [one for one in page.findChildren(Switch) if one.accessibleName() == label_of("loads_models")]
    desk.click(loads)
    assert not load_settings(frame.app.paths.settings)[0].serving.loads_models
    QTest.keyClicks(page.origins.field, "https://pages.example/with/a/path")
    QTest.keyClick(page.origins.field, Qt.Key.Key_Return)
    assert shows(NOT_SAVED, description_of(page.origins.field))
    assert frame.app.settings.serving.origins == ()
    page.origins.field.selectAll()
    QTest.keyClicks(page.origins.field, "app://obsidian.md http://localhost:3000")
    QTest.keyClick(page.origins.field, Qt.Key.Key_Return)
    desk.wait(lambda: not programs.is_turning)
    assert programs.door is not None
    for origin, is_let_in in (("http://localhost:3000", True), ("https://pages.example", False)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        asked = httpx2.options(f"{programs.door.address}/chat/completions", headers=headers, timeout=60)
        assert (asked.headers.get("access-control-allow-origin") == origin) == is_let_in


def test_documents_are_lent_only_while_the_switch_is_on(frame: Frame) -> None:
    frame.app.change_settings("serving", port=free_port())
    document = frame.app.documents.keep_text("The kiln cools for two days.", "kiln.txt")
    frame.app.documents.attachments.add_to_draft(None, document.id)
    desk = Desk(frame)
    desk.switch()
    address, key = desk.copied(COPY_THE_ADDRESS).replace("/v1", "/mcp"), desk.copied(COPY_KEY)
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "Zed/1.0"}

    def post(method: str, **parameters: Any) -> httpx2.Response:
        return httpx2.post(address, json=request(1, method, parameters), headers=headers, timeout=60)

    headers[SESSION_HEADER] = post("initialize", protocolVersion=PROTOCOL).headers[SESSION_HEADER]
    switch = next(one for one in desk.page.findChildren(Switch) if one.accessibleName() == label_of("lends_documents"))
    read = {"name": "read_pages", "arguments": {"document": "kiln", "first_page": 1}}
    for is_lent in (False, True, False):
        assert switch.isChecked() == load_settings(frame.app.paths.settings)[0].serving.lends_documents == is_lent
        assert bool(post("tools/list").json()["result"]["tools"]) == is_lent
        assert ("The kiln cools" in post("tools/call", **read).text) == is_lent
        desk.click(switch)
    assert "Zed/1.0 · read_pages" in desk.journal
    assert "kiln" not in desk.journal
