"""The help is in the language of the window, says where a page is not, and goes along when the language changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget

from app.core.installed_languages import ENGLISH
from app.core.paths import resource_path
from app.features.help_pages import CHANGES, WHATS_NEW, load_help_page, source_version
from app.ui.help.help_window import CHANGES_IN_ENGLISH, NOT_TRANSLATED, OUTDATED, HelpWindow, show_help, shown_keys
from app.ui.i18n import tr
from app.ui.text.formats import cursor_over
from app.ui.text.text_view import TextView
from app.ui.window_language import use_language
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.window_tour import settle, shown_in

TRANSLATED, OTHER, ARABIC = "start", "chat", "اكتب رسالة واضغط `Enter`."


@pytest.fixture
def frame(qapp: QApplication) -> Iterator[Frame]:
    with shown_in(qapp, ENGLISH), open_window(qapp) as frame:
        frame.activate()
        yield frame


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the English pages, in which those of other languages are to be put."""
    (tmp_path / "help").mkdir()
    (tmp_path / "help/en").symlink_to(resource_path("help/en"))
    monkeypatch.setattr("app.features.help_pages.resource_path", lambda name: tmp_path / name)
    return tmp_path / "help"


def put_page(pages: Path, language: str, name: str, text: str, *, is_outdated: bool = False) -> None:
    version = "0" * 12 if is_outdated else source_version(pages / f"en/{name}.md")
    (pages / language).mkdir(exist_ok=True)
    (pages / language / f"{name}.md").write_text(f"<!-- english: {version} -->\n{text}", "utf-8")


def words_of(window: HelpWindow) -> str:
    return "\n".join(view.toPlainText() for part in window.view.texts for view in part.body.findChildren(TextView))


def note_of(window: HelpWindow) -> str:
    return window.view.note.text() if window.view.note.isVisible() else ""


def test_a_page_of_the_program_is_shown_in_german(frame: Frame, qapp: QApplication) -> None:
    use_language(qapp, "de")
    window = show_help(frame.theme, TRANSLATED, frame.window)
    german = load_help_page(TRANSLATED, "de")
    assert german.language == "de"
    assert (window.view.title.text(), window.list.currentIndex().data()) == (german.title, german.title)
    assert german.plain_text.splitlines()[0] in words_of(window)
    assert note_of(window) == ("" if not german.is_outdated else tr(OUTDATED))


def test_a_page_that_is_missing_or_outdated_says_so_and_is_shown(frame: Frame, qapp: QApplication, pages: Path) -> None:
    put_page(pages, "de", TRANSLATED, "# Anfang\n\nWillkommen.")
    put_page(pages, "de", OTHER, "# Chatten\n\nEinfach tippen.", is_outdated=True)
    use_language(qapp, "de")
    window = show_help(frame.theme, TRANSLATED, frame.window)
    assert (words_of(window), note_of(window)) == ("Willkommen.", "")
    window.show_page(OTHER)
    assert (words_of(window), note_of(window)) == ("Einfach tippen.", tr(OUTDATED))
    window.show_page("write")
    assert (window.view.title.text(), note_of(window)) == (load_help_page("write", ENGLISH).title, tr(NOT_TRANSLATED))
    window.show_page(CHANGES)
    assert (window.view.title.text(), note_of(window)) == (tr(WHATS_NEW), tr(CHANGES_IN_ENGLISH))


def test_an_open_page_and_what_was_searched_go_along_with_the_language(
    frame: Frame, qapp: QApplication, pages: Path
) -> None:
    put_page(pages, "de", TRANSLATED, "# Anfang\n\nWillkommen.")
    put_page(pages, "de", OTHER, "# Chatten\n\nEinfach tippen.")
    window = show_help(frame.theme, OTHER, frame.window)
    window.show_page(TRANSLATED)
    use_language(qapp, "de")
    settle()
    assert (window.view.title.text(), words_of(window)) == ("Anfang", "Willkommen.")
    assert window.list.currentIndex().data() == "Anfang"
    assert window.windowTitle().startswith("Hilfe: Anfang")
    window.go_back()
    assert words_of(window) == "Einfach tippen."
    window.search.field.setText("tippen")
    assert window.search.titles == ["Chatten"]
    use_language(qapp, ENGLISH)
    settle()
    assert window.search.titles == []
    assert window.view.title.text() == load_help_page(OTHER, ENGLISH).title


def test_an_arabic_page_begins_at_the_right_and_an_english_one_at_the_left_of_the_same_window(
    frame: Frame, qapp: QApplication, pages: Path
) -> None:
    put_page(pages, "ar", TRANSLATED, f"# الخطوات الأولى\n\n{ARABIC}")
    use_language(qapp, "ar")
    window = show_help(frame.theme, TRANSLATED, frame.window)
    window.resize(1100, 640)
    settle()

    def edges(widget: QWidget) -> tuple[int, int]:
        left = widget.mapTo(window.view, QPoint(0, 0)).x()
        return left, window.view.width() - left - widget.width()

    (part,) = window.view.texts
    left, right = edges(part.body)
    assert right < left
    window.show_page(OTHER)
    settle()
    left, right = edges(window.view.texts[0].body)
    assert left < right
    assert note_of(window) == tr(NOT_TRANSLATED)
    assert window.view.note.isRightToLeft()


def test_keys_run_from_left_to_right_within_a_line_from_the_right(
    frame: Frame, qapp: QApplication, pages: Path
) -> None:
    put_page(pages, "ar", TRANSLATED, "# الخطوات الأولى\n\nتحفظ (`Ctrl+,`) كل تغيير.")
    use_language(qapp, "ar")
    window = show_help(frame.theme, TRANSLATED, frame.window)
    settle()
    view = next(view for view in window.findChildren(TextView) if "Ctrl" in view.toPlainText())
    begin = view.toPlainText().index("Ctrl")
    places = [view.cursorRect(cursor_over(view.document(), at, at)).x() for at in range(begin + 1, begin + 6)]
    assert places == sorted(set(places))


def test_keys_are_written_as_in_the_menus_and_other_code_stays(qapp: QApplication) -> None:
    with shown_in(qapp, "de"):
        assert shown_keys("Ctrl+K") == "Strg+K"
        assert shown_keys("Shift+Enter") == "Umschalt+Enter"
        assert [shown_keys(code) for code in ("tag:work", "/", "{{topic}}")] == ["tag:work", "/", "{{topic}}"]
    assert [shown_keys(code) for code in ("Ctrl+K", "Shift+Enter", "Ctrl++")] == ["Ctrl+K", "Shift+Enter", "Ctrl++"]
