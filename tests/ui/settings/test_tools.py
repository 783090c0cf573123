"""The Tools page over real servers: added, imported, checked, granted, switched off and removed; what was allowed."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from app.core.errors.tool_errors import ToolServerFailed, ToolServersUnreadable
from app.features.error_messages import sentence_for
from app.features.mcp.server_cage import NOT_YET
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.tool_servers import FOLDER, folder_name
from app.features.tool_calls import ToolFunction
from app.features.tools.permissions import WEB_SERVER, PermissionAnswer
from app.features.tools.tool import Tool, ToolResult
from app.ui.settings.folder_list import ALLOW_FOLDER
from app.ui.settings.tool_grants_section import ALL_ALLOWED, ALWAYS_ALLOWED, NEVER_ALLOWED, WEBSITE, ToolGrantsSection
from app.ui.settings.tool_server_adding import NEITHER, NO_VARIABLES, AddServerDialog
from app.ui.settings.tool_server_dialog import CHANGES_THINGS, CLOSE, ToolServerDialog
from app.ui.settings.tool_server_import import FROM_PROGRAM, PASTED, ImportServersDialog
from app.ui.settings.tool_server_texts import (
    HIDDEN_VALUE,
    LOCAL_PROGRAM,
    SERVER_OFF,
    WORKS_ONE,
)
from app.ui.settings.tool_servers_section import ToolServersSection
from app.ui.shared_labels import REMOVE, REMOVE_NAMED
from app.ui.widgets.buttons import IconButton
from tests.features.mcp.test_sign_in import Browser, serve_host
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.tool_configs import SCRIPT, config

SECRET = "sk-very-secret"


@pytest.fixture
def desk(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame, "tools")
    yield opened
    opened.close()


@pytest.fixture
def section(desk: SettingsDesk) -> ToolServersSection:
    return desk.find_step(ToolServersSection)


def add(desk: SettingsDesk, section: ToolServersSection, added: ServerConfig) -> None:
    section.server_actions.add_all([added])
    desk.wait(lambda: is_shown(section, added.name) and not section.server_actions.is_busy(added.name))


def is_shown(section: ToolServersSection, name: str) -> bool:
    return name in section.rows and section.rows[name].isVisible()


def said(section: ToolServersSection, name: str) -> str:
    return section.rows[name].said.text()


def shown_in(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def button_of(widget: QWidget, words: str) -> QPushButton:
    return next(button for button in widget.findChildren(QPushButton) if button.text() == words)


def test_a_typed_server_is_started_and_works_once_it_may_read_what_its_command_names(
    desk: SettingsDesk, section: ToolServersSection
) -> None:
    assert section.empty.isVisible()
    desk.click(section.add)
    dialog = desk.find_step(AddServerDialog)
    QTest.keyClicks(dialog.line, 'python "open')
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)
    assert dialog.note.text() == NEITHER
    dialog.line.setText(shlex.join([sys.executable, str(SCRIPT), "fair"]))
    QTest.keyClick(dialog.line, Qt.Key.Key_Return)
    desk.wait(lambda: bool(section.rows))
    ((name, row),) = section.rows.items()
    # Its script lies in no folder that it may read.
    desk.wait(lambda: row.said.property("kind") == "danger")
    assert row.place.text() == LOCAL_PROGRAM
    assert not section.empty.isVisible()
    desk.wait(row.isVisible)
    desk.click(row.details)
    details = desk.find_step(ToolServerDialog)
    desk.click(button_of(details, ALLOW_FOLDER.format(folder=SCRIPT.name)))
    desk.wait(lambda: desk.app.tool_servers.configs[0].readable == (str(SCRIPT),))
    desk.click(details.tools.check)
    desk.wait(lambda: details.tools.said.text() == WORKS_ONE)
    assert said(section, name) == WORKS_ONE
    assert details.uses.cage.text() not in ("", NOT_YET)
    (tool,) = details.tools.rows
    assert tool.accessibleName() == "do"
    assert CHANGES_THINGS not in shown_in(tool), "it says that it only reads"
    assert clipped_texts(details) == []
    desk.click(button_of(details, CLOSE))


def test_servers_of_other_programs_are_offered_with_their_secrets_hidden(
    desk: SettingsDesk, section: ToolServersSection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    servers = {"notes": {"command": "uvx", "args": ["notes"], "env": {"TOKEN": SECRET}}, "time": {"command": "uvx"}}
    text = json.dumps({"mcpServers": servers})
    found = home / ".config" / "Claude" / "claude_desktop_config.json"
    found.parent.mkdir(parents=True)
    found.write_text(text, "utf-8")
    desk.click(section.bring)
    dialog = desk.find_step(ImportServersDialog)
    words = FROM_PROGRAM.format(program="Claude Desktop", count=2)
    desk.wait(lambda: any(button.isVisible() and button.text() == words for button in dialog.findChildren(QPushButton)))
    assert not dialog.add.isEnabled()
    desk.click(button_of(dialog, words))
    (notes, _), (time, _) = dialog.boxes
    assert HIDDEN_VALUE in notes.accessibleDescription()
    assert SECRET not in notes.accessibleDescription()
    desk.wait(time.isVisible)
    desk.click(time)
    desk.click(dialog.add)
    desk.wait(lambda: list(section.rows) == ["notes"])
    assert said(section, "notes") == SERVER_OFF, "which run is for the person to say"
    (kept,) = desk.app.tool_servers.configs
    assert kept.environment == (("TOKEN", SECRET),)
    desk.wait(lambda: is_shown(section, "notes"))
    desk.click(section.rows["notes"].details)
    details = desk.find_step(ToolServerDialog)
    assert not any(SECRET in text for text in shown_in(details))
    assert any("TOKEN" in text for text in shown_in(details))
    details.accept()


def test_a_file_and_pasted_text_are_read_and_what_lists_nothing_says_so(
    desk: SettingsDesk, section: ToolServersSection, tmp_path: Path
) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"far": {"url": "https://example.org/mcp"}}}), "utf-8")
    desk.click(section.bring)
    dialog = desk.find_step(ImportServersDialog)
    desk.click(dialog.choose)
    desk.choose_file(path)
    desk.wait(lambda: [config.name for _, config in dialog.boxes] == ["far"])
    dialog.pasted.setPlainText("{}")
    assert dialog.note.text() == sentence_for(ToolServersUnreadable(PASTED, "no_servers")).text
    assert dialog.boxes == []
    dialog.pasted.setPlainText(json.dumps({"servers": {"near": {"command": "uvx"}}}))
    assert [config.name for _, config in dialog.boxes] == ["near"]
    assert not dialog.note.isVisible()
    dialog.reject()


def test_what_a_server_may_use_is_kept_and_it_is_removed_with_its_folder(
    desk: SettingsDesk, section: ToolServersSection, tmp_path: Path
) -> None:
    servers = desk.app.tool_servers
    add(desk, section, config("fair"))
    assert said(section, "fair") == WORKS_ONE
    folder = desk.app.paths.data / FOLDER / folder_name("fair")
    assert folder.is_dir()
    details = section.open_details("fair")
    desk.click(details.uses.network)
    desk.wait(lambda: servers.configs[0].has_network)
    desk.click(details.uses.writable.add)
    desk.choose_file(tmp_path)
    desk.wait(lambda: servers.configs[0].writable == (str(tmp_path),))
    remove = next(
        button
        for button in details.uses.writable.findChildren(IconButton)
        if button.accessibleName() == REMOVE_NAMED.format(name=tmp_path)
    )
    desk.click(remove)
    desk.wait(lambda: servers.configs[0].writable == ())
    desk.click(details.remove)
    desk.answer(REMOVE)
    desk.wait(lambda: not section.rows and section.empty.isVisible())
    assert servers.configs == ()
    desk.wait(lambda: not folder.exists())


def test_a_server_is_edited_in_the_form_that_it_was_added_with(desk: SettingsDesk, section: ToolServersSection) -> None:
    servers = desk.app.tool_servers
    add(desk, section, replace(config("old", "mine"), environment=(("KEY", SECRET),)))
    desk.app.tool_grants.keep_answer(
        Tool(ToolFunction("do", "", {"type": "object"}), lambda *_: ToolResult(""), server="mine"),
        PermissionAnswer.TOOL,
    )
    details = section.open_details("mine")
    desk.click(details.uses.edit)
    form = desk.find_step(AddServerDialog)
    assert form.line.text() == shlex.join([sys.executable, str(SCRIPT), "old"])
    assert form.environment.toPlainText() == f"KEY={HIDDEN_VALUE}"
    assert not form.name.isVisible()
    assert not form.key.isVisible()
    form.environment.setPlainText("KEY")
    form.accept()
    assert form.note.text() == NO_VARIABLES
    form.environment.setPlainText(f"KEY={HIDDEN_VALUE}\nMORE=1")
    form.line.setText(shlex.join([sys.executable, str(SCRIPT), "fair"]))
    assert clipped_texts(form) == []
    QTest.keyClick(form.line, Qt.Key.Key_Return)
    desk.wait(lambda: said(section, "mine") == WORKS_ONE)
    (kept,) = servers.configs
    assert kept.environment == (("KEY", SECRET), ("MORE", "1"))
    assert kept.readable == (str(SCRIPT.parent),), "what it may use stays"
    assert desk.app.tool_grants.list_grants() == (), "another program asks anew"
    assert any(text.endswith("fair") for text in shown_in(details))
    assert any("MORE" in text for text in shown_in(details))
    details.accept()


@pytest.mark.parametrize("mode", ["old", "missing"])
def test_one_that_can_not_work_says_why(desk: SettingsDesk, section: ToolServersSection, mode: str) -> None:
    broken = config("fair", mode) if mode == "missing" else config(mode)
    add(desk, section, replace(broken, command="no-such-program") if mode == "missing" else broken)
    reason = "missing" if mode == "missing" else "wrong"
    assert said(section, mode) == sentence_for(ToolServerFailed(mode, reason, "no-such-program")).text


def test_a_server_that_wants_a_sign_in_offers_one_in_the_browser(
    desk: SettingsDesk, section: ToolServersSection
) -> None:
    browser = Browser()
    with serve_host() as host:
        add(desk, section, ServerConfig("far", url=f"{host.address}/mcp", is_on=True))
        row = section.rows["far"]
        assert row.sign_in.isVisible()
        section.server_actions.page_wanted.disconnect()
        section.server_actions.page_wanted.connect(browser.open)
        assert browser.pages == [], "by the person's click alone"
        desk.click(row.sign_in)
        desk.wait(lambda: said(section, "far") == WORKS_ONE)
        browser.thread.join()
        assert not row.sign_in.isVisible()


def test_what_was_allowed_is_listed_and_taken_back(desk: SettingsDesk) -> None:
    page, grants = desk.find_step(ToolGrantsSection), desk.app.tool_grants
    assert page.empty.isVisible()
    for name, answer in (
        ("read", PermissionAnswer.SERVER),
        ("write", PermissionAnswer.TOOL),
        ("send", PermissionAnswer.NEVER),
    ):
        function = ToolFunction(name, "", {"type": "object"})
        grants.keep_answer(Tool(function, lambda *_: ToolResult(""), server="mine"), answer)
    page.refresh()
    desk.wait(lambda: all(row.isVisible() for row in page.rows))
    told = [shown_in(row) for row in page.rows]
    assert told == [
        [ALL_ALLOWED, "mine"],
        [ALWAYS_ALLOWED.format(tool="write"), "mine"],
        [NEVER_ALLOWED.format(tool="send"), "mine"],
    ]
    function = ToolFunction("a.example", "", {"type": "object"})
    grants.keep_answer(
        Tool(function, lambda *_: ToolResult(""), changes=True, server=WEB_SERVER), PermissionAnswer.TOOL
    )
    page.refresh()
    desk.wait(lambda: all(row.isVisible() for row in page.rows))
    assert shown_in(page.rows[3]) == [ALWAYS_ALLOWED.format(tool="a.example"), WEBSITE]
    desk.click(page.rows[3].button)
    desk.wait(lambda: all(row.isVisible() for row in page.rows))
    desk.click(page.rows[1].button)
    assert [grant.answer for grant in grants.list_grants()] == [PermissionAnswer.SERVER, PermissionAnswer.NEVER]
    assert len(page.rows) == 2
