"""Searching: from letters to rows, every state in place with what can be done, and the window never waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import HubBusy, HubUnreachable, NetworkOff, NotEnoughDisk, TokenRefused
from app.features.error_messages import sentence_for
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_search import FoundRepository, HubSearch, SearchResultPage
from app.hub.network import Network
from app.ui.locale_formats import join_facts
from app.ui.model_texts import CONTEXT_SIZE, DOWNLOAD_COUNT
from app.ui.models import hub_page
from app.ui.models.hub_page import (
    ALL_RESULTS_SHOWN,
    FIND_ON_HUB,
    MODELS_FOUND,
    NETWORK_SWITCHED_OFF,
    NOTHING_FOUND_FOR,
    SEARCH_AGAIN,
    SEARCH_WITHOUT_FILTERS,
    SEARCHING_HUB,
    SHOW_MORE,
    SHOW_MOST_DOWNLOADED,
    SWITCH_NETWORK_ON,
    SearchPage,
)
from app.ui.models.search_filters import UP_TO_SIZE
from app.ui.models.search_results import ASKS_FOR_CONSENT, FIT_ROLE, FOUND_ROLE
from app.ui.shared_labels import CANCEL, NETWORK_SETTINGS, PARAMETER_COUNT, PICTURES, TRY_AGAIN
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from tests.helpers.accessible_tree import announcements, is_busy
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.models import SearchDesk
from tests.helpers.fake_hub import FakeHub
from tests.helpers.gaps import Gaps
from tests.helpers.texts import shows
from tests.ui.models.search_parts import ScriptedApp, found
from tests.ui.models.stand_in import Ways, context

WORK_MS = 200
"""The most work between two turns of the event loop that is not felt as a halt."""


class Desk(SearchDesk):
    """A page that is shown, with what is behind it."""

    app: ScriptedApp

    def __init__(self, application: QApplication, scheme: str = "light") -> None:
        self.theme = Theme(scheme)
        self.theme.install(application)
        app, notify = ScriptedApp(), Notify(self.theme)
        ui = context(self.theme, notify)
        self.ways: Ways = ui.go
        super().__init__(SearchPage(app, ui), app, notify)  # type: ignore[arg-type]
        self.root.resize(900, 640)
        self.root.show()


@pytest.fixture
def desk(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Letters are waited for hardly at all, and an answer that takes longer than a third of a second takes long."""
    monkeypatch.setattr(hub_page, "TYPING_MS", 1)
    monkeypatch.setattr(hub_page, "VERY_SLOW_MS", 310)
    parts = Desk(qapp)
    yield parts
    if parts.models.held is not None:
        parts.models.held.set()
    assert tasks.running.stop_all(60)
    tasks.running.reopen()
    parts.root.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.setStyleSheet("")


def test_without_a_text_nothing_is_asked(desk: Desk) -> None:
    assert shows(FIND_ON_HUB, desk.said)
    desk.root.show_query("  ")
    assert desk.models.asked == []
    desk.press_button(SHOW_MOST_DOWNLOADED)
    desk.wait(desk.list.isVisible)
    assert desk.models.asked[0][1].text == ""
    assert len(desk.rows) == 30


def test_only_what_is_typed_in_the_end_is_asked_for(desk: Desk) -> None:
    for text in ("q", "qw", "qwe", " qwen  3 "):
        desk.root.show_query(text)
    desk.wait(desk.list.isVisible)
    assert [query.text for _, query in desk.models.asked] == ["qwen 3"]
    assert desk.title.text() == MODELS_FOUND.format(words="qwen 3")


def test_a_newer_search_cancels_the_older_and_its_answer_is_not_shown(desk: Desk) -> None:
    desk.models.held = older = threading.Event()
    desk.models.answers["search"] = lambda query: SearchResultPage((FoundRepository(f"of/{query.text}"),))
    desk.root.show_query("old")
    desk.wait(lambda: len(desk.models.asked) == 1)
    desk.root.show_query("new")
    desk.wait(lambda: len(desk.models.asked) == 2)
    desk.wait(lambda: len(desk.models.cancelled) == 1)
    older.set()
    desk.wait(desk.list.isVisible)
    desk.wait(lambda: len(tasks.running) == 0)
    assert desk.rows == ["of/new"]
    assert desk.models.cancelled[0].text == "old"


def test_filters_ask_anew_and_say_what_holds(desk: Desk) -> None:
    desk.search_text("qwen")
    desk.choose(desk.size.menu_now(), UP_TO_SIZE.format(n=4))
    desk.wait(lambda: len(desk.models.asked) == 2)
    for count, narrow in enumerate(
        (lambda: desk.click(desk.pictures), lambda: desk.order.choose("likes"), lambda: desk.licence.choose("mit")), 3
    ):
        narrow()
        desk.wait(lambda: len(desk.models.asked) == count)  # noqa: B023 - each before the next
    query = desk.models.asked[-1][1]
    assert (query.text, query.sort, query.most_bytes, query.license, query.vision, query.limit) == (
        "qwen", "likes", 4_000_000_000, "mit", True, 30,
    )  # fmt: skip
    assert desk.size.button.accessibleName() == "Maximum size: Up to 4 GB"


