"""The pages of help name only what the program has, lead only to each other, and are found by their words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.catalogue import TextCatalogue, read_catalogue, use_catalogue
from app.core.installed_languages import ENGLISH, built_in_file
from app.core.paths import resource_path
from app.core.po_file import read_messages
from app.features.help_pages import (
    CHANGES,
    WHATS_NEW,
    help_picture,
    load_help_page,
    search_help,
    source_version,
)
from app.language.scripts import is_right_to_left
from app.ui.help.help_topics import COMMANDS, PAGES, ROWS, SCREENS, find_keywords, page_of
from app.ui.shell.keyboard import LIST_SHORTCUTS, WINDOW_SHORTCUTS
from app.ui.shell.settings_index import PAGES as SETTINGS_PAGES
from app.ui.tab_list import TABS

ENGLISH_PAGES = [name for name in PAGES if name != CHANGES]
SHORTEST_PAGE = 200
TYPED = {"/", "tag:work", "project:house", "{{topic}}", "F1", "Tab", "F3", "Up", "Down", "Left"}
"""What pages write as code that is no shortcut of a table."""
ASKED = {
    "en": (
        "dark mode > appearance", "bigger letters > appearance", "color theme > appearance",
        "increase contrast > appearance", "interface language german > appearance", "GPU > performance",
        "RAM full > performance check", "too slow > performance check", "graphics card not used > performance check",
        "context window size > performance", "CPU cores > performance", "remove chat > chat your-data",
        "restore deleted conversation > your-data chat", "trash bin > your-data", "backup my data > your-data",
        "encrypt with password > your-data", "where are files stored > your-data models",
        "export conversation as pdf > chat your-data finding", "microphone > voice", "speech to text > voice",
        "text to speech > voice", "read out loud > voice", "hotkeys > keyboard", "shortcut list > keyboard",
        "work offline > network", "firewall > network", "telemetry > network", "huggingface login > network hub",
        "error message > check", "bug report > check", "crash > check", "attach pdf > documents",
        "upload file > documents", "OCR scanned > documents system", "system prompt > assistants chat",
        "persona > assistants", "OpenAI API > servers", "share model with another computer > servers",
        "internet search > tools network", "plugin mcp > tools", "remember facts about me > memories",
        "summary of a long report > summarize", "dictionary of terms > translate", "autocomplete code > write",
        "token probabilities > inside", "gguf file > models", "install a model > models hub",
        "resume broken download > hub check", "folders for chats > projects", "minimize to tray > system quick-ask",
        "benchmark models side by side > compare", "night theme > appearance", "change font > appearance",
        "stop animations > appearance", "vram > performance", "number of cores > performance",
        "erase conversation > your-data chat", "move to a new computer > your-data",
        "talk instead of typing > voice", "internet access off > network", "company proxy > network",
        "subtitles of a recording > documents", "drag and drop document > documents",
        "roleplay character > assistants", "lm studio > models your-data", "arena > compare",
        "spell checker > chat write", "incognito > chat", "command palette > finding", "fill in the middle > write",
        "screenshot > documents",
    ),
    "de": (
        "Dunkelmodus > appearance", "größere Schrift > appearance", "Grafikkarte > performance",
        "Arbeitsspeicher > performance check models", "langsam > performance check", "Mikrofon > voice",
        "Diktat > voice", "Tastenkürzel > keyboard", "Papierkorb > your-data", "Datensicherung > your-data",
        "verschlüsseln Passwort > your-data", "Datenschutz > network", "Fehlermeldung > check",
        "PDF anhängen > documents", "Wörterbuch Fachbegriffe > translate", "Rolle für das Modell > assistants",
        "API für andere Programme > servers",
    ),
    "ja": (
        "ダークモード > appearance", "文字を大きくする > appearance", "GPU > performance",
        "メモリ不足 > performance check", "遅い > performance check", "マイク > voice", "音声入力 > voice",
        "ショートカット > keyboard", "ゴミ箱 > your-data", "バックアップ > your-data", "暗号化 > your-data",
        "プライバシー > network", "エラー > check", "PDFを添付 > documents", "用語集 > translate",
        "システムプロンプト > assistants chat", "スキャン > documents system",
    ),
}  # fmt: skip
"""Questions in other words than the pages have, and the pages of which one is to be among the first three."""
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


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for pages in place of the program's."""
    monkeypatch.setattr("app.features.help_pages.resource_path", lambda name: tmp_path / "resources" / name)
    return tmp_path / "resources"


