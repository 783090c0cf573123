"""Which stretches of a document tell its language."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.documents.blocks import BlockKind, BlockPiece
from app.documents.clean import LegacyFonts, ProseSample, recoded
from app.documents.source import ReadingRemark
from tests.helpers.documents import read
from tests.helpers.office_files import paragraph, write_docx
from tests.helpers.text_files import LANGUAGES

FRENCH = "Chaque partie peut mettre fin au contrat à la fin de l'année avec un préavis de trois mois."


def test_the_sample_is_short_and_reaches_into_the_document() -> None:
    sample = ProseSample()
    for number in range(10_000):
        sample.add(BlockPiece(BlockKind.PARAGRAPH, f"paragraph {number} " * 10))
    assert len(sample.text) <= 2500
    assert "paragraph 0 " in sample.text
    numbers = [int(word) for word in sample.text.split() if word.isdigit()]
    assert max(numbers) > 5000
    assert any(1000 < number < 5000 for number in numbers)


def test_code_is_not_in_the_sample() -> None:
    sample = ProseSample()
    sample.add(BlockPiece(BlockKind.CODE, "def main(arguments): return function(arguments)" * 20))
    assert sample.language() == ""
    sample.add(BlockPiece(BlockKind.PARAGRAPH, FRENCH))
    assert sample.language() == "fr"


# Letters of old fonts: told apart from every language that is written in Latin letters, and put right.


RUSSIAN = "Все люди рождаются свободными и равными в своём достоинстве и правах. Café «Привет» — 5 № 7."


def seen_in(text: str) -> list[ReadingRemark]:
    fonts = LegacyFonts()
    fonts.inspect_text(text)
    return fonts.remarks()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        ("Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.", "cp1253"),
        ("כל בני אדם נולדו בני חורין ושווים בערכם ובזכויותיהם, כולם חוננו בתבונה ובמצפון.", "cp1255"),
    ],
)
def test_words_of_nothing_but_accents_are_another_script(text: str, encoding: str) -> None:
    shown = text.replace("Café", "Cafe").encode(encoding).decode("cp1252", "replace")
    (remark,) = seen_in(shown)
    assert remark.values["encoding"] == encoding
    assert str(remark.values["meant"]) in text
    assert str(remark.values["read"]) in shown


@pytest.mark.parametrize(
    "text", [*LANGUAGES.values(), "Það er öllum ljóst að þetta er æði. Öðru hvoru áði hún á ýmsum stöðum."]
)
def test_no_language_is_taken_for_it(text: str) -> None:
    assert seen_in(text) == []


def test_a_word_with_latin_letters_keeps_its_accents() -> None:
    assert recoded("Êàôå café éàô, naïve", "cp1251") == "Кафе café йаф, naïve"


def test_a_word_document_in_a_font_of_its_own_is_told_and_read_in_the_encoding_that_is_chosen(tmp_path: Path) -> None:
    shown = RUSSIAN.replace("Café", "Cafe").encode("cp1251").decode("cp1252")
    path = write_docx(tmp_path / "a.docx", paragraph(shown))
    result = read(path, tmp_path / "work")
    assert result.text == shown
    assert result.remarks["legacy_font"]["encoding"] == "cp1251"
    again = read(path, tmp_path / "work", encoding="cp1251")
    assert again.text == RUSSIAN.replace("Café", "Cafe")
    assert again.done.language == "ru"
    assert again.remarks == {}
