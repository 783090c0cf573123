"""The suggestions: what is said of each, one click to fetch, and the download on its card."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors.hub_errors import HubUnreachable
from app.ui.models.installed_page import INSTALLED
from app.ui.models.models_tab import NEEDS, SPEED, STARTER_LEAD, USE_LABELS
from app.ui.shared_labels import (
    ASKING_HUB,
    CANCEL,
    DETAILS,
    DOWNLOAD,
    DOWNLOAD_SIZE,
    DOWNLOADS,
    IN_USE,
    ON_THIS_COMPUTER,
    PAUSE,
    RESUME,
    TRY_AGAIN,
    USE_IN_CHAT,
)
from app.ui.shell import tasks
from tests.helpers.texts import shows
from tests.ui.models.stand_in import QWEN, SMALL, TRANSLATOR, Pages, download, installed


def shown(pages: Pages) -> list[str]:
    return [card.name.text() for card in pages.cards("suggested")]


def buttons(pages: Pages, name: str) -> list[str]:
    return [button.text() for button in pages.card(name).buttons.values() if not button.isHidden()]


def open_page(pages: Pages, qtbot: QtBot) -> None:
    pages.show("suggested")
    qtbot.waitUntil(lambda: len(shown(pages)) == 3)


def test_each_says_whether_it_fits_and_how_fast_it_is(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    assert shown(pages) == ["Qwen3.5 9B", "Qwen3.5 2B", "Gemma 4 26B A4B"]
    first = pages.card("Qwen3.5 9B")
    assert first.badge.text == "Fits"
    assert f"{SPEED} 6 tokens/s, {NEEDS} 7.4 GB, {DOWNLOAD} 5.7 GB, 8 min" in first.accessibleDescription()
    told = "About 6 tokens/s, slower than you read · about 8 min at 100 Mbit/s · balanced (Q4_K_M) · Apache-2.0"
    assert told in first.toolTip()
    assert pages.card("Qwen3.5 2B").badge.text == "Runs well"
    large = pages.card("Gemma 4 26B A4B")
    assert large.badge.text == "Too large"
    assert f"{NEEDS} 16.1 GB, 9.8 GB free" in large.accessibleDescription()
    assert shows(STARTER_LEAD, pages.lead("suggested"))


def test_only_the_first_that_fits_has_the_accent_and_one_too_large_has_no_download(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    kinds = [pages.card(name).buttons["download"].property("kind") for name in shown(pages)]
    assert kinds == ["primary", "plain", "plain"]
    assert buttons(pages, "Qwen3.5 9B") == [DOWNLOAD_SIZE.format(size="5.7 GB")]
    assert buttons(pages, "Gemma 4 26B A4B") == [DETAILS]


def test_a_click_fetches_and_the_card_shows_how_far(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    assert pages.queue.all() == []
    qtbot.mouseClick(pages.card("Qwen3.5 9B").buttons["download"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: buttons(pages, "Qwen3.5 9B") == [PAUSE, CANCEL])
    pages.queue.put(download(1, QWEN, "running", 0.25))
    card = pages.card("Qwen3.5 9B")
    qtbot.waitUntil(lambda: "1.4 GB of 5.7 GB · 11 MB/s · about 6 min left" in card.accessibleDescription())
    assert card.progress.isVisible()
    assert card.progress.value() == 250


def test_pause_resume_and_cancel_reach_the_queue(pages: Pages, qtbot: QtBot) -> None:
    pages.queue.put(download(1, QWEN, "running", 0.25))
    open_page(pages, qtbot)
    card = pages.card("Qwen3.5 9B")
    qtbot.mouseClick(card.buttons["pause"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: buttons(pages, "Qwen3.5 9B") == [RESUME, CANCEL])
    qtbot.mouseClick(card.buttons["cancel"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: buttons(pages, "Qwen3.5 9B") == [DOWNLOAD_SIZE.format(size="5.7 GB")])
    assert pages.queue.calls == [("pause", 1), ("cancel", 1)]


def test_an_unreachable_hub_is_said_with_a_second_try(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    pages.models.problem = HubUnreachable("huggingface.co", "timeout")
    qtbot.mouseClick(pages.card("Qwen3.5 9B").buttons["download"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(pages.notices) == 1)
    assert buttons(pages, "Qwen3.5 9B") == [DOWNLOAD_SIZE.format(size="5.7 GB")]
    pages.models.problem = None
    again = next(b for b in pages.notice.findChildren(QPushButton) if b.text() == TRY_AGAIN)
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(pages.queue.all()) == 1)


def test_asking_the_hub_can_be_cancelled(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    pages.models.may_answer.clear()
    card = pages.card("Qwen3.5 9B")
    qtbot.mouseClick(card.buttons["download"], Qt.MouseButton.LeftButton)
    assert shows(ASKING_HUB, card.accessibleDescription())
    qtbot.mouseClick(card.buttons["cancel"], Qt.MouseButton.LeftButton)
    assert buttons(pages, "Qwen3.5 9B") == [DOWNLOAD_SIZE.format(size="5.7 GB")]


def test_one_that_is_here_can_be_used_and_then_says_so(pages: Pages, qtbot: QtBot) -> None:
    pages.models.ours.append(installed("Qwen3.5 2B", 1.3))
    open_page(pages, qtbot)
    assert pages.card("Qwen3.5 2B").badge.text == ON_THIS_COMPUTER
    qtbot.mouseClick(pages.card("Qwen3.5 2B").buttons["use"], Qt.MouseButton.LeftButton)
    assert pages.ways.sent == [("show_tab", "chat")]
    assert [path.name for path in pages.loader.loaded] == [SMALL.file]
    assert pages.card("Qwen3.5 2B").badge.text == IN_USE
    assert buttons(pages, "Qwen3.5 2B") == []


def test_another_task_has_other_models_which_it_keeps(pages: Pages, qtbot: QtBot) -> None:
    pages.models.ours.append(installed("Hy-MT2 1.8B", 1.1))
    open_page(pages, qtbot)
    pages.click(pages.button("Models for: Translate"))
    qtbot.waitUntil(lambda: shown(pages) == ["Hy-MT2 1.8B"])
    assert buttons(pages, "Hy-MT2 1.8B") == [USE_LABELS["translate"]]
    qtbot.mouseClick(pages.card("Hy-MT2 1.8B").buttons["use"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pages.card("Hy-MT2 1.8B").badge.text == IN_USE)
    assert pages.models.calls[-1][:2] == ("use", "translate")
    assert pages.loader.loaded == []


def test_return_on_a_card_does_its_first_thing_and_arrows_go_to_the_next(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    pages.window.activateWindow()
    first, second = pages.card("Qwen3.5 9B"), pages.card("Qwen3.5 2B")
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    qtbot.waitUntil(second.hasFocus)
    qtbot.keyClick(second, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [one.request.title for one in pages.queue.all()] == ["Qwen3.5 2B"])


def test_a_finished_download_turns_into_a_model_to_use(pages: Pages, qtbot: QtBot) -> None:
    pages.queue.put(download(1, SMALL, "running", 0.9))
    open_page(pages, qtbot)
    done = dataclasses.replace(download(1, SMALL, "done"))
    pages.models.ours.append(installed("Qwen3.5 2B", 1.3))
    pages.queue.put(done)
    qtbot.waitUntil(lambda: buttons(pages, "Qwen3.5 2B") == [USE_IN_CHAT])
    qtbot.waitUntil(lambda: pages.link("installed").text() == f"{INSTALLED} · 5")


def test_progress_of_other_downloads_asks_nothing(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    pages.queue.put(download(7, TRANSLATOR, "running", 0.1))
    qtbot.waitUntil(lambda: pages.link("downloads").text() == f"{DOWNLOADS} · 1")
    qtbot.waitUntil(lambda: len(tasks.running) == 0)
    asked = pages.models.asked
    for share in (0.2, 0.3, 0.4):
        pages.queue.put(download(7, TRANSLATOR, "running", share))
    row = pages.cards("downloads")[0]
    qtbot.waitUntil(lambda: row.progress.value() == 400)
    qtbot.waitUntil(lambda: len(tasks.running) == 0)
    assert pages.models.asked == asked