def write_page(resources: Path, language: str, name: str, text: str) -> Path:
    path = resources / f"help/{language}/{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_page_in_another_language_comes_before_the_english_one(resources: Path) -> None:
    english = write_page(resources, "en", "chat", "# Chat\n\nType.")
    write_page(resources, "de", "chat", f"<!-- english: {source_version(english)} -->\n# Chatten\n\nTippen.")
    german, french = load_help_page("chat", "de"), load_help_page("chat", "fr")
    assert (german.title, german.markdown, german.language, german.is_outdated) == ("Chatten", "Tippen.", "de", False)
    assert (french.title, french.language, french.is_outdated) == ("Chat", ENGLISH, False)
    assert help_picture("chat", is_dark=False) is None
    assert load_help_page(CHANGES, "de").title == WHATS_NEW


def test_a_page_is_outdated_when_its_english_text_has_changed_and_not_its_line_endings(resources: Path) -> None:
    english = write_page(resources, "en", "chat", "# Chat\n\nType.\n")
    write_page(resources, "de", "chat", f"<!-- english: {source_version(english)} -->\n# Chatten\n")
    english.write_bytes(b"# Chat\r\n\r\nType.\r\n")
    assert not load_help_page("chat", "de").is_outdated
    write_page(resources, "en", "chat", "# Chat\n\nType and press.\n")
    assert load_help_page("chat", "de").is_outdated
    write_page(resources, "fr", "chat", "# Discuter\n")
    assert load_help_page("chat", "fr").is_outdated, "nobody knows what it was made from"


@pytest.mark.parametrize(
    ("language", "words", "text"),
    [
        ("de", "loschen", "Alles **löschen**."),
        ("pl", "ŻÓŁW", "Widać żółwia."),
        ("ru", "елка", "Здесь Ёлка стоит."),
        ("ja", "ダウンロード", "モデルをダウンロードする。"),
        ("zh", "下载模型", "可以下载一个更大的模型。"),
        ("zh", "模型", "可以选择模型。"),
        ("ar", "نموذج", "اختر النموذج من القائمة."),
        ("ar", "الاسئله", "هذه أسئِلة شائعة."),
    ],
)
def test_a_search_finds_what_people_type_in_their_language(
    resources: Path, language: str, words: str, text: str
) -> None:
    for name in ("chat", "models"):
        write_page(resources, "en", name, "# Page\n\nEnglish.")
    write_page(resources, language, "models", f"# …\n\n{text}")
    (hit,) = search_help(("chat", "models"), words, language)
    assert hit.page.name == "models"
    assert hit.marks


def test_titles_run_as_their_language_does_also_behind_a_foreign_name() -> None:
    titles = [load_help_page(name, "ar").title for name in ENGLISH_PAGES]
    assert [title for title in titles if not is_right_to_left(title)] == []
    assert any(title.strip("\u200f").startswith("Hub") for title in titles)
    assert load_help_page("hub", "en").title.isprintable()


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


@pytest.mark.parametrize("language", ASKED)
def test_pages_are_found_by_other_words(language: str) -> None:
    use_catalogue(
        read_catalogue(built_in_file(language).read_text("utf-8"), language) if language != ENGLISH else TextCatalogue()
    )
    try:
        keywords = find_keywords(TABS)
    finally:
        use_catalogue(TextCatalogue())
    missed = []
    for question in ASKED[language]:
        words, _, pages = question.partition(" > ")
        hits = search_help(PAGES, words, language, keywords)
        if not {hit.page.name for hit in hits[:3]} & set(pages.split()):
            missed.append(question)
    assert len(missed) <= len(ASKED[language]) // 8, missed


def test_rows_and_commands_that_lead_elsewhere_are_there() -> None:
    shortcuts = {shortcut.name for shortcut in WINDOW_SHORTCUTS} | {
        command.name for spec in TABS for command in spec.commands
    }
    assert COMMANDS.keys() <= shortcuts
    assert ROWS.keys() <= {row.key for page in SETTINGS_PAGES for row in page.settings}
    assert {*COMMANDS.values(), *ROWS.values()} <= set(PAGES)
