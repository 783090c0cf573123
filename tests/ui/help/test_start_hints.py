"""Newcomers get three hints, each once; people with data none; an update tells where its changes are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from app import __version__
from app.core.catalogue import TextCatalogue, tr, use_catalogue
from app.core.events import Role
from app.core.installed_languages import ENGLISH, OWN_NAMES, load_texts
from app.features.help_pages import CHANGES, WHATS_NEW
from app.store.conversations import MessageState
from app.ui.help.help_window import CHANGES_IN_ENGLISH, HelpWindow
from app.ui.help.start_hints import HINTS, NOW_USING, StartHints
from app.ui.shared_labels import HELP
from tests.helpers.desks.window import Frame, open_window

MANY = 20


@pytest.fixture
def frame(qapp: QApplication) -> Iterator[Frame]:
    with open_window(qapp) as frame:
        yield frame


def begin(frame: Frame) -> StartHints:
    """As at a start of the program."""
    hints = StartHints(frame.app, frame.notify, frame.window)
    hints.begin()
    return hints


def give_answer(frame: Frame, hints: StartHints, state: MessageState = MessageState.COMPLETE) -> list[str]:
    """Finishes an answer in a new chat; returns the notices that are there then."""
    conversations = frame.app.conversations
    answer = conversations.add_message(conversations.create(title="Cats").id, None, Role.ASSISTANT, "")
    conversations.finish_message(answer.id, "Miaow.", state)
    hints.on_answer(answer.id)
    return [notice.text for notice in frame.notify.bar.notices]


def dismiss_all(frame: Frame) -> None:
    for notice in list(frame.notify.bar.notices):
        notice.dismiss()


def test_a_newcomer_gets_each_hint_once_and_one_at_a_time(frame: Frame) -> None:
    hints = begin(frame)
    assert frame.notify.bar.notices == [], "nothing before the first answer"
    assert give_answer(frame, hints, MessageState.STOPPED) == []
    assert give_answer(frame, hints) == [str(HINTS[0])]
    for _ in range(MANY):
        assert give_answer(frame, hints) == [str(HINTS[0])], "until it is dismissed"
    told = []
    for _ in range(MANY):
        dismiss_all(frame)
        told += give_answer(frame, hints)
    assert told == [str(HINTS[1]), str(HINTS[2])]


def test_people_with_chats_get_no_hints_and_no_news_at_the_first_start_with_help(frame: Frame) -> None:
    frame.app.conversations.create(title="From before")
    hints = begin(frame)
    assert [give_answer(frame, hints) for _ in range(MANY)] == [[]] * MANY
    assert frame.app.settings.help.seen_version == __version__


def test_an_update_is_told_once_with_a_button_to_what_changed(frame: Frame) -> None:
    frame.app.change_settings("help", seen_version="0.0.9", hints_shown=1)
    begin(frame)
    assert [notice.text for notice in frame.notify.bar.notices] == [str(NOW_USING)]
    frame.click(next(b for b in frame.notify.bar.notices[0].buttons if b.text() == WHATS_NEW))
    window = frame.find_step(HelpWindow)
    assert window.page == CHANGES
    window.close()
    assert frame.app.settings.help.hints_shown == 1
    dismiss_all(frame)
    begin(frame)
    assert frame.notify.bar.notices == []


@pytest.mark.parametrize("language", [code for code in OWN_NAMES if code != ENGLISH])
def test_hints_and_what_is_new_are_told_in_every_language(language: str) -> None:
    use_catalogue(load_texts(language))
    try:
        messages = {message.english: message.text for message in (*HINTS, NOW_USING)}
        labels = {label: tr(label) for label in (WHATS_NEW, HELP, CHANGES_IN_ENGLISH)}
    finally:
        use_catalogue(TextCatalogue())
    assert [english for english, shown in (messages | labels).items() if shown == english] == []
