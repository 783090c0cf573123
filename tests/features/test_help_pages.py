"""The pages of help name only what the program has, lead only to each other, and are found by their words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.paths import resource_path
from app.core.po_file import read_messages
from app.features.help_pages import CHANGES, help_picture, load_help_page, search_help
from app.ui.help.help_topics import PAGES, SCREENS, page_of
from app.ui.shell.keyboard import LIST_SHORTCUTS, WINDOW_SHORTCUTS
from app.ui.shell.settings_index import PAGES as SETTINGS_PAGES
from app.ui.tab_list import TABS

ENGLISH_PAGES = [name for name in PAGES if name != CHANGES]
SHORTEST_PAGE = 200
TYPED = {"/", "tag:work", "project:house", "{{topic}}", "F1", "Tab", "F3", "Up"}
"""What pages write as code that is no shortcut of a table."""
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
"""Names of the program. A bold beginning of a paragraph ends with its colon or full stop."""
_CODE = re.compile(r"(?<!`)`([^`]+)`")
_LINK = re.compile(r"\]\(([^)]+)\.md\)")
_SETTINGS = re.compile(r"Settings › (\w[\w ]*?)(?: › |[.,:;)]| has| names|$)", re.MULTILINE)


def english(name: str) -> str:
    """The source of a page."""
    return resource_path(f"help/en/{name}.md").read_text("utf-8")


@pytest.fixture(scope="module")
def known_texts() -> set[str]:
    """Every text of the program, without the dots of what opens a dialog."""
    messages = read_messages(resource_path("translations/de.po").read_text("utf-8"))
    return {message.text.rstrip("…") for message in messages}


def test_every_page_is_listed_once_and_every_listed_page_is_there() -> None:
    assert sorted(path.stem for path in resource_path("help/en").glob("*.md")) == sorted(ENGLISH_PAGES)
    assert len(set(PAGES)) == len(PAGES)
    for name in PAGES:
        page = load_help_page(name, "en")
        assert page.title
        assert len(page.markdown) > SHORTEST_PAGE


def test_every_screen_has_a_page() -> None:
    assert set(SCREENS.values()) <= set(PAGES)
    assert {f"settings/{page.name}" for page in SETTINGS_PAGES} <= set(SCREENS)
    assert {spec.name for spec in TABS} <= set(SCREENS)
    commands = {f"models/{command.name}" for spec in TABS if spec.name == "models" for command in spec.commands}
    assert commands <= set(SCREENS)
    assert page_of("write/another part") == "write"
    assert page_of("memories") == "memories"


@pytest.mark.parametrize("name", ENGLISH_PAGES)
def test_what_a_page_names_is_in_the_program(name: str, known_texts: set[str]) -> None:
    source = english(name)
    names = [text for text in _BOLD.findall(source) if not text.endswith((":", "."))]
    assert [text for text in names if text.rstrip("…") not in known_texts] == []
    labels = {str(page.label) for page in SETTINGS_PAGES}
    assert [label for label in _SETTINGS.findall(source) if label not in labels] == []


@pytest.mark.parametrize("name", ENGLISH_PAGES)
def test_the_keys_of_a_page_are_those_of_the_program(name: str) -> None:
    keys = {key for shortcut in WINDOW_SHORTCUTS for key in shortcut.keys} | {key for key, _ in LIST_SHORTCUTS}
    keys |= {key for spec in TABS for key in (*spec.keys, *(key for key, _ in spec.shortcuts))}
    known = {key.replace("Return", "Enter") for key in keys} | TYPED
    assert [code for code in _CODE.findall(english(name)) if code not in known] == []


@pytest.mark.parametrize("name", ENGLISH_PAGES)
def test_links_lead_to_pages_and_pictures_are_taken_by_make_pictures(name: str) -> None:
    source = english(name)
    assert set(_LINK.findall(source)) <= set(PAGES)
    screens = "\n".join(path.read_text("utf-8") for path in Path("packaging").glob("*.py"))
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", source)
    assert [picture for picture in pictures if f'"{picture}"' not in screens] == []


def test_a_page_in_another_language_comes_before_the_english_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language, text in (("en", "# Chat\n\nType."), ("de", "# Chatten\n\nTippen.")):
        folder = tmp_path / "resources/help" / language
        folder.mkdir(parents=True)
        (folder / "chat.md").write_text(text, "utf-8")
    monkeypatch.setattr("app.features.help_pages.resource_path", lambda name: tmp_path / "resources" / name)
    assert load_help_page("chat", "de").title == "Chatten"
    assert load_help_page("chat", "fr").title == "Chat"
    assert help_picture("chat", is_dark=False) is None


def test_a_search_finds_pages_with_all_words_titles_first() -> None:
    hits = search_help(PAGES, "memor", "en")
    assert hits[0].page.name == "memories"
    assert all("memor" in f"{hit.page.title} {hit.page.plain_text}".lower() for hit in hits)
    found = search_help(PAGES, "passphrase lock", "en")
    assert "your-data" in [hit.page.name for hit in found]
    snippet, marks = found[0].snippet, found[0].marks
    assert "**" not in snippet
    assert {snippet[start:end].lower() for start, end in marks} & {"lock", "passphrase"}
    assert search_help(PAGES, "zzqx", "en") == []
