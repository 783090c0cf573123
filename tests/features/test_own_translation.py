"""A translation that a person mends: what is saved to be edited, and what of it is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.catalogue import language_in_use
from app.core.errors.exchange_errors import TranslationUnusable
from app.core.installed_languages import ENGLISH, load_texts, own_file
from app.core.po_file import PoMessage, format_messages, read_messages
from app.features import own_translation
from app.features.own_translation import (
    can_export,
    export_translation,
    remove_own_translation,
    use_translation_file,
)

HEADER = PoMessage(None, "", None, ("Language: pl\nContent-Type: text/plain; charset=UTF-8\n",))
OPEN = PoMessage(None, "Open", None, ("Otwórz",), ("#: app/ui/a.py",))
FILES = PoMessage(None, "1 file", "{count} files", ("plik", "{count} pliki", "{count} plików"))
NEW = PoMessage("button", "Close", None, ("",))


@pytest.fixture(autouse=True)
def built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Only Polish is there."""
    folder = tmp_path / "built in"
    folder.mkdir()
    (folder / "pl.po").write_text(format_messages([HEADER, OPEN, FILES, NEW]), "utf-8")
    for place in ("app.core.installed_languages", own_translation.__name__):
        monkeypatch.setattr(f"{place}.built_in_file", lambda language: folder / f"{language}.po")
    return folder / "pl.po"


def exported(language: str, tmp_path: Path) -> dict[str, PoMessage]:
    export_translation(language, tmp_path / "exported.po")
    return {message.text: message for message in read_messages((tmp_path / "exported.po").read_text("utf-8"))}


def test_english_is_exported_as_a_template_for_other_languages(tmp_path: Path, built_in: Path) -> None:
    assert language_in_use() == ENGLISH
    assert can_export(ENGLISH)
    found = exported(ENGLISH, tmp_path)
    assert not any("".join(message.forms) for text, message in found.items() if text)
    assert "Plural-Forms" not in found[""].forms[0]
    built_in.unlink()
    assert not can_export(ENGLISH)


def test_what_is_mended_is_used_exported_and_taken_back(tmp_path: Path) -> None:
    mended = tmp_path / "mended.po"
    mended.write_text(format_messages([HEADER, PoMessage(None, "Open", None, ("Otwieraj",))]), "utf-8-sig")
    assert use_translation_file(mended).count == 1
    assert load_texts("pl").entries["Open"] == ("Otwieraj",)
    found = exported("pl", tmp_path)
    assert found["Open"].forms == ("Otwieraj",) and found["Open"].comments == OPEN.comments
    assert found["1 file"] == FILES, "what was not mended comes from the program"
    assert found["Close"] == NEW
    use_translation_file(tmp_path / "exported.po")
    remove_own_translation("pl")
    remove_own_translation("pl")
    assert load_texts("pl").entries["Open"] == OPEN.forms


def test_a_plural_that_the_program_does_not_have_can_not_bring_other_placeholders(tmp_path: Path) -> None:
    mended = tmp_path / "mended.po"
    forms = ("plik {secret}", "{secret}", "{secret}")
    mended.write_text(format_messages([HEADER, PoMessage(None, "1 file", "{secret}", forms)]), "utf-8")
    with pytest.raises(TranslationUnusable):
        use_translation_file(mended)
    assert not own_file("pl").exists()
