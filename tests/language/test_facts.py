"""A sentence bears out all facts of a statement, or one is told that it does not."""

from __future__ import annotations

import pytest

from app.language.sentence_support import missing_fact
from app.language.text_facts import find_garbled_words, repeated_sentence
from app.language.word_tables import changed_alternative

CRANE = "The new crane, built by Brenner & Falk, lifts 60 tonnes and reaches 42 metres."
WINDOWS = "Dr. Weiss reported on 9 May 2024 that 27 of the 31 windows have been replaced."


@pytest.mark.parametrize(
    ("statement", "sentence", "language", "missing"),
    [
        ("The crane of Brenner & Falk lifts sixty tonnes.", CRANE, "en", ""),
        ("2. The crane of Brenner & Falk lifts 60,000 kg.", CRANE, "en", ""),
        ("The crane of Brenner & Falk lifts 60 kilograms.", CRANE, "en", "60 kilograms"),
        ("The crane of Miller & Falk lifts 60 tonnes.", CRANE, "en", "Miller & Falk"),
        ("The old crane lifts 60 tonnes.", CRANE, "en", "old"),
        ("31 of the 31 windows have been replaced.", WINDOWS, "en", "31"),
        ("On 9 May 2024 he reported on windows.", WINDOWS, "en", ""),
        ("On 19 May 2024 he reported on windows.", WINDOWS, "en", "19"),
        ("Nine windows have been replaced.", WINDOWS, "en", "Nine"),
        ("The lift in house A is broken.", "The lift in house B is broken.", "en", "A"),
        ("It opens on Monday.", "It opens on Tuesday.", "en", "monday"),
        ("Es schließt im Mai.", "Es schließt im März.", "de", "mai"),
        ("The fees are raised.", "It was decided not to raise the fees.", "en", "not"),
        ("The fees are not raised.", "It was decided to raise the fees.", "en", "not"),
        ("The parts may be shared.", "The parts may be shared, but must not be linked.", "en", ""),
        ("Pets need the landlord's consent.", "Pets need the landlord's consent; birds need no consent.", "en", ""),
        ("Birds need consent.", "Pets need the landlord's consent; birds need no consent.", "en", "no"),
        ("Mahngebühren fallen an.", "Mahngebühren fallen in dieser Zeit nicht an.", "de", "nicht"),
        (
            "Das Fest wird auf den 12. Juli verlegt.",
            "Das Fest wird auf den 19. Juli verlegt, weil der Platz am 12. Juli schon vergeben ist.",
            "de",
            "12. Juli",
        ),
        ("Se puede pedir hasta el 28 de junio.", "Se puede pedir plaza hasta el 28 de junio.", "es", ""),
    ],
)
def test_a_fact_that_a_sentence_does_not_bear_out_is_told(
    statement: str, sentence: str, language: str, missing: str
) -> None:
    assert missing_fact(statement, sentence, language=language) == missing


@pytest.mark.parametrize(
    ("source", "target", "pair", "told"),
    [
        ("a narrow majority", "eine breite Mehrheit", ("en", "de"), ("narrow", "breite")),
        ("a narrow majority", "eine knappe Mehrheit", ("en", "de"), ("", "")),
        ("the older and the younger", "die jüngere und die ältere", ("en", "de"), ("", "")),
        ("Turn it to the left.", "Gírelo a la derecha.", ("en", "es"), ("left", "derecha")),
        ("fewer than thirty", "plus de trente", ("en", "fr"), ("fewer", "plus")),
        ("seven days", "siedem tygodni", ("en", "pl"), ("days", "tygodni")),
        ("Der Preis ist gestiegen.", "The price has fallen.", ("de", "en"), ("gestiegen", "fallen")),
        ("the left bank", "الضفة اليمنى", ("en", "ar"), ("left", "اليمنى")),
        ("the left bank", "右岸", ("en", "zh"), ("left", "右岸")),
        ("in winter", "夏に", ("en", "ja"), ("winter", "夏に")),
        ("the left bank", "a bal part", ("en", "hu"), ("", "")),
    ],
)
def test_a_word_that_excludes_the_sources_is_told_with_it(
    source: str, target: str, pair: tuple[str, str], told: tuple[str, str]
) -> None:
    assert changed_alternative(source, target, pair) == told


def test_letters_of_a_foreign_script_glued_words_and_repeated_sentences_are_found() -> None:
    assert find_garbled_words("Der Zug 火车 fährt.", ["The train leaves."]) == "火车"
    assert find_garbled_words("Er kam an.Dann ging er.", ["He came."]) == "an.Dann"
    assert find_garbled_words("Er las archive.ini heute.", ["He read archive.ini."]) == ""
    assert repeated_sentence("He came home. It rained. He came home.") == "he came home."
    assert repeated_sentence("He came home. It rained.") == ""
