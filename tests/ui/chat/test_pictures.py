"""Pictures beside a message: pasted, dropped and chosen, counted before they go, seen large after it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel

from app.core.errors.document_errors import PictureUnreadable
from app.core.events import CancelToken
from app.engine.protocol import MediaCount
from app.features.chat import session_messages as m
from app.features.error_messages import sentence_for
from app.store.media_store import MediaUse, StoredMedia
from app.ui.chat.composer import COMPOSER_HINT, COMPOSER_HINT_WITH_PICTURES
from app.ui.chat.draft_pictures import (
    COPY_PICTURE,
    LOOKED_AT_SECONDS,
    SAVE_PICTURE,
    DetailPopup,
    NotSensed,
    PictureChip,
    count_words,
)
from app.ui.chat.large_picture import LargePicture
from app.ui.chat.pasted import CHOOSE_PICTURES
from app.ui.chat.question import PICTURES_UNSEEN
from app.ui.chat.screen_region import ScreenStill, ask_portal
from app.ui.chat.sent_pictures import SentPicture
from app.ui.shared_labels import OPEN, PICTURE_LABEL, TOKEN_COUNT, UNDO
from app.ui.widgets.picture_widgets import Thumbnail
from tests.helpers.attached import copy_files, notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.fake_portal import FakePortal
from tests.helpers.picture_files import BLUE, GREEN, RED, bomb, picture, plain
from tests.helpers.texts import shows
from tests.ui.chat.conftest import Open
from tests.ui.shell.test_desktop import bus

__all__ = ["bus"]

EYES = {"sees": True}

NO_PICTURE = sentence_for(PictureUnreadable("text.png", "not_picture")).text


def pictures_of(desk: ChatDesk) -> list[PictureChip]:
    return [chip for chip in desk.row.chips if isinstance(chip, PictureChip)]


def words_of(desk: ChatDesk) -> list[str]:
    return [f"{chip.accessibleName()}: {chip.accessibleDescription()}" for chip in pictures_of(desk)]


def sent_in(desk: ChatDesk, place: int = 0) -> list[SentPicture]:
    return [one for one in desk.question(place).findChildren(SentPicture) if one.isVisible()]


def is_there(desk: ChatDesk, count: int) -> bool:
    return len(pictures_of(desk)) == count and not desk.attaching.waits_for


def test_pictures_are_counted_sent_without_a_word_and_seen_large(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Red and blue."}, load=EYES)
    files = [picture(tmp_path / "red.png", RED, (640, 480)), picture(tmp_path / "blue.png", BLUE, (64, 96))]
    copy_files(*files)
    desk.chat.focus_composer()
    desk.paste()
    desk.wait(lambda: is_there(desk, 2) and "tokens" in words_of(desk)[1])
    assert words_of(desk) == ["Picture red.png: 640 × 480, 300 tokens", "Picture blue.png: 64 × 96, 6 tokens"]
    assert all(chip.findChild(Thumbnail).has_picture for chip in pictures_of(desk))
    assert desk.send.isEnabled()
    desk.answer_to_enter()
    assert [(one["width"], one["height"]) for one in desk.media()] == [(640, 480), (64, 96)]
    assert pictures_of(desk) == []
    red, blue = sent_in(desk)
    assert (red.accessibleName(), blue.accessibleDescription()) == (PICTURE_LABEL.format(name="red.png"), "64 × 96")
    desk.wait(lambda: red.has_picture and blue.has_picture)
    desk.click(blue)
    large = desk.chat.findChild(LargePicture)
    desk.wait(lambda: large.canvas.image.width() == 64)
    QTest.keyClick(large.canvas, Qt.Key.Key_Left)
    desk.wait(lambda: large.canvas.image.width() == 640)
    QTest.keyClick(large.canvas, Qt.Key.Key_1)
    QTest.keyClick(large.canvas, Qt.Key.Key_Plus)
    assert large.canvas.zoom == 1.25
    desk.click(large.copy)
    assert QGuiApplication.clipboard().image().size() == large.canvas.image.size()
    desk.click(large.save)
    dialog = large.findChild(QFileDialog, "save_picture")
    dialog.selectFile(str(tmp_path / "saved.png"))
    dialog.accept()
    assert (tmp_path / "saved.png").read_bytes() == files[0].read_bytes()
    large.close()


def test_pictures_of_an_answer_stand_below_its_words_and_no_model_is_shown_them(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = open_chat({"text": "Here is your cat."}, {"text": "You are welcome."}, load=EYES)
    desk.ask("Draw a cat.")
    conversation = desk.chat.conversation_id
    answer = desk.last.message
    assert answer is not None
    kept = desk.app.chat.media.add_picture(picture(tmp_path / "cat.png", RED, (640, 480)))
    desk.app.conversations.media.add_uses(answer.id, [(kept.sha256, "cat.png", 0)])
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(conversation)
    (cat,) = desk.last.findChildren(SentPicture)
    desk.wait(lambda: cat.has_picture)
    below, words = cat.mapTo(desk.last, QPoint()).y(), desk.last.body.geometry()
    assert words.bottom() < below < desk.last.height() - cat.height()
    desk.click(cat)
    large = desk.chat.findChild(LargePicture)
    desk.wait(lambda: large.canvas.image.width() == 640)
    large.close()
    desk.ask("Thank you.")
    assert not any(desk.media())
    assert "not visible" not in str(desk.prompts()[-1])


def test_a_pasted_one_is_kept_and_comes_back_with_the_draft(open_chat: Open) -> None:
    desk = open_chat(load=EYES)
    data = QMimeData()
    data.setImageData(plain(30, 20, GREEN))
    QGuiApplication.clipboard().setMimeData(data)
    desk.chat.focus_composer()
    desk.paste()
    desk.wait(lambda: is_there(desk, 1))
    assert words_of(desk)[0].startswith("Picture Pasted picture.png: 30 × 20")
    desk.chat.show_temporary()
    assert pictures_of(desk) == []
    desk.chat.show_conversation(None)
    desk.wait(lambda: is_there(desk, 1) and pictures_of(desk)[0].findChild(Thumbnail).has_picture)
    QTest.keyClick(pictures_of(desk)[0], Qt.Key.Key_Delete)
    assert pictures_of(desk) == []
    desk.press_notice(UNDO)
    desk.wait(lambda: is_there(desk, 1))


def test_bad_ones_say_why_and_the_others_go_on(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "One."}, load=EYES)
    text = notes(tmp_path / "text.png", "no picture")
    desk.attaching.add([text, bomb(tmp_path / "bomb.png"), picture(tmp_path / "good.png")])
    desk.type("What is it?")
    desk.press(Qt.Key.Key_Return)  # it waits until all are there; one is missing, so it stays
    desk.wait(lambda: is_there(desk, 3))
    assert NO_PICTURE in words_of(desk)[0] and "30,000 × 30,000" in words_of(desk)[1]
    assert desk.message == "What is it?" and desk.message_count == 0
    for chip in pictures_of(desk)[:2]:
        desk.click(chip.remove)
    desk.answer_to_enter()
    (good,) = sent_in(desk)
    menu = desk.picture_menu(good)
    assert desk.menu_lines(menu) == [OPEN, COPY_PICTURE, SAVE_PICTURE]
    QGuiApplication.clipboard().clear()
    desk.click_menu(menu, COPY_PICTURE)
    desk.wait(lambda: QGuiApplication.clipboard().image().width() == 64)


def test_one_for_which_the_model_has_no_room_is_told_and_kept(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Fine."}, load=EYES | {"context_tokens": 256})
    desk.attaching.add([picture(tmp_path / "a.png", RED, (640, 480))])
    desk.wait(lambda: is_there(desk, 1) and TOKEN_COUNT.format(count=300) in words_of(desk)[0])
    desk.ask("What is it?")
    assert "311" in desk.last_state
    assert len(sent_in(desk)) == 1


def test_how_long_looking_takes_at_least_is_said_where_that_is_long() -> None:
    use = MediaUse(1, StoredMedia("0" * 64, "picture", "png", 1000, 640, 480), 0, "a.png")
    count = MediaCount(1020, 1020, 17, 640, 480, 49.4)
    assert count_words(use, count) == "640 × 480, 1,020 tokens, takes at least 49 s to process"
    assert not shows(LOOKED_AT_SECONDS, count_words(use, replace(count, seconds=1.9)))


def test_without_eyes_they_are_kept_and_it_is_said(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "I cannot see it."})
    desk.attaching.add([picture(tmp_path / "a.png")])
    desk.wait(lambda: is_there(desk, 1))
    assert words_of(desk) == ["Picture a.png: 64 × 48, not shown"]
    line = next(one for one in desk.every(NotSensed) if one.isVisible())
    assert line.isVisible()
    wanted = desk.hear_requests(m.FindVisionModel)
    desk.click(line.models)
    assert wanted
    desk.ask("What is it?")
    assert not desk.media()
    assert len(sent_in(desk)) == 1
    assert desk.question().findChild(QLabel, "unseen").text() == PICTURES_UNSEEN


def test_more_or_less_detail_where_the_model_has_a_choice(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat({"text": "Fine."}, load=EYES)
    desk.attaching.add([picture(tmp_path / "a.png", RED, (640, 480))])
    desk.wait(lambda: is_there(desk, 1) and pictures_of(desk)[0].detail.isVisible())
    desk.click(pictures_of(desk)[0].detail)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, DetailPopup) and TOKEN_COUNT.format(count=300) in popup.words.text()
    QTest.keyClick(popup.slider, Qt.Key.Key_Home)
    assert TOKEN_COUNT.format(count=64) in popup.words.text() and TOKEN_COUNT.format(count=64) in words_of(desk)[0]
    QTest.keyClick(popup, Qt.Key.Key_Escape)
    desk.ask("What is it?")
    assert desk.media()[0]["most_tokens"] == 64


def test_who_sees_is_offered_pictures(open_chat: Open, tmp_path: Path) -> None:
    blind = open_chat()
    assert CHOOSE_PICTURES not in blind.composer_entries()
    assert blind.composer.asks == COMPOSER_HINT
    desk = open_chat(load=EYES)
    assert desk.composer.asks == COMPOSER_HINT_WITH_PICTURES
    desk.choose_entry(CHOOSE_PICTURES)
    dialog = desk.find_step(QFileDialog, "pictures_dialog")
    dialog.filesSelected.emit([str(picture(tmp_path / "a.webp"))])
    dialog.close()
    desk.wait(lambda: is_there(desk, 1))
    assert words_of(desk)[0].startswith("Picture a.webp: 64 × 48")


def test_a_part_of_a_still_is_taken(open_chat: Open) -> None:
    desk = open_chat(load=EYES)
    taken: list[QImage] = []
    still = ScreenStill(desk.theme, QPixmap.fromImage(plain(400, 300, BLUE)), take=taken.append)
    still.resize(200, 150)
    QTest.mousePress(still, Qt.MouseButton.LeftButton, pos=QPoint(10, 20))
    QTest.mouseMove(still, QPoint(60, 50))
    QTest.mouseRelease(still, Qt.MouseButton.LeftButton, pos=QPoint(60, 50))
    image = taken[0]
    assert (image.width(), image.height()) == (102, 62)  # a screen of two pixels for each that Qt counts
    QTest.keyClick(still, Qt.Key.Key_Escape)
    assert taken[1].isNull()
    still.deleteLater()


@pytest.mark.parametrize(("code", "path"), [(0, Path("/tmp/a part.png")), (1, None)])
def test_on_wayland_the_desktop_asks_which_part(bus: object, code: int, path: Path | None) -> None:
    portal = FakePortal(code=code)
    try:
        assert ask_portal(CancelToken()) == path
        assert portal.calls[0][1][1]["interactive"] == ("b", True)
    finally:
        portal.close()


def test_a_desktop_without_a_portal_is_a_failure_to_tell(bus: object) -> None:
    with pytest.raises(OSError, match="portal"):
        ask_portal(CancelToken())
