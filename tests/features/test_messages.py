"""Every situation has its words."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.counted_units import count_units
from app.core.errors.app_error import AppError
from app.core.errors.error_fields import every_error
from app.core.errors.model_errors import ModelLoadFailed, ModelMissing, ModelUnreadable
from app.core.errors.request_errors import MediaRefused, PromptTooLong
from app.core.gguf import check_model
from app.core.installed_languages import load_texts
from app.core.paths import resource_path
from app.documents.formats.registry import formats, words_for
from app.documents.source import PageRead, ReadingRemark
from app.features.document_messages import pages_words, remark_sentence
from app.features.error_messages import STARTER_CALLS_ITSELF, model_words, sentence_for, start_sentences
from app.store.recovery import RecoveredParts
from app.ui import i18n

EXAMPLES = {
    "source": "/texts/source.txt",
    "reference": "/texts/reference.txt",
    "path": "/tmp/folder/model.gguf",
    "model": "/tmp/folder/model.gguf",
    "reason": "empty",
    "detail": "last words",
    "exit_code": -9,
    "instead": ("nomic-embed-text",),
    "addresses": ("192.168.1.7:50052", "gpu-box.local:50052"),
}
ACTIONS = {"network", "servers", "models", "storage", "", "open_model", "new_chat", "retry", "settings", "open_folder"}


def example(cls: type[AppError]) -> AppError:
    return cls(**{f.name: EXAMPLES.get(f.name, 3) for f in dataclasses.fields(cls)})  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_every_error_has_a_sentence(cls: type[AppError]) -> None:
    sentence = sentence_for(example(cls))
    assert "itself" not in sentence.text, "fell through to the sentence for defects"
    assert sentence.text.endswith((".", "?"))
    assert "!" not in str(sentence)
    assert sentence.action in ACTIONS


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_every_template_of_an_error_has_its_values(cls: type[AppError]) -> None:
    message, values = cls.message, example(cls).values | {"app": "Fireside"}
    for text in (message.text, message.kept, *message.cases.values(), *message.kept_in.values()):
        assert "{" not in text.format(**values)
    assert {*message.actions.values()} <= ACTIONS
    assert {*message.actions, *message.kept_in} <= {*message.cases}


def test_an_error_is_told_in_the_language_of_the_window() -> None:
    use_catalogue(TextCatalogue("de", {"The file {name} doesn’t exist.": ("Es gibt keine Datei {name}.",)}))
    try:
        assert i18n.sentence_for(ModelMissing("/x/a\u202eb.gguf")).text == r"Es gibt keine Datei a\u202eb.gguf."
    finally:
        use_catalogue(TextCatalogue())


@dataclass
class OpenedDatabase:
    """What a start knows of its database."""

    has_room: bool = True
    path: Path = Path("/data/fireside.db")
    moved_aside: Path | None = None
    recovered: RecoveredParts | None = None


def test_what_a_start_says_can_be_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[2]
    monkeypatch.syspath_prepend(str(root / "packaging"))
    from texts_template import TextsTemplate

    recovered = RecoveredParts(1, 2, 3, 6)
    databases = [
        OpenedDatabase(has_room=False),
        OpenedDatabase(path=Path(":memory:")),
        OpenedDatabase(moved_aside=Path("/data/old.db")),
        OpenedDatabase(moved_aside=Path("/data/old.db"), recovered=recovered),
    ]
    said = [message for database in databases for message in start_sentences(["zoom"], database)]  # type: ignore[arg-type]
    said += start_sentences(["settings"], OpenedDatabase())  # type: ignore[arg-type]
    texts = {text for message in said for text in (message.template, message.kept_template) if text}
    assert texts <= TextsTemplate(root).keys()
    assert not [str(message) for message in said if "{" in str(message)]


@pytest.mark.parametrize(
    "reason",
    ["empty", "not_gguf", "truncated", "vocabulary_only", "damaged", "newer_format", "not_a_file", "denied"],
)
def test_every_reason_of_an_unreadable_model_reads_differently(reason: str) -> None:
    sentence = sentence_for(ModelUnreadable("/x/model.gguf", reason))
    assert "model.gguf" in sentence.text
    assert "cannot be read" not in sentence.text


def test_a_model_of_an_unknown_kind_names_the_kind() -> None:
    detail = "llama_model_load: error loading model: unknown model architecture: 'fireside9000'\nfailed to load model"
    assert "fireside9000" in sentence_for(ModelLoadFailed("/x/model.gguf", detail)).text
    assert "memory" in sentence_for(ModelLoadFailed("/x/model.gguf", "out of memory")).text


def test_an_unknown_reason_still_has_a_sentence() -> None:
    assert "model.gguf" in sentence_for(ModelUnreadable("/x/model.gguf", "from the future")).text


def test_a_defect_says_that_it_is_one_and_shows_no_trace() -> None:
    text = str(sentence_for(ZeroDivisionError("division by zero")))
    assert "went wrong in Fireside" in text
    assert "division" not in text


def test_a_prompt_that_is_too_long_names_both_numbers() -> None:
    text = sentence_for(PromptTooLong(12345, 8192)).text
    assert "12,345" in text
    assert "8,192" in text


# What is told of a document that was read: a sentence for every remark, and words for its pages.


DOCUMENTED = dict(re.findall(r"^(\w+) \(([^)]*)\):", inspect.getdoc(ReadingRemark) or "", re.MULTILINE))
REMARKS: dict[str, str | int] = {
    "format": "pdf", "ending": ".docx", "encoding": "cp1251", "count": 3, "sheet": "Costs", "rows": 1_000_000,
    "shown": 2000, "unit": "slide", "name": "Extra", "part": "word/document.xml", "size_bytes": 12_345_678,
    "read": "Ïðèâåò", "meant": "Привет", "pages": 30, "last": 40, "languages": "de",
}  # fmt: skip


def test_the_remarks_are_documented() -> None:
    assert len(DOCUMENTED) >= 13


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_remark_has_a_sentence_that_tells_its_values(name: str) -> None:
    values = {value: REMARKS[value] for value in DOCUMENTED[name].split(", ") if value}
    sentence = remark_sentence(ReadingRemark(name, values))
    assert sentence[0].isupper() or sentence[0].isdigit()
    assert sentence.endswith(".")
    for value in values.values():
        words = {"pdf": "a PDF document", 12_345_678: "12 MB", "de": "Deutsch"}.get(value, value)
        assert (f"{words:,}" if isinstance(words, int) else words) in sentence


@pytest.mark.parametrize("name", [name for name, values in DOCUMENTED.items() if values == "count"])
def test_one_thing_is_told_as_one(name: str) -> None:
    one, many = (remark_sentence(ReadingRemark(name, {"count": count})) for count in (1, 1234))
    assert one.startswith("1 ")
    assert many.startswith("1,234 ")
    assert one != many.replace("1,234", "1")


def test_names_inside_a_document_are_safe_to_show() -> None:
    sentence = remark_sentence(ReadingRemark("attachment", {"name": "a\u202eb\nc\x1b.exe", "size_bytes": 5}))
    assert sentence.startswith(r"The attachment a\u202eb\nc\x1b.exe (")


def test_every_format_has_words() -> None:
    assert all(re.match("(an?|source) ", each.words) for each in formats())
    assert words_for("pdf") == "a PDF document"


def seen(
    pages: int, pictures: tuple[int, ...] = (), empty: tuple[int, ...] = (), recognized: tuple[int, ...] = ()
) -> list[PageRead]:
    """Pages of which some have no text."""
    return [
        PageRead(
            page,
            has_text=page not in (*pictures, *empty, *recognized),
            is_picture=page in (*pictures, *recognized),
            recognized=page in recognized,
        )
        for page in range(1, pages + 1)
    ]


@pytest.mark.parametrize(
    ("words", "unit", "pages", "found"),
    [
        ("46 of 48 pages read; 7 and 31 are pictures", "page", 48, seen(48, (7, 31))),
        ("48 pages read", "page", 48, seen(48)),
        ("1 slide read", "slide", 1, seen(1)),
        ("0 of 1 page read; 1 is a picture", "page", 1, seen(1, (1,))),
        ("3 of 5 sheets read; 4 is a picture; 2 is empty", "sheet", 5, seen(5, (4,), (2,))),
        ("2 of 9 pages read; 3 to 9 are pictures", "page", 9, seen(9, tuple(range(3, 10)))),
        ("3 of 5 pages read; 1 and 2 are empty", "page", 5, seen(5, (), (1, 2))),
        ("5 of 2,000 pages read", "page", 2000, seen(5)),
        ("4 pages read; the text of 2 was recognized in a picture", "page", 4, seen(4, (), (), (2,))),
        ("", "", 0, []),
    ],
)
def test_the_pages_are_told_as_they_are(words: str, unit: str, pages: int, found: list[PageRead]) -> None:
    assert pages_words(unit, pages, found) == words


def test_pages_are_listed_in_japanese_without_half_width_commas() -> None:
    use_catalogue(load_texts("ja"))
    try:
        words = pages_words("page", 9, seen(9, (1, 3, 5), (7,)))
    finally:
        use_catalogue(TextCatalogue())
    assert "1、3と5" in words
    assert "；" in words
    assert not set(",;. ") & set(words)


def test_a_long_list_of_pages_ends() -> None:
    words = pages_words("page", 99, seen(99, tuple(range(1, 99, 2))))
    assert words == "50 of 99 pages read; 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21 and others are pictures"


def test_counts_have_their_words() -> None:
    assert [count_units("page", 1), count_units("slide", 0), count_units("chapter", 1200)] == [
        "1 page",
        "0 slides",
        "1,200 chapters",
    ]


def test_the_starter_has_a_name_that_people_can_read(starter: Path) -> None:
    assert check_model(starter).metadata["general.name"] == STARTER_CALLS_ITSELF
    assert (model_words(STARTER_CALLS_ITSELF), model_words("Qwen3")) == ("SmolLM2 135M", "Qwen3")


def test_minutes_of_a_recording_are_not_empty_but_silent() -> None:
    assert pages_words("minute", 2, [PageRead(1), PageRead(2, has_text=False)]) == (
        "1 of 2 minutes read; no speech in 2"
    )


def test_who_has_no_model_that_hears_is_told_of_the_smallest_that_does() -> None:
    with_ears = [one for one in json.loads(resource_path("models.json").read_text("utf-8"))["models"] if _hears(one)]
    smallest = min(with_ears, key=lambda one: one["size_bytes"])
    assert smallest["name"] in str(sentence_for(MediaRefused("a.wav", "sound", "deaf")))


def _hears(model: dict[str, Any]) -> bool:
    return any(isinstance(value, dict) and value.get("hears") for value in model.values())
