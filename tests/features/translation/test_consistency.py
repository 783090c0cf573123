"""Names that a document repeats: found before, fixed at their first rendering, and only where that can be told."""

from __future__ import annotations

from app.features.translation.glossary import Consistency
from app.features.translation.result import Term

TEXTS = [
    "The Ministry of Works sent a letter to us.",
    "We saw the Ministry of Works in Lund.",
    "Later the Ministry of Works wrote again to Anna Lind.",
    "Our cook met Anna Lind on Monday.",
    "They told Anna Lind the truth.",
]


def test_only_names_that_are_there_three_times_count() -> None:
    found = Consistency([*TEXTS, "Once we met Peter Berg there."])
    found.learn("Once we met Peter Berg there.", "Einmal trafen wir dort Peter Berg.")
    assert found.terms == ()


def test_a_name_that_stays_as_it_is_is_fixed_so() -> None:
    found = Consistency(TEXTS)
    found.learn(TEXTS[3], "Unser Koch traf Anna Lind am Montag.")
    assert found.terms == (Term("Anna Lind", "Anna Lind"),)


def test_a_segment_that_is_nothing_but_the_name_fixes_it() -> None:
    found = Consistency([*TEXTS, "Ministry of Works"])
    found.learn("Ministry of Works", "Ministerium für Bauten")
    assert found.terms == (Term("Ministry of Works", "Ministerium für Bauten"),)
    assert found.found_in(TEXTS[1]) == [Term("Ministry of Works", "Ministerium für Bauten")]
    assert found.found_in(TEXTS[4]) == []


def test_two_translations_that_share_a_run_of_words_fix_it() -> None:
    found = Consistency(TEXTS)
    found.learn(TEXTS[4], "Sie sagten ihr die Wahrheit.")
    found.learn(TEXTS[0], "Das Ministerium für Bauten schickte uns einen Brief.")
    assert found.terms == ()
    found.learn(TEXTS[1], "In Lund sahen wir das Ministerium für Bauten.")
    assert found.terms == (Term("Ministry of Works", "Ministerium für Bauten"),)


def test_a_run_that_others_have_too_is_not_taken() -> None:
    found = Consistency(TEXTS)
    for text in ("Der alte Bau der Stadt steht.", "Der alte Bau der Stadt fiel.", "Der alte Bau der Stadt brennt."):
        found.learn("Something else.", text)
    found.learn(TEXTS[0], "Der alte Bau der Stadt schrieb uns.")
    found.learn(TEXTS[1], "Wir sahen, wie Der alte Bau der Stadt kam.")
    assert found.terms == ()


def test_the_first_rendering_stays() -> None:
    found = Consistency([*TEXTS, "Ministry of Works"])
    found.learn("Ministry of Works", "Bauministerium")
    found.learn("Ministry of Works", "Arbeitsministerium")
    assert found.terms == (Term("Ministry of Works", "Bauministerium"),)


def test_words_without_capitals_are_no_names_and_german_nouns_neither() -> None:
    german = ["Wir sahen den Ofen dort.", "Sie sahen den Ofen hier.", "Er sah den Ofen nie."]
    found = Consistency(german, "de")
    found.learn("Ofen", "kiln")
    assert found.terms == ()
    named = Consistency([text.replace("Ofen", "Ofen Nord") for text in german], "de")
    named.learn("Ofen Nord", "North Kiln")
    assert named.terms == (Term("Ofen Nord", "North Kiln"),)
    russian = Consistency(["мы видели печь", "они видели печь", "он видел печь"], "ru")
    russian.learn("печь", "kiln")
    assert russian.terms == ()


def test_in_scripts_without_spaces_characters_are_compared() -> None:
    found = Consistency(TEXTS)
    found.learn(TEXTS[0], "建設省が私たちに手紙を送った。")
    found.learn(TEXTS[1], "ルンドで建設省を見た。")
    assert found.terms == (Term("Ministry of Works", "建設省"),)