def test_nothing_found_offers_to_leave_the_filters(desk: Desk) -> None:
    desk.models.answers["search"] = lambda query: SearchResultPage(() if query.license else found(3))
    desk.licence.choose("mit")
    with announcements() as heard:
        desk.search_text("zzz")
    assert heard == [NOTHING_FOUND_FOR.format(words="zzz")]
    assert desk.said.startswith(heard[0])
    desk.press_button(SEARCH_WITHOUT_FILTERS)
    desk.wait(desk.list.isVisible)
    assert len(desk.rows) == 3
    desk.models.answers["search"] = lambda query: SearchResultPage(())
    desk.root.show_query("yyy")
    desk.wait(lambda: "yyy" in desk.said)
    assert desk.buttons == []


def test_more_keeps_the_place(desk: Desk) -> None:
    desk.models.answers["search"] = lambda query: SearchResultPage(found(min(query.limit, 70)), query.limit < 70)
    desk.search_text("qwen")
    desk.list.setFocus()
    for _ in range(20):
        QTest.keyClick(desk.list, Qt.Key.Key_Down)
    place = desk.scrolled
    assert place > 0
    desk.press_button(SHOW_MORE)
    desk.wait(lambda: len(desk.rows) == 60)
    assert desk.current_row == 20
    assert desk.scrolled == place
    desk.press_button(SHOW_MORE)
    desk.wait(lambda: len(desk.rows) == 70)
    assert not desk.more.isVisible()
    assert desk.more_told.text() == ALL_RESULTS_SHOWN.format(n=70)


def test_a_failure_of_more_leaves_the_rows(desk: Desk) -> None:
    desk.search_text("qwen")
    desk.models.answers["search"] = _raises(HubBusy("huggingface.co", 20))
    desk.press_button(SHOW_MORE)
    desk.wait(lambda: desk.more.text() == TRY_AGAIN)
    assert desk.more_told.text() == sentence_for(HubBusy("huggingface.co", 20)).text
    assert len(desk.rows) == 30
    del desk.models.answers["search"]
    desk.press_button(TRY_AGAIN)
    desk.wait(lambda: len(desk.rows) == 60)


@pytest.mark.parametrize(
    "error", [HubUnreachable("huggingface.co", "offline"), HubBusy("huggingface.co", 30), TokenRefused()]
)
def test_every_failure_is_its_sentence_in_place(desk: Desk, error: AppError) -> None:
    pressed: list[str] = []
    desk.notify.actions["network"] = lambda: pressed.append("network")
    desk.models.answers["search"] = _raises(error)
    with announcements() as heard:
        desk.search_text("qwen")
    sentence = sentence_for(error)
    assert heard == [str(sentence)]
    assert desk.said == f"{sentence.text} {sentence.kept}".strip()
    assert desk.notices == []
    assert clipped_texts(desk.root) == []
    if sentence.action == "network":
        desk.press_button(NETWORK_SETTINGS)
        assert pressed == ["network"]
    del desk.models.answers["search"]
    desk.press_button(TRY_AGAIN)
    desk.wait(desk.list.isVisible)


def test_the_network_switched_off(desk: Desk) -> None:
    desk.app.change_settings("network", allowed=False)
    desk.search_text("qwen")
    assert desk.said.startswith(NETWORK_SWITCHED_OFF)
    assert desk.models.asked == []
    desk.press_button(SWITCH_NETWORK_ON)
    assert desk.ways.sent == [("show_network",)]
    assert desk.settings.network.allowed
    desk.wait(desk.list.isVisible)
    desk.models.answers["search"] = _raises(NetworkOff())
    desk.root.show_query("gemma")
    desk.wait(lambda: desk.said.startswith(NETWORK_SWITCHED_OFF))


def test_waiting_is_said_and_can_be_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.models.held = threading.Event()
    desk.root.show_query("qwen")
    desk.wait(lambda: shows(SEARCHING_HUB, desk.said))
    desk.wait(lambda: desk.buttons == [CANCEL])
    assert is_busy(desk.root)
    desk.press_button(CANCEL)
    assert not is_busy(desk.root)
    desk.wait(lambda: len(desk.models.cancelled) == 1)
    assert "stopped" in desk.said
    desk.models.held.set()
    desk.press_button(SEARCH_AGAIN)
    desk.wait(desk.list.isVisible)


