"""What the benchmarks of translations count: their own definitions, and that a failure would be seen."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from app.documents.segments import Content, Mark, Segment, SegmentKind, plain
from app.features.translate.translation_events import Translated
from tests.helpers.translations import deliver

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@pytest.fixture(autouse=True)
def benchmarks_are_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """They import each other as run.py lets them."""
    for folder in (HERE, ROOT / "packaging" / "setup"):
        monkeypatch.syspath_prepend(str(folder))


def catalog(texts: dict[str, str]) -> bytes:
    """A compiled catalog."""
    count, at = len(texts), 28 + 16 * len(texts)
    tables, data = b"", b""
    for group in (list(texts), list(texts.values())):
        for text in group:
            tables += struct.pack("<2I", len(text.encode()), at + len(data))
            data += text.encode() + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0) + tables + data


def test_a_compiled_catalog_is_read_with_its_plurals_and_contexts() -> None:
    from translate_messages import pairs

    texts = {"": "header", "menu\4Open": "Ouvrir", "%d file\0%d files": "%d fichier\0%d fichiers"}
    assert list(pairs(catalog(texts))) == [
        ("Open", "Ouvrir"),
        ("%d file", "%d fichier"),
        ("%d files", "%d fichiers"),
    ]


@pytest.mark.parametrize(
    ("text", "found", "by_place"),
    [
        ("%s of %-5.2f, 100%% of %(name)s", ["%s", "%-5.2f", "%%", "%(name)s"], ["%s", "%-5.2f"]),
        ("%2$s before %1$lu", ["%2$s", "%1$lu"], []),
        ("{name} and {}: 99% of it", ["{name}", "{}"], ["{}"]),
    ],
)
def test_placeholders_are_those_of_c_and_of_python(text: str, found: list[str], by_place: list[str]) -> None:
    import translate_messages

    assert sorted(translate_messages.placeholders(text).elements()) == sorted(found)
    assert translate_messages.by_place(text) == by_place


def message(text: str = "Could not open %s in %d seconds.") -> object:
    from translate_messages import _message

    return _message(1, text, "Impossible d'ouvrir %s en %d secondes.")


def test_every_way_of_damage_changes_the_answer() -> None:
    from translate_messages import WAYS

    one = message()
    assert one.answer == "Impossible d'ouvrir <x1/> en <x2/> secondes."  # type: ignore[attr-defined]
    answers = {way: damage(one) for way, damage in WAYS.items()}  # type: ignore[arg-type]
    assert len(answers) >= 10
    assert None not in answers.values()
    assert len(set(answers.values()) | {one.answer}) == len(answers) + 1  # type: ignore[attr-defined]


def test_a_delivered_text_without_its_placeholders_is_not_intact() -> None:
    from translate_placeholders_bench import is_intact

    one = message()
    given = deliver(one.segment, one.answer)  # type: ignore[attr-defined]
    assert is_intact(one, given)  # type: ignore[arg-type]
    for text in ("Impossible en %d secondes.", "%d en %s", plain(given.content) + " %s"):
        assert not is_intact(one, Translated(1, (text,)))  # type: ignore[arg-type]


def test_letters_are_moved_and_come_back_and_marks_stay() -> None:
    from translate_identity_bench import moved

    content: Content = ("The lease ", Mark("open", 1, "bold"), "1,240", Mark("close", 1), " é")
    there = moved(Segment(1, content))
    assert there == ("Gur yrnfr ", Mark("open", 1, "bold"), "1,240", Mark("close", 1), " é")
    assert moved(Segment(1, there)) == content


def test_words_that_no_segment_has_are_missing(tmp_path: Path) -> None:
    from translate_words import compared_words

    path = tmp_path / "a.md"
    path.write_text("# One heading\n\nTwo *words* and `code`, see https://example.org/path.\n", "utf-8")
    found = [Segment(1, ("One heading",)), Segment(2, ("Two words and ", Mark("single", 1, "code", "code"), ", see"))]
    assert compared_words(path, "markdown", found, tmp_path).missing.total() == 0
    assert dict(compared_words(path, "markdown", found[:1], tmp_path).missing) == dict.fromkeys(
        ("two", "words", "and", "code", "see"), 1
    )


def test_samples_have_each_word_once_and_every_format(tmp_path: Path) -> None:
    from translate_formats_bench import words_in
    from translate_samples import KEPT, PLANTED, samples

    from app.documents.formats.registry import formats

    made = samples(tmp_path)
    assert set(made) == {each.name for each in formats() if each.rewrite}
    for format_, sample in made.items():
        text = words_in(sample.path)
        assert sorted(PLANTED.findall(text)) == sorted(sample.planted), format_
        assert set(KEPT.findall(text)) == set(sample.kept), format_


def test_the_stand_in_finds_what_is_to_be_translated_in_the_pipelines_prompts() -> None:
    from translate_stand_in import PROMPT_END

    from app.features.translate.translation_events import TranslationWish
    from app.features.translate.translator_families import GenericFamily, UnitRequest

    request = UnitRequest(("A <g1>text</g1>: here.",), ("",), before=(("Before.", "Antes."),))
    prompt = GenericFamily().make_messages(request, TranslationWish("pt-BR", "en"))[-1].text
    asked = prompt[prompt.index("Text to translate to") :].partition(PROMPT_END)[2]
    assert asked == "A <g1>text</g1>: here."


def test_messages_are_asked_as_messages() -> None:
    assert message().segment.kind is SegmentKind.MESSAGE  # type: ignore[attr-defined]
