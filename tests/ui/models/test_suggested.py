"""The suggestions: what is said of each, one click to fetch, and the download on its card."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors.hub_errors import HubUnreachable
from app.ui.models.models_tab import NEEDS, SPEED, STARTER_LEAD, USE_LABELS
from app.ui.shared_labels import (
    CANCEL,
    DETAILS,
    DOWNLOAD,
    DOWNLOAD_SIZE,
    IN_USE,
    ON_THIS_COMPUTER,
    PAUSE,
    TRY_AGAIN,
)
from tests.helpers.texts import shows
from tests.ui.models.stand_in import QWEN, SMALL, Pages, download, installed


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
