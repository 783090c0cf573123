"""Translations where the answers are no use: what is asked again and how, what is made of it, and what is flagged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.errors.request_errors import TemplateFailed
from app.documents.segments import Content, Mark, SegmentKind
from app.features.translate.translation_events import (
    Flag,
    FlagKind,
    GlossaryTerm,
    Translated,
    TranslationSource,
    TranslationWish,
)
from tests.features.translate.pipeline import (
    GERMAN,
    LARGE_BYTES,
    DictMemory,
    bold,
    events_of,
    kinds,
    results,
    scripted,
    segments,
    text_of,
)

DOG, CAT = "The dog sleeps in the old house.", "The cat eats a fish in the kitchen."
BIRD = "A bird sings in the tree behind it."
HUND, KATZE = "Der Hund schläft im alten Haus.", "Die Katze isst einen Fisch in der Küche."
VOGEL = "Ein Vogel singt im Baum dahinter."
GOOD = [
    {"when": "dog sleeps[^\n]*$", "text": HUND},
    {"when": "cat eats[^\n]*$", "text": KATZE},
    {"when": "bird sings[^\n]*$", "text": VOGEL},
]
DOG_DONE = {1: Translated(1, (HUND,))}
MARKED: Content = ("The ", *bold("dog"), " sleeps", Mark("single", 2, "image"), " in the old ", *bold("house", 3), ".")


def batch(*texts: str) -> str:
    return "\n".join(f'<s n="{number}">{text}</s>' for number, text in enumerate(texts, 1))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "was empty"),
        ("– … !", "was empty"),
        ("I'm sorry, but I cannot translate that.", "but to translate a text that somebody else wrote"),
        (DOG, "the text itself, not translated"),
        ("Le chien dort dans la vieille maison de ses maîtres aujourd'hui.", "was not in German"),
        ("Hund Hund Hund Hund Hund Hund Hund Hund", "repeated the same words"),
        ("Der Hund schläft im alten Haus Nr. 27.", "did not keep the number 27"),
        (f"{HUND} Und danach erzählt das Modell noch eine ganze Geschichte, die in dem Text, der zu übersetzen war, "
         "mit keinem Wort steht, von Hasen und Igeln.", "too long"),
        ("Der Hund.", "too short"),
        (f"Sure! Here is the translation: {HUND}", "had a remark"),
        (f"{HUND}<|im_end|>", "control tags"),
    ],
    ids=["empty", "no words", "refused", "same", "other language", "loop", "number", "long", "short", "remark", "leak"],
)  # fmt: skip
def test_an_answer_that_will_not_do_is_asked_for_again_alone_warmer_and_told_why(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with scripted(tmp_path, {"text": text, "times": 1}, *GOOD) as model:
        found = results(events_of(model, segments(DOG)))[1]
        first, second = model.requests
    assert (text_of(found), found.flags, found.origin) == (HUND, (), TranslationSource.MODEL)
    assert sentence in second["messages"][-1][1]
    assert sentence not in first["messages"][-1][1]
    assert second["task_sampling"]["temperature"] == pytest.approx(first["task_sampling"]["temperature"] + 0.25)
    assert second["task_sampling"]["seed"] != first["task_sampling"]["seed"]
    assert first["messages"][0] == second["messages"][0], "the rules stay the same: they are read once"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Der Hund schläft<x2/> im alten <g3>Haus</g3>.", "lost <g1> </g1>"),
        ("Der <g1>Hund</g1> schläft im alten <g3>Haus</g3>.", "lost <x2/>"),
        ("Der <g1>Hund</g1> schläft<x2/><x2/> im alten <g3>Haus</g3>.", "had <x2/> too often"),
        ("Der <g1>Hund</g1> schläft<x2/> im alten <g3>Haus</g3>.<x9/>", "had <x9/> too often"),
        ("Der <g1>Hund <g3>schläft</g1><x2/> im alten</g3> Haus.", "muddled"),
        ("Der <g1></g1>Hund schläft<x2/> im alten <g3>Haus</g3>.", "muddled"),
        ("Der </g1>Hund<g1> schläft<x2/> im alten <g3>Haus</g3>.", "muddled"),
    ],
    ids=["lost pair", "lost single", "doubled", "invented", "crossed", "emptied", "turned around"],
)
def test_damaged_marks_are_asked_for_again_and_in_the_end_put_back_and_flagged(
    tmp_path: Path, text: str, sentence: str
) -> None:
    good = "Der <g1>Hund</g1> schläft<x2/> im alten <g3>Haus</g3>."
    with scripted(tmp_path / "a", {"text": text, "times": 1}, {"text": good}) as model:
        found = results(events_of(model, segments(MARKED)))[1]
        assert sentence in model.asked[1]
    assert text_of(found) == "Der <1>Hund</1> schläft<2/> im alten <3>Haus</3>."
    assert found.flags == ()
    memory = DictMemory()
    with scripted(tmp_path / "b", {"text": text}) as model:
        found = results(events_of(model, segments(MARKED), memory=memory))[1]
    assert kinds(found) == ["formatting"]
    assert sorted(mark.key for mark in found.content if isinstance(mark, Mark)) == sorted(
        mark.key for mark in MARKED if isinstance(mark, Mark)
    )
    assert "".join(part for part in found.content if isinstance(part, str)) == HUND
    assert memory.kept == {}


def test_placeholders_survive_whatever_the_model_does_to_them(tmp_path: Path) -> None:
    given = segments("Copied %d files from {source} to {target}.", kind=SegmentKind.MESSAGE)
    with scripted(tmp_path, {"text": "Dateien kopiert von nach %s."}) as model:
        found = results(events_of(model, given))[1]
        assert "Copied <x1/> files from <x2/> to <x3/>." in model.asked[0]
    text = text_of(found)
    assert kinds(found) == ["formatting"]
    assert sorted(one for one in text.replace(".", "").split() if "%" in one or "{" in one) == [
        "%d", "{source}", "{target}",
    ]  # fmt: skip


def test_a_glossary_that_is_not_obeyed_is_asked_for_again_and_only_where_it_was_not(tmp_path: Path) -> None:
    wish = TranslationWish("de", "en", glossary=(GlossaryTerm("kitchen", "Kochecke"), GlossaryTerm("house", "Haus")))
    obeyed = {"when": "Translate “kitchen” as “Kochecke”", "text": "Die Katze isst einen Fisch in der Kochecke."}
    with scripted(tmp_path / "a", obeyed, *GOOD) as model:
        found = results(events_of(model, segments(DOG, CAT), wish))
        assert len(model.asked) == 3
    assert text_of(found[2]) == "Die Katze isst einen Fisch in der Kochecke."
    assert found[1].flags == found[2].flags == ()
    with scripted(tmp_path / "b", *GOOD) as model:
        found = results(events_of(model, segments(DOG, CAT), wish))
        asked = [text for text in model.asked if "The cat" in text.partition("Text to translate")[2]]
        assert len(asked) <= 3, "it is not cut into sentences for a word"
    assert found[1].flags == ()
    assert found[2].flags == (Flag(FlagKind.GLOSSARY, "kitchen", "Kochecke"),)
    assert text_of(found[2]) == KATZE


def test_after_two_tries_it_is_asked_without_context_and_then_sentence_by_sentence(tmp_path: Path) -> None:
    text = f"{CAT} {BIRD}"
    rules = [
        {"when": f"{CAT} {BIRD}", "text": "Nein."},
        {"when": CAT, "text": KATZE},
        {"when": BIRD, "text": VOGEL},
    ]
    with scripted(tmp_path, *rules, size_bytes=LARGE_BYTES) as model:
        found = results(events_of(model, segments(DOG, text), done=DOG_DONE))[2]
        asked = model.asked
        temperatures = [request["task_sampling"]["temperature"] for request in model.requests]
    assert len(asked) == 5
    assert ["For reference" in one for one in asked] == [True, True, False, False, False]
    assert asked[3].endswith(CAT)
    assert asked[4].endswith(BIRD)
    assert temperatures == pytest.approx([0.1, 0.35, 0.35, 0.1, 0.1])
    assert text_of(found) == f"{KATZE} {VOGEL}"
    assert found.flags == ()


def test_sentence_by_sentence_every_placeholder_stays_in_its_own(tmp_path: Path) -> None:
    text = "Opened %s in the morning. Closed %s and {name} in the evening."
    rules = [
        {"when": "(?s)Opened.*Closed", "text": "Nein."},
        {"when": "Opened", "text": "Am Morgen geöffnet."},
        {"when": "Closed", "text": "Am Abend <x3/> und <x2/> geschlossen."},
    ]
    with scripted(tmp_path, *rules) as model:
        found = results(events_of(model, segments(text, kind=SegmentKind.MESSAGE)))[1]
        assert model.asked[-1].endswith("Closed <x2/> and <x3/> in the evening.")
    assert kinds(found) == ["formatting"]
    first, _, second = text_of(found).partition(". ")
    assert "%s" in first
    assert second == "Am Abend {name} und %s geschlossen."


def test_a_sentence_that_cannot_be_translated_stays_and_is_flagged_with_its_words(tmp_path: Path) -> None:
    rules = [{"when": f"{CAT} {BIRD}", "text": ""}, {"when": CAT, "text": KATZE}, {"when": BIRD, "text": ""}]
    with scripted(tmp_path, *rules) as model:
        found = results(events_of(model, segments(f"{CAT} {BIRD}")))[1]
    assert text_of(found) == f"{KATZE} {BIRD}"
    assert found.origin is TranslationSource.MODEL
    assert Flag(FlagKind.UNTRANSLATED, BIRD) in found.flags


@pytest.mark.parametrize("text", ["", "I'm sorry, but I cannot help with that.", "Hund " * 40])
def test_where_nothing_usable_comes_the_source_stays_and_is_flagged(tmp_path: Path, text: str) -> None:
    memory = DictMemory()
    content = ("The ", *bold("dog"), " sleeps.")
    with scripted(tmp_path, {"text": text}) as model:
        found = results(events_of(model, segments(content, f"{DOG} {CAT}"), memory=memory))
    assert [one.origin for one in found.values()] == [TranslationSource.KEPT, TranslationSource.KEPT]
    assert found[1].content == content
    assert "untranslated" in kinds(found[1])
    assert text_of(found[2]) == f"{DOG} {CAT}"
    assert memory.kept == {}


def test_a_source_that_was_kept_is_not_told_as_a_translation(tmp_path: Path) -> None:
    with scripted(tmp_path, *GOOD, size_bytes=LARGE_BYTES) as model:
        events_of(model, segments(DOG, CAT), done={1: Translated(1, (DOG,), TranslationSource.KEPT)})
        assert f"For reference, do not translate:\n{DOG}\n" in model.asked[0]


def test_of_several_answers_that_will_not_do_the_best_is_taken_with_its_flags(tmp_path: Path) -> None:
    given = "The house has 42 doors and a gate."
    rules = [
        {"text": "", "times": 1},
        {"text": "Das Haus hat 43 Türen und ein Tor.", "times": 1},
        {"text": "La maison a plusieurs portes et un portail, dit le voisin.", "times": 1},
        {"text": "nein"},
    ]
    with scripted(tmp_path, *rules) as model:
        found = results(events_of(model, segments(given)))[1]
    assert text_of(found) == "Das Haus hat 43 Türen und ein Tor."
    assert found.flags == (Flag(FlagKind.NUMBER, "42"),)


def test_the_translation_of_the_text_before_is_not_taken_for_that_of_the_next(tmp_path: Path) -> None:
    echo = {"when": f"→(?s:.)*{BIRD}", "text": HUND}
    with scripted(tmp_path, echo, *GOOD, size_bytes=LARGE_BYTES) as model:
        found = results(events_of(model, segments(DOG, BIRD), done=DOG_DONE))
        assert "Your last answer was the text before" in model.asked[1]
        assert "For reference" not in model.asked[2]
    assert (text_of(found[2]), found[2].flags) == (VOGEL, ())


# Batches.


@pytest.mark.parametrize(
    "answer",
    [
        f'<s n="1">{HUND}</s>\n<s n="3">{VOGEL}</s>',
        f'<s n="1">{HUND}</s>\n<s n="2"></s>\n<s n="3">{VOGEL}</s>',
        f'< s n = "1" >{HUND}\n<s n=2>Katze Katze Katze Katze Katze Katze\n<s n=“3”>{VOGEL}',
    ],
    ids=["missing", "empty", "loop, ends left out"],
)
def test_of_a_batch_only_what_will_not_do_is_asked_again(tmp_path: Path, answer: str) -> None:
    with scripted(tmp_path, {"when": 'n="3"', "text": answer}, *GOOD, size_bytes=LARGE_BYTES) as model:
        found = results(events_of(model, segments(DOG, CAT, BIRD)))
        assert len(model.asked) == 2
        assert 'n="' not in model.asked[1]
    assert [text_of(found[number]) for number in (1, 2, 3)] == [HUND, KATZE, VOGEL]
    assert all(not one.flags for one in found.values())


@pytest.mark.parametrize(
    "answer",
    [batch(HUND, KATZE, VOGEL, "Und noch etwas."), f'<s n="1">{HUND}</s><s n="1">{KATZE}</s><s n="2">{VOGEL}</s>'],
    ids=["one too many", "a number twice"],
)
def test_a_batch_whose_segments_cannot_be_told_apart_is_asked_one_by_one(tmp_path: Path, answer: str) -> None:
    with scripted(tmp_path, {"when": 'n="3"', "text": answer}, *GOOD, size_bytes=LARGE_BYTES) as model:
        found = results(events_of(model, segments(DOG, CAT, BIRD)))
        assert len(model.asked) == 4
    assert [text_of(found[number]) for number in (1, 2, 3)] == [HUND, KATZE, VOGEL]


def test_of_a_batch_that_was_cut_off_the_whole_segments_are_taken_and_the_rest_is_halved(tmp_path: Path) -> None:
    cut = f'<s n="1">{HUND}</s>\n<s n="2">Die Katze isst'
    rules = [{"when": 'n="3"', "text": cut, "finish": "length"}, *GOOD]
    with scripted(tmp_path, *rules, size_bytes=LARGE_BYTES) as model:
        found = results(events_of(model, segments(DOG, CAT, BIRD)))
        assert len(model.asked) == 3
    assert [text_of(found[number]) for number in (1, 2, 3)] == [HUND, KATZE, VOGEL]


def test_one_text_whose_answer_was_cut_off_is_asked_for_in_halves(tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = [
        {"when": f"{CAT} {BIRD}", "text": "Die Katze und andere Wörter", "finish": "length"}, *GOOD,
    ]  # fmt: skip
    with scripted(tmp_path, *rules) as model:
        found = results(events_of(model, segments(f"{CAT} {BIRD}")))[1]
        assert len(model.asked) == 3
    assert (text_of(found), found.flags) == (f"{KATZE} {VOGEL}", ())


def test_a_text_that_is_longer_than_a_request_is_asked_for_in_parts_from_the_beginning(tmp_path: Path) -> None:
    sentence = "The number {} of the long report says what the others say."
    text = " ".join(sentence.format(number) for number in range(1, 61))
    with scripted(tmp_path, context_tokens=400) as model:
        found = results(events_of(model, segments(text), TranslationWish("en-GB", "en")))[1]
        parts = [one.partition("English:\n")[2] for one in model.asked]
        assert all(len(part.split()) <= 100 for part in parts)
        assert " ".join(part.strip() for part in dict.fromkeys(parts)) == text
    assert found.origin is not TranslationSource.SKIPPED


# The engine.


def test_a_model_that_cannot_follow_a_grammar_is_asked_without_one(tmp_path: Path) -> None:
    broken = {"error": "GrammarInvalid", "fields": {"detail": "x"}, "times": 1}
    with scripted(tmp_path, broken, *GOOD) as model:
        found = results(events_of(model, segments(DOG)))[1]
        assert [bool(request["grammar"]) for request in model.requests] == [True, False]
    assert (text_of(found), found.flags) == (HUND, ())


def test_an_error_of_one_answer_is_asked_again_and_in_the_end_flagged(tmp_path: Path) -> None:
    broken = {"when": f"{CAT}[^\n]*$", "error": "GrammarInvalid", "fields": {"detail": "x"}}
    with scripted(tmp_path / "a", broken | {"times": 1}, *GOOD) as model:
        assert text_of(results(events_of(model, segments(DOG, CAT)))[2]) == KATZE
    with scripted(tmp_path / "b", broken, *GOOD) as model:
        found = results(events_of(model, segments(DOG, CAT)))
    assert text_of(found[1]) == HUND
    assert (found[2].origin, kinds(found[2])) == (TranslationSource.KEPT, ["untranslated"])


def test_an_error_that_every_answer_will_have_is_raised(tmp_path: Path) -> None:
    broken = {"error": "TemplateFailed", "fields": {"path": "x", "detail": "y"}}
    with scripted(tmp_path, broken) as model, pytest.raises(TemplateFailed):
        events_of(model, segments(DOG), GERMAN)


def test_a_prompt_that_is_too_long_is_asked_without_context_and_then_in_halves(tmp_path: Path) -> None:
    too_long = {"when": f"→(?s:.)*{CAT} {BIRD}", "error": "PromptTooLong",
                "fields": {"prompt_tokens": 9, "context_tokens": 8}}  # fmt: skip
    alone = {"when": f"{CAT} {BIRD}", "text": f"{KATZE} {VOGEL}"}
    with scripted(tmp_path / "a", too_long, alone, size_bytes=LARGE_BYTES) as model:
        found = results(events_of(model, segments(DOG, f"{CAT} {BIRD}"), done=DOG_DONE))
        assert len(model.asked) == 2
    assert text_of(found[2]) == f"{KATZE} {VOGEL}"
    with scripted(tmp_path / "b", too_long | {"when": f"{CAT} {BIRD}"}, *GOOD) as model:
        found = results(events_of(model, segments(f"{CAT} {BIRD}")))
    assert (text_of(found[1]), found[1].flags) == (f"{KATZE} {VOGEL}", ())
