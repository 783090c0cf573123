"""In a language with longer words, also from right to left, nothing is cut and nothing stays English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.catalogue import tr
from app.core.installed_languages import ENGLISH
from app.store.projects import Tags
from app.ui.chat.chat_view import ChatView
from app.ui.shared_labels import TRY_AGAIN
from app.ui.shown_texts import rewrite_text
from app.ui.window_language import MIRRORED, PSEUDO, use_language
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.untranslated import untranslated_texts
from tests.helpers.window_tour import cut_texts, open_windows, shown_in, wait_for_models, walk_settings, walk_tabs


@pytest.fixture(params=[PSEUDO, MIRRORED])
def whole(
    request: pytest.FixtureRequest, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Frame]:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with shown_in(qapp, request.param), open_window(qapp, make_chat=ChatView) as frame:
        yield frame


def english_texts() -> list[str]:
    """What is English in any open window."""
    return [f"English: {line}" for window in open_windows() for line in untranslated_texts(window)]


def test_every_tab_and_every_page_of_the_settings_has_room_for_longer_words(whole: Frame, qtbot: QtBot) -> None:
    wait_for_models(whole, qtbot)
    found = [f"{place}: {line}" for place in walk_tabs(whole) for line in [*cut_texts(), *english_texts()]]
    assert not found, "\n".join(found)

    found = [f"{place}: {line}" for place in walk_settings(whole) for line in [*cut_texts(), *english_texts()]]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("whole", [ENGLISH], indirect=True)
def test_what_is_open_changes_with_the_language(whole: Frame, qapp: QApplication, qtbot: QtBot) -> None:
    wait_for_models(whole, qtbot)
    for _place in walk_tabs(whole):
        assert not cut_texts()
    use_language(qapp, PSEUDO)
    found = [f"{place}: {line}" for place in walk_tabs(whole) for line in [*cut_texts(), *english_texts()]]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("whole", [ENGLISH], indirect=True)
def test_words_of_a_person_that_are_also_the_program_s_stay(whole: Frame, qapp: QApplication) -> None:
    title = tr(TRY_AGAIN)
    assert rewrite_text(title) == title
    whole.app.pages.create(title)
    project = whole.app.preambles.projects.create(title, "house")
    chat = whole.conversations.create(title=title)
    whole.conversations.update(chat.id, project_id=project.id)
    tags = Tags(whole.app.database)
    tags.set_tag(tags.create(title).id, chat.id)
    whole.chats.reload()
    whole.show_chat(chat.id)
    before = [*texts_like(whole.window, title)]
    assert len(before) > 2
    use_language(qapp, PSEUDO)
    assert [*texts_like(whole.window, title)] == before
    assert rewrite_text(tr(TRY_AGAIN)) != title


def texts_like(window: QWidget, words: str) -> list[str]:
    """Every place of a window with these words."""
    return [
        f"{type(widget).__name__} {widget.objectName()} {name}"
        for widget in (window, *window.findChildren(QWidget))
        for name in ("windowTitle", "text", "toolTip", "accessibleName", "accessibleDescription")
        if isinstance(text := widget.property(name), str) and words in text
    ]
