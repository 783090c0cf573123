"""Devices: left to the program, the CPU alone, or one or several GPUs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import keyring
import pytest
from huggingface_hub import close_session
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import PasswordDeleteError
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLineEdit, QPushButton, QRadioButton
from pytestqt.qtbot import QtBot

from app import APP_ID
from app.bootstrap import build_program
from app.core.cage_report import CageReport, CageWall
from app.core.errors.hub_errors import CertificateUnreadable, HubUnreachable
from app.core.settings import NetworkSettings, load_settings
from app.engine.protocol import Device
from app.features.error_messages import sentence_for
from app.features.network_routes import DIRECTLY, HOST_ANSWERS
from app.features.protection import DEEDS, HELD, PROCESSES
from app.hub.access import access_of
from app.hub.connection_ledger import BUILT_IN, OWN, SYSTEM, ConnectionLedger
from app.ui.i18n import tr
from app.ui.settings import network_page
from app.ui.settings.address_field import MUST_START_WITH, NOT_SAVED, address_problem
from app.ui.settings.connections import (
    CONNECTION_REFUSED,
    FETCHING_FILE,
    PROXY,
    TRUSTED,
    TRUSTED_WORDS,
    WHY_WORDS,
    ConnectionModel,
    ConnectionTable,
)
from app.ui.settings.engine_page import (
    LET_FIRESIDE_CHOOSE,
    NOT_FOUND_NOW,
    ONLY_THE_CPU,
    DeviceChoice,
)
from app.ui.settings.network_page import (
    ASKS_ON_CLICK,
    CONNECTIONS_IN_ALL,
    FORGET,
    FORGET_TOKEN,
    HOST_COUNT,
    MIRROR,
    NO_CONNECTIONS_YET,
    NO_TOKEN_KEPT,
    PLAIN_TOKEN_ONLY,
    REFRESH_THE_CONNECTIONS,
    SAVE_TOKEN,
    SCHEMES,
    TEST_NETWORK,
    TOKEN_KEPT_IN_KEYRING,
    NetworkTest,
)
from app.ui.settings.proxy_section import (
    FORGET_SIGN_IN,
    NEEDS_PROXY,
    NO_OWN_AUTHORITY,
    NO_PASSWORD,
    OWN_TRUSTED,
    PASSWORD_KEPT,
    PROXY_PASSWORD,
    PROXY_SCHEMES,
    PROXY_USER,
    SAVE_SIGN_IN,
    SCRIPT_NOT_READ,
    CertificateField,
)
from app.ui.settings.shared_sections import DocumentsSection, PassagesField
from app.ui.shell.settings_index import label_of
from app.ui.shell.status_line import NETWORK_OFF
from app.ui.theme import Theme
from tests.helpers.accessible_tree import description_of
from tests.helpers.authority import Authority
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.fake_hub import FakeHub
from tests.helpers.models_on_disk import write_model
from tests.helpers.texts import shows

GB = 10**9
CPU = Device("CPU", "Ryzen 7", "cpu", 0, 0)
INSIDE = Device("Vulkan0", "Radeon 780M", "igpu", 7 * GB, 8 * GB)
CARD = Device("Vulkan1", "RTX 4070", "gpu", 11 * GB, 12 * GB)


def choice(qtbot: QtBot, *devices: Device, chosen: tuple[str, ...] = ()) -> DeviceChoice:
    made = DeviceChoice(Theme("light"), devices, chosen)
    qtbot.addWidget(made)
    made.show()
    return made


def rows(choice: DeviceChoice) -> dict[str, QAbstractButton]:
    return {row.accessibleName(): row for row in choice.findChildren(QAbstractButton)}


def checked(choice: DeviceChoice) -> list[str]:
    return [name for name, row in rows(choice).items() if row.isChecked()]


def press(qtbot: QtBot, choice: DeviceChoice, name: str) -> None:
    row = rows(choice)[name]
    row.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(row, Qt.Key.Key_Space)


def test_gpus_are_chosen_one_of_several_or_several_together(qtbot: QtBot) -> None:
    made = choice(qtbot, INSIDE, CPU)
    assert list(rows(made)) == [LET_FIRESIDE_CHOOSE, "Radeon 780M", ONLY_THE_CPU]
    assert checked(made) == [LET_FIRESIDE_CHOOSE]
    assert all(isinstance(row, QRadioButton) for row in rows(made).values())

    made = choice(qtbot, INSIDE, CPU)
    for name, names in (("Radeon 780M", ("Vulkan0",)), (ONLY_THE_CPU, ("CPU",)), (LET_FIRESIDE_CHOOSE, ())):
        with qtbot.waitSignal(made.changed):
            press(qtbot, made, name)
        assert made.chosen == names
        assert checked(made) == [name]

    made = choice(qtbot, INSIDE, CARD, CPU)
    assert isinstance(rows(made)["RTX 4070"], QCheckBox)
    press(qtbot, made, "RTX 4070")
    press(qtbot, made, "Radeon 780M")
    assert made.chosen == ("Vulkan0", "Vulkan1")
    assert checked(made) == ["Radeon 780M", "RTX 4070"]

    made = choice(qtbot, INSIDE, CARD, CPU, chosen=("Vulkan1",))
    press(qtbot, made, "RTX 4070")
    assert made.chosen == ()
    assert checked(made) == [LET_FIRESIDE_CHOOSE]

    made = choice(qtbot, CPU, chosen=("Vulkan7",))
    assert made.has_choice
    assert rows(made)["Vulkan7"].accessibleDescription() == NOT_FOUND_NOW
    assert checked(made) == ["Vulkan7"]
    press(qtbot, made, LET_FIRESIDE_CHOOSE)
    assert made.chosen == ()

    made = choice(qtbot, CPU)
    assert not made.has_choice
    assert rows(made) == {}


# The network page: switch, addresses that cannot be wrong, the token in the keyring, every connection in a table.


MANY = 20_000


class Drawer(KeyringBackend):
    """A keyring in memory that notes on which threads it was asked; nobody gets it who was not given it."""

    priority = -1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.threads: set[threading.Thread] = set()

    def get_password(self, service: str, username: str) -> str | None:
        self.threads.add(threading.current_thread())
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.threads.add(threading.current_thread())
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.threads.add(threading.current_thread())
        if (service, username) not in self.kept:
            raise PasswordDeleteError
        del self.kept[service, username]


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before, backend = keyring.get_keyring(), Drawer()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def dialog(frame: Frame, drawer: Drawer) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame, "network")
    yield opened
    opened.close()


def saved(frame: Frame) -> NetworkSettings:
    return load_settings(frame.paths.settings)[0].network


def test_the_switch_is_saved_and_shown_in_the_status_line(dialog: SettingsDesk, frame: Frame, qtbot: QtBot) -> None:
    switch = dialog.named(QCheckBox, label_of("allow_network"))
    switch.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert not saved(frame).allowed
    assert frame.network_switch.text() == NETWORK_OFF


def test_what_the_processes_are_kept_from_is_told(
    frame: Frame, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_page, "cage_reports", lambda: {"engine": CageReport((CageWall.NETWORK,), ())})
    dialog = SettingsDesk(frame, "network")
    assert HELD.format(process=PROCESSES["engine"], what=DEEDS[CageWall.NETWORK]) in dialog.said
    dialog.close()


def test_an_address_is_saved_when_it_is_right_and_says_why_when_it_is_not(
    dialog: SettingsDesk, frame: Frame, qtbot: QtBot
) -> None:
    proxy = dialog.line(label_of("proxy"))
    qtbot.keyClicks(proxy, "10.0.0.1:3128")
    qtbot.keyClick(proxy, Qt.Key.Key_Return)
    assert saved(frame).proxy == ""
    assert NOT_SAVED.format(why=MUST_START_WITH.format(one="http://", other="https://")) in dialog.said
    assert shows(NOT_SAVED, description_of(proxy))
    proxy.clear()
    qtbot.keyClicks(proxy, "http://10.0.0.1:3128")
    assert not any(shows(NOT_SAVED, text) for text in dialog.said), "it goes while the address is mended"
    qtbot.keyClick(proxy, Qt.Key.Key_Return)
    assert saved(frame).proxy == "http://10.0.0.1:3128"

    mirror = dialog.line(MIRROR)
    mirror.setFocus()
    qtbot.keyClicks(mirror, " https://hf.example ")
    proxy.setFocus()
    assert saved(frame).mirror == "https://hf.example"
    assert dialog.root.isVisible(), "Return in a field closed the settings"


def test_the_proxys_password_is_kept_in_the_keyring_only(
    dialog: SettingsDesk, frame: Frame, drawer: Drawer, qtbot: QtBot
) -> None:
    dialog.wait_for_words(NEEDS_PROXY)
    proxy, user, password = (dialog.line(name) for name in (label_of("proxy"), tr(PROXY_USER), tr(PROXY_PASSWORD)))
    assert password.echoMode() == QLineEdit.EchoMode.Password
    qtbot.keyClicks(proxy, "http://ada:p%3Ass@proxy.example:3128")
    qtbot.keyClick(proxy, Qt.Key.Key_Return)
    kept = PASSWORD_KEPT.format(host="proxy.example:3128")
    dialog.wait_for_words(kept)
    assert (proxy.text(), user.text(), password.text()) == ("http://proxy.example:3128", "ada", "")
    assert (saved(frame).proxy, saved(frame).proxy_user) == ("http://proxy.example:3128", "ada")
    assert drawer.kept == {(APP_ID, "proxy:ada@proxy.example:3128"): "p:ss"}
    assert "p:ss" not in frame.paths.settings.read_text("utf-8")
    assert "p%3Ass" not in frame.paths.settings.read_text("utf-8")
    user.clear()
    qtbot.keyClicks(user, "bea")
    qtbot.keyClicks(password, "other")
    dialog.click_name(QPushButton, SAVE_SIGN_IN)
    qtbot.waitUntil(lambda: drawer.kept == {(APP_ID, "proxy:bea@proxy.example:3128"): "other"})
    dialog.wait_for_words(kept)
    dialog.click_name(QPushButton, FORGET_SIGN_IN)
    dialog.wait_for_words(NO_PASSWORD)
    assert drawer.kept == {}
    assert saved(frame).proxy_user == ""
    assert threading.main_thread() not in drawer.threads


def test_a_proxy_script_of_the_system_is_said_not_to_be_read(
    frame: Frame, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("auto_proxy", "http://office.example/proxy.pac")
    dialog = SettingsDesk(frame, "network")
    dialog.wait_for_words(SCRIPT_NOT_READ)
    dialog.close()


def test_an_authority_is_chosen_and_dropped(dialog: SettingsDesk, frame: Frame, tmp_path: Path, qtbot: QtBot) -> None:
    authority = Authority(tmp_path)
    (tmp_path / "none.pem").write_text("no certificate")
    field = dialog.root.findChild(CertificateField)
    dialog.click(field.choose)
    dialog.choose_file(tmp_path / "none.pem", "authority_dialog")
    dialog.wait_for_words(str(sentence_for(CertificateUnreadable(str(tmp_path / "none.pem")))))
    assert saved(frame).authorities_file == ""
    dialog.click(field.choose)
    dialog.choose_file(authority.path, "authority_dialog")
    dialog.wait_for_words(OWN_TRUSTED.format(names="Our own authority"))
    assert saved(frame).authorities_file == str(authority.path)
    dialog.click(field.drop)
    dialog.wait_for_words(NO_OWN_AUTHORITY)
    assert saved(frame).authorities_file == ""


def test_the_network_is_tested_only_when_asked(dialog: SettingsDesk, frame: Frame, qtbot: QtBot) -> None:
    with FakeHub() as hub:
        frame.app.change_settings("network", mirror=hub.url)
        test = dialog.find_step(NetworkTest)
        assert shows(ASKS_ON_CLICK, test.answers.text()) and not hub.seen() and not frame.app.ledger.connections()
        dialog.click_name(QPushButton, TEST_NETWORK)
        host = urlsplit(hub.url).netloc
        qtbot.waitUntil(lambda: HOST_ANSWERS.format(host=host) in test.answers.text())
        assert DIRECTLY.format(host=host) in test.answers.text()
        assert hub.seen() and test.start.isEnabled()
    dialog.click(test.start)
    refusal = str(sentence_for(HubUnreachable(host, "refused")))
    qtbot.waitUntil(lambda: refusal in test.answers.text())
    assert {connection.why for connection in frame.app.ledger.connections()} == {"test"}
    assert clipped_texts(dialog.root) == []
    close_session()


def test_connections_say_their_proxy_and_whose_certificates_were_trusted(
    dialog: SettingsDesk, frame: Frame, qtbot: QtBot
) -> None:
    table, ledger = dialog.find_step(ConnectionTable), frame.app.ledger
    ledger.begin("huggingface.co", "search", trusted=SYSTEM)
    dialog.click_name(QPushButton, REFRESH_THE_CONNECTIONS)
    qtbot.waitUntil(lambda: table.model().rowCount() == 1)
    assert table.isColumnHidden(PROXY), "no column for what nothing used"
    ledger.begin("huggingface.co", "search", proxy="proxy.example:3128", trusted=f"{BUILT_IN}+{OWN}")
    dialog.click_name(QPushButton, REFRESH_THE_CONNECTIONS)
    qtbot.waitUntil(lambda: table.model().rowCount() == 2)
    shown = [[table.model().index(row, column).data() for column in (PROXY, TRUSTED)] for row in range(2)]
    assert shown == [
        ["proxy.example:3128", TRUSTED_WORDS[f"{BUILT_IN}+{OWN}"]],
        ["", TRUSTED_WORDS[SYSTEM]],
    ]
    assert not table.isColumnHidden(PROXY) and clipped_texts(dialog.root) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("https://hf.example:8443/hub", ""),
        ("http://me:secret@10.0.0.1:3128", ""),
        ("ftp://hf.example", "start with"),
        ("https://hf example", "space"),
        ("https://", "computer’s name"),
        ("https://hf.example:99999", "port"),
        ("http://[::1", "port"),
    ],
)
def test_what_is_wrong_with_an_address(text: str, words: str) -> None:
    for schemes in (PROXY_SCHEMES, SCHEMES):
        problem = address_problem(text, schemes)
        assert words in problem
        assert bool(problem) == bool(words)


def test_a_token_is_kept_and_forgotten_in_the_keyring_off_the_windows_thread(
    dialog: SettingsDesk, frame: Frame, drawer: Drawer, qtbot: QtBot
) -> None:
    dialog.wait_for_words(NO_TOKEN_KEPT.format(host="huggingface.co"))
    token = dialog.line(label_of("access_token"))
    assert token.echoMode() == QLineEdit.EchoMode.Password
    qtbot.keyClicks(token, "hf_abc")
    dialog.click_name(QPushButton, SAVE_TOKEN)
    told = TOKEN_KEPT_IN_KEYRING.format(host="huggingface.co")
    dialog.wait_for_words(told)
    assert drawer.kept == {(APP_ID, "huggingface.co"): "hf_abc"}
    assert token.text() == "", "it stays on the screen"
    assert "hf_abc" not in frame.paths.settings.read_text("utf-8") if frame.paths.settings.exists() else True
    dialog.click_name(QPushButton, FORGET_TOKEN)
    dialog.answer(FORGET)
    dialog.wait_for_words(NO_TOKEN_KEPT.format(host="huggingface.co"))
    assert drawer.kept == {}
    assert threading.main_thread() not in drawer.threads


def test_a_mirror_has_a_token_of_its_own(dialog: SettingsDesk, frame: Frame, drawer: Drawer, qtbot: QtBot) -> None:
    frame.app.token.save("hf_abc")
    mirror = dialog.line(MIRROR)
    qtbot.keyClicks(mirror, "https://mirror.example")
    qtbot.keyClick(mirror, Qt.Key.Key_Return)
    dialog.wait_for_words(NO_TOKEN_KEPT.format(host="mirror.example"))
    assert access_of(frame.settings, frame.app.token).token == ""
    qtbot.keyClicks(dialog.line(label_of("access_token")), "hf_other")
    qtbot.keyClick(dialog.line(label_of("access_token")), Qt.Key.Key_Return)
    dialog.wait_for_words(TOKEN_KEPT_IN_KEYRING.format(host="mirror.example"))
    assert drawer.kept == {(APP_ID, "huggingface.co"): "hf_abc", (APP_ID, "mirror.example"): "hf_other"}
    assert access_of(frame.settings, frame.app.token).token == "hf_other"


def test_a_token_that_cannot_be_one_is_not_saved(dialog: SettingsDesk, drawer: Drawer, qtbot: QtBot) -> None:
    dialog.wait_for_words(NO_TOKEN_KEPT.format(host="huggingface.co"))
    token = dialog.line(label_of("access_token"))
    qtbot.keyClicks(token, "hf a")
    assert not dialog.named(QPushButton, SAVE_TOKEN).isEnabled()
    assert any(shows(PLAIN_TOKEN_ONLY, text) for text in dialog.said)
    qtbot.keyClick(token, Qt.Key.Key_Return)
    assert drawer.kept == {}
    assert dialog.root.isVisible()


def test_without_a_keyring_the_token_holds_until_quit_and_that_is_said(
    dialog: SettingsDesk, frame: Frame, qtbot: QtBot
) -> None:
    dialog.wait_for_words(NO_TOKEN_KEPT.format(host="huggingface.co"))
    keyring.set_keyring(fail.Keyring())
    token = dialog.line(label_of("access_token"))
    qtbot.keyClicks(token, "hf_abc")
    qtbot.keyClick(token, Qt.Key.Key_Return)
    dialog.wait_for_words("no keyring")
    assert any("until you quit" in text for text in dialog.said)
    assert frame.app.token.load() == "hf_abc"


def test_connections_are_listed_with_the_newest_first(dialog: SettingsDesk, frame: Frame, qtbot: QtBot) -> None:
    dialog.wait_for_words(NO_CONNECTIONS_YET)
    ledger: ConnectionLedger = frame.app.ledger
    for host, why, size, status in (
        ("huggingface.co", "search", 18_200, 200),
        ("cdn.example", "download unsloth/Qwen/model.gguf", 5_680_000_000, 206),
        ("huggingface.co", "repository", 0, 429),
    ):
        ledger.update_connection(ledger.begin(host, why), received_bytes=size, status=status)
    again = dialog.named(QPushButton, REFRESH_THE_CONNECTIONS)
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    dialog.wait_for_words(CONNECTIONS_IN_ALL.format(count=3, hosts=HOST_COUNT.format(count=2), size="5.7 GB"))
    table = dialog.find_step(ConnectionTable)
    shown = [[table.model().index(row, column).data() for column in (1, 2, 3)] for row in range(3)]
    assert shown == [
        ["huggingface.co", CONNECTION_REFUSED.format(what=WHY_WORDS["repository"]), "0 bytes"],
        ["cdn.example", FETCHING_FILE.format(file="model.gguf"), "5.7 GB"],
        ["huggingface.co", WHY_WORDS["search"], "18 kB"],
    ]
    assert clipped_texts(dialog.root) == []


def test_of_many_connections_only_those_in_view_are_put_into_words(
    dialog: SettingsDesk, frame: Frame, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    rows = (
        json.dumps(
            {"id": f"{n:012x}", "at": now - n, "host": "huggingface.co", "why": "search", "bytes": 1, "status": 200}
        )
        for n in range(MANY)
    )
    frame.paths.connections.parent.mkdir(parents=True, exist_ok=True)
    frame.paths.connections.write_text("\n".join(rows) + "\n", "utf-8")
    readers: list[threading.Thread] = []
    connections = ConnectionLedger.connections

    def read(self: ConnectionLedger, most: int) -> object:
        readers.append(threading.current_thread())
        return connections(self, most)

    monkeypatch.setattr(ConnectionLedger, "connections", read)
    in_words: set[int] = set()
    data = ConnectionModel.data

    def noted(self: ConnectionModel, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        in_words.add(index.row())
        return data(self, index, role)

    monkeypatch.setattr(ConnectionModel, "data", noted)
    table = dialog.find_step(ConnectionTable)
    dialog.click_name(QPushButton, REFRESH_THE_CONNECTIONS)
    qtbot.waitUntil(lambda: table.model().rowCount() == MANY and table.isVisible())
    table.scrollToBottom()
    table.grab()
    assert MANY - 1 in in_words
    assert len(in_words) < 100
    assert readers, "they were read"
    assert threading.main_thread() not in readers
    qtbot.keyClick(table, Qt.Key.Key_Tab)  # leaves the table instead of going through its cells
    assert table.currentIndex().row() <= 0


def test_whether_scans_are_read_by_themselves_is_kept(qtbot: QtBot) -> None:
    app = build_program()
    page = DocumentsSection(app, Theme("light"), app.change_settings)
    qtbot.addWidget(page)
    (scans,) = (one for one in page.findChildren(QCheckBox) if one.accessibleName() == label_of("read_scans"))
    assert scans.isChecked()
    for expected in ("none", ""):
        qtbot.keyClick(scans, Qt.Key.Key_Space)
        assert load_settings(app.paths.settings)[0].documents.pictures == expected
    app.close()


def test_the_model_that_finds_passages_is_named_and_turned_off(frame: Frame, qtbot: QtBot) -> None:
    model = frame.app.paths.models / "vectors.gguf"
    write_model(model, **{"llama.pooling_type": 1})
    desk = SettingsDesk(frame, "system")
    field = desk.find_step(PassagesField)
    assert field.choose.isVisible()
    assert not field.off.isVisible()
    frame.app.models.choose_model("passages", model)
    said = "vectors finds passages by meaning. All documents in your chats are ready."
    qtbot.waitUntil(lambda: field.explanation.text() == said)
    desk.click(field.off)
    assert frame.app.settings.models.passages_path == ""
    qtbot.waitUntil(field.choose.isVisible)
    desk.click(field.choose)
    assert frame.current_tab == "models"