def test_a_row_opens_by_key_and_by_click_and_back_leads_to_it(desk: Desk) -> None:
    desk.search_text("qwen")
    desk.list.setFocus()
    QTest.keyClick(desk.list, Qt.Key.Key_Down)
    QTest.keyClick(desk.list, Qt.Key.Key_Return)
    desk.wait(lambda: desk.repository.repository is not None)
    assert desk.repository.root.name == "owner/model-1"
    desk.wait(desk.repository.file_rows[0].isVisible)
    focus = QApplication.focusWidget()
    assert focus in desk.repository.file_rows
    QTest.keyClick(focus, Qt.Key.Key_Escape)
    assert desk.list.isVisible()
    assert desk.current_row == 1
    place = desk.list.visualRect(desk.list.results.index(2)).center()
    QTest.mouseClick(desk.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.repository.root.name == "owner/model-2"
    desk.root.show_query("other")
    assert not desk.repository.root.isVisible()


def test_a_download_is_queued_and_told(desk: Desk) -> None:
    desk.root.open_repository("a/b")
    desk.wait(lambda: desk.repository.model is not None)
    with desk.hears(desk.root.download_wanted) as told:
        desk.click(desk.repository.download)
    ((repository, model, with_pictures),) = told
    assert (repository.name, model.tag, with_pictures) == ("a/b", "Q4_K_M", True)
    assert ("download", ("Q4_K_M", True)) in desk.models.asked
    desk.models.answers["download"] = _raises(NotEnoughDisk("/models", 9_000_000_000, 1_000_000_000))
    desk.click(desk.repository.download)
    desk.wait(lambda: len(desk.notices) == 1)


def test_rows_say_everything_to_screen_readers(desk: Desk) -> None:
    row = FoundRepository("a/b", 1_240_000, 843, 0, "apache-2.0", "manual", True, 8_000_000_000, "qwen3", 32768)
    desk.models.answers["search"] = lambda query: SearchResultPage((row, FoundRepository("a/unknown")))
    desk.search_text("b")
    index = desk.list.results.index(0)
    desk.wait(lambda: index.data(FIT_ROLE) is not None)
    said = index.data(Qt.ItemDataRole.AccessibleTextRole)
    for part in (
        "a/b",
        PICTURES,
        ASKS_FOR_CONSENT,
        PARAMETER_COUNT.format(count="8B"),
        CONTEXT_SIZE.format(n="32k"),
        "Apache-2.0",
        DOWNLOAD_COUNT.format(count="1.2M"),
        "Runs well · needs about 4.9 GB",
    ):
        assert part in said
    assert index.data(FOUND_ROLE) == row
    assert desk.list.results.index(1).data(Qt.ItemDataRole.AccessibleTextRole) == "a/unknown", "nothing is guessed"


def test_results_are_announced_once_they_are_there(desk: Desk) -> None:
    desk.models.answers["search"] = lambda _query: SearchResultPage(found(3))
    with announcements() as heard:
        desk.search_text("qwen")
    assert heard == [join_facts((MODELS_FOUND.format(words="qwen"), ALL_RESULTS_SHOWN.format(n=3)))]


def test_nothing_is_clipped(desk: Desk) -> None:
    desk.theme.zoom = 1.5
    desk.root.resize(440, 640)
    assert clipped_texts(desk.root) == []
    desk.search_text("qwen")
    assert clipped_texts(desk.root) == []
    desk.app.change_settings("network", allowed=False)
    desk.search_text("gemma")
    assert clipped_texts(desk.root) == []


# With the Hub's real client, over HTTP.


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        server.add("unsloth/Qwen3-GGUF", {"Qwen3-Q4_K_M.gguf": b"GGUF" + bytes(100), "README.md": b"# Qwen"})
        server.add("google/gemma-gguf", {"gemma-Q8_0.gguf": b"GGUF" + bytes(100)})
        yield server


@pytest.fixture
def real(desk: Desk, hub: FakeHub, fresh_home) -> Desk:  # type: ignore[no-untyped-def]
    client = HubSearch(
        Network(lambda: NetworkAccess(endpoint=hub.url), ConnectionLedger(fresh_home / "connections.jsonl"))
    )
    desk.models.answers["search"] = client.search
    desk.models.answers["repository"] = client.read_repository
    return desk


def test_from_the_search_box_to_real_rows(real: Desk) -> None:
    real.search_text("qwen")
    assert real.rows == ["unsloth/Qwen3-GGUF"]
    real.list.setFocus()
    QTest.keyClick(real.list, Qt.Key.Key_Return)
    real.wait(lambda: real.repository.model is not None)
    assert [row.model.tag for row in real.repository.file_rows] == ["Q4_K_M"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "refuse_connection"}, "server"),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "30"}}, "busy"),
        ({"kind": "html"}, "captive_portal"),
    ],
)
def test_a_hub_in_trouble(real: Desk, hub: FakeHub, fault: dict[str, object], reason: str) -> None:
    real.search_text("gemma")  # what is imported once is
    hub.fail(server="hub", path="/api/models", times=-1, **fault)
    gaps = Gaps().start()
    real.root.show_query("qwen")
    real.wait(lambda: not real.root.is_waiting)
    gaps.stop()
    assert gaps.largest_busy_ms < WORK_MS
    error = HubBusy("{host}", 30) if reason == "busy" else HubUnreachable("{host}", reason)
    assert shows(sentence_for(error).text, real.said)
    real.wait(lambda: real.buttons[:1] == [TRY_AGAIN])
    hub.heal()
    real.press_button(TRY_AGAIN)
    real.wait(real.list.isVisible)


def _raises(error: BaseException):  # type: ignore[no-untyped-def]
    def answer(_about: object) -> None:
        raise error

    return answer
