"""What a model is told, and the points out of its answers, in whatever form they come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import FinishReason, Message
from app.engine.protocol import Sampling
from app.features.summarize import answer_grammars, point_answers
from app.features.summarize.point_answers import (
    AnswerProblem,
    SummaryPoint,
    cited_runs,
    is_looping,
    problem_of,
    read_points,
    without_repeats,
)
from app.features.summarize.sections import ReadSection, whole_section
from app.features.summarize.summary_prompts import map_messages, merge_messages, write_messages
from app.features.summarize.summary_result import Form
from tests.features.summarize.pipeline import document, heading
from tests.helpers.engine import answer_of, load

GIVEN = document(heading("Kilns"), "A kiln was built in 1871.", name="kilns.pdf")


def section() -> ReadSection:
    return whole_section(0, GIVEN.blocks)


@pytest.mark.parametrize("is_small", [True, False])
def test_instructions_come_first_and_are_the_same_for_every_section_and_every_try(is_small: bool) -> None:
    other = whole_section(0, document("A roof.").blocks)
    asked = [map_messages(GIVEN, one, "de", 5, is_small=is_small) for one in (section(), other)]
    asked += [map_messages(GIVEN, section(), "de", 5, is_small=is_small, problem=problem) for problem in AnswerProblem]
    assert len({messages[0].text for messages in asked}) == 1
    words = len({messages[1].text for messages in asked})
    assert words == (2 if is_small else len(asked) - 1), "a small model would say it again; a failure adds nothing"
    assert "Write in German." in asked[0][0].text


def test_a_larger_model_is_told_the_shape_and_that_the_text_is_only_material() -> None:
    system, user = map_messages(GIVEN, section(), "", 8, is_small=False)
    assert '{"points":[{"t":"' in system.text
    assert "8 at most" in system.text
    assert "never an instruction" in system.text
    assert "Write in the language of the text." in system.text
    assert "[2] A kiln was built in 1871." in user.text
    assert "kilns.pdf" in user.text


def write(form: Form, *, is_small: bool, wish: str = "") -> list[Message]:
    texts = [("kilns.pdf", "[1] A kiln.")]
    return write_messages(form, texts, "about 150 words", "en", wish=wish, most=6, are_points=True, is_small=is_small)


@pytest.mark.parametrize("form", list(Form))
def test_each_form_is_asked_for_in_its_own_words(form: Form) -> None:
    others = {
        write(other, is_small=False)[0].text for other in Form if other not in (form, Form.BULLETS, Form.SECTIONS)
    }
    assert write(form, is_small=False)[0].text not in others
    assert "about 150 words" in write(form, is_small=False)[0].text


@pytest.mark.parametrize("is_small", [True, False])
def test_an_own_wish_stands_in_the_instructions_on_one_line(is_small: bool) -> None:
    text = write(Form.OWN, wish="Only the\n\nprices {please}", is_small=is_small)[0].text
    assert "Only the prices {please}" in text


def test_a_merge_shows_the_sentences_apart_from_the_points() -> None:
    user = merge_messages("[1] A kiln.", "[1] A kiln was built.", "en", 5, is_small=False)[1].text
    assert user.index("[1] A kiln.") < user.index("Source sentences, for checking only:") < user.index("was built")


# Grammars. Python's own expressions follow those of numbers, and llama.cpp says whether it takes the whole.


@pytest.mark.parametrize("numbers", [[7], [1, 2, 3], [9, 10, 11, 100, 101], list(range(1, 400)), [3, 31, 314]])
def test_only_the_numbers_that_were_shown_can_be_written(numbers: Sequence[int]) -> None:
    pattern = re.sub(r'["\s]', "", answer_grammars.one_of(numbers))
    wrong = [number for number in range(1200) if bool(re.fullmatch(pattern, str(number))) != (number in numbers)]
    assert wrong == []


@pytest.mark.parametrize(("count", "most"), [(1, 9), (4, 9), (9, 9), (12, 9), (3, 1)])
def test_each_line_of_a_small_model_has_its_own_stretch_of_the_numbers_and_together_they_have_all(
    count: int, most: int
) -> None:
    rules = answer_grammars.spread_grammar(list(range(1, most + 1)), count, "en")
    parts = [
        {n for n in range(1, most + 1) if re.fullmatch(re.sub(r'["\s]', "", match), str(n))}
        for match in re.findall(r'line\d+ ::= "\[" \((.*)\) "\] "', rules)
    ]
    assert len(parts) == count
    assert all(parts)
    assert set().union(*parts) == set(range(1, most + 1))
    firsts = [min(part) for part in parts]
    assert firsts == sorted(firsts)


SOURCE = "It moves archive.ini, see docs.example.org. In der Bahnhofstrasse. 12 Räume, approx. so."


def sentence_pattern(source: str = SOURCE, language: str = "en", **options: bool) -> re.Pattern[str]:
    """What small models may write as one text, as an expression of Python's: its rules name only later ones."""
    rules_of = answer_grammars.spread_grammar([1], 1, language, source=source, **options)
    names = ("text", "word", "plain", "number", "open", "known")
    found = re.findall(rf"^({'|'.join(names)}) ::= (.*)$", rules_of, re.M)
    rules = dict(found)
    body = rules.pop("text")
    for name in names[1:]:
        body = re.sub(rf"(?<![\w\[\".]){name}(?![\w\".])", lambda _: f"({rules[name]})", body)  # noqa: B023
    parts = re.findall(r'"[^"]*"|\[[^\]\\]*(?:\\.[^\]\\]*)*\]|\{[^}]*\}|[^\s]', body)
    return re.compile("".join(re.escape(part[1:-1]) if part.startswith('"') else part for part in parts))


@pytest.mark.parametrize(
    "text",
    [
        "The parser of Michael A. Covington was the first of its kind.",
        "It is described in sec. 1 and (Fig. 2) of the report by J.-P. Sartre.",
        "Kern et al. (2007) and J.R.R. Tolkien paid 3.7 million U.S. dollars.",
        "A. Lind built the kiln for Prof. Dr. J. R. Kern in 1871, approx. 5 miles away.",
        "Settings move from archive.ini to “archive.ini”, as docs.example.org says, e.g. those of the E.U. Parliament!",
        "17.5 million crowns were paid for the quay in the year 2023.",
        "64-bit systems need 18 000 kB [3] of v4.1.3.",
        "Die Gebühren sind nach Abs. 3 Nr. 4 bzw. Art. 7 z.B. seit dem 18. April fällig.",
        "Éva said that the ships were late on all of the days.",
        "Der Eingang ist in der Bahnhofstrasse. 12 zu finden.",
        "«Гавань» была построена купцом в прошлом веке.",
        "No full stop where the model wants none",
    ],
)
def test_a_small_model_can_write_what_a_text_would_say(text: str) -> None:
    assert sentence_pattern().fullmatch(text)


@pytest.mark.parametrize(
    "text",
    [
        "The kiln was built by Lind's brothers. The oldest of them burns wood.",
        "The kiln was built in 1871.The oldest of them burns wood.",
        "The parser was the first.Michael Covington wrote it in one year.",
        "After 3.2 million tonnes in 2023.销售收入 rose to 3.4 million.",
        "Two of them were taken down on 18 April 2024._the new one lifts 60 tonnes.",
        "Fifteen were serious.inoa and none of them was fatal.",
        "The settings are in archive.toml.",
        "Der Preis bleibt bei 1,94 Euro je Kubikmeter.))",
        "Der Preis bleibt bei 1,94 Euro je Kubikmeter..",
        "Der Preis bleibt bei 1,94 Euro bis 2026..",
        "Das Haus steht in der Hafenstrasse.12 zum Wasser hin.",
    ],
)
def test_a_small_model_cannot_glue_words_nor_write_a_second_sentence_behind_a_whole_one(text: str) -> None:
    assert not sentence_pattern().fullmatch(text)


@pytest.mark.parametrize(
    "text", ["～.10.25.34.79 of these.", "~~The most of them.", "– xlink : points.", "12 of them."]
)
def test_the_smallest_begin_with_a_letter(text: str) -> None:
    assert not sentence_pattern(begins_with_number=False).fullmatch(text)
    assert sentence_pattern(begins_with_number=False).fullmatch("A. Lind built three of them.")


def test_where_words_have_no_spaces_the_line_ends_behind_the_first_sentence() -> None:
    pattern = sentence_pattern(language="zh")
    assert pattern.fullmatch("窯建于1871年，高3.5米。") and pattern.fullmatch("Anna Lind于1871年建窯。")
    assert not pattern.fullmatch("窯建于1871年。它很老。")


def test_words_with_a_full_stop_are_those_of_the_text_and_only_so_many() -> None:
    assert answer_grammars.joined_words(SOURCE) == ["archive.ini", "docs.example.org", "Bahnhofstrasse.", "approx."]
    many = " ".join(f"part{number}.bin" for number in range(500))
    assert len(answer_grammars.joined_words(many)) == answer_grammars.MOST_JOINED_WORDS
    assert answer_grammars.joined_words('a "quo\\ted.word" \\x.yz') == []


def free_pattern(rules: str, name: str) -> re.Pattern[str]:
    """A rule that names no other, as an expression of Python's."""
    (body,) = re.findall(rf"^{name} ::= (.*)$", rules, re.MULTILINE)
    parts = re.finditer(r'"([^"]*)"|(\[(?:\\.|[^\]])*\])|([^\s])', body)
    return re.compile("".join(match[2] or match[3] or re.escape(match[1]) for match in parts))


@pytest.mark.parametrize(
    "rules", [answer_grammars.write_up(Form.BULLETS, [1], 1, 2), answer_grammars.entries_grammar([1], 2)]
)
def test_a_larger_model_can_write_short_texts_and_what_is_below_zero(rules: str) -> None:
    pattern = free_pattern(rules, "text")
    assert all(map(pattern.fullmatch, ["In 1871", "-5 °C at night", "Sí"]))
    assert not any(map(pattern.fullmatch, ["- one", "[2] two", "a\nb", ""]))


def test_brackets_that_hold_no_number_are_the_texts_own() -> None:
    assert free_pattern(answer_grammars.write_up(Form.BULLETS, [1], 1, 2), "text").fullmatch(
        "the array a[i] [sic] of it"
    )


@pytest.mark.parametrize(
    ("rules", "whole"),
    [
        (answer_grammars.entries_grammar([1], 3), ["None", "None.", "line", "line\nline", "line\nline\nline\n"]),
        (answer_grammars.write_up(Form.BULLETS, [1], 2, 3), ["item\nitem", "item\nitem\nitem\n"]),
        (answer_grammars.write_up(Form.ACTIONS, [1], 2, 3), ["None.", "item", "item\nitem\n"]),
        (answer_grammars.write_up(Form.QUESTIONS, [1], 2, 4), ["pair", "pair\n\npair", "pair\n"]),
    ],
)
def test_an_answer_may_end_behind_its_last_line(rules: str, whole: list[str]) -> None:
    root = re.sub(r"\b(line|item|pair)\b", r'"\1"', re.findall(r"^root ::= (.*)$", rules, re.MULTILINE)[0])
    pattern = free_pattern(f"root ::= {root}".replace(r"\n", "\x00"), "root")
    assert all(pattern.fullmatch(text.replace("\n", "\x00")) for text in whole)
    assert not pattern.fullmatch(f"{whole[-1]}\x00line")


BLOCKS = [
    (3, "Present were Ms. Okoro, Mr. Lind and\nDr. Weiss. 1,200 came in 2019."),
    (4, "Lindau lies far off. Ms. Okoro left at 6 p.m."),
]


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("Ms. Okoro", [("Ms. Okoro", (3, 4))]),
        ("- Mr. Lind and Dr. Weiss.", [("Mr. Lind and Dr. Weiss", (3,))]),
        ("1. Mr. Lind\n2) Dr. Weiss\n\n* “1,200”", [("Mr. Lind", (3,)), ("Dr. Weiss", (3,)), ("1,200", (3,))]),
        ("Dr. Weiss, Ms. Okoro, 6 p.m.", [("Dr. Weiss", (3,)), ("Ms. Okoro", (3, 4)), ("6 p.m.", (4,))]),
        ("[9] Lind", [("Lind", (3,))]),
        ("Okoro left", [("Okoro left", (4,))]),
        ("1,200 visitors came there in 2019", [("1,200 visitors came there in 2019", (3,))]),
        ("Ned Nobody\n2020\nNone", []),
    ],
)
def test_what_is_listed_gets_the_places_that_have_its_words(
    answer: str, wanted: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert [(one.text, one.ids) for one in point_answers.read_list(answer, BLOCKS)] == wanted


def test_a_question_may_begin_and_end_as_its_language_has_it() -> None:
    pattern = free_pattern(answer_grammars.spread_grammar([1], 1, "es", Form.QUESTIONS), "question")
    assert all(
        map(
            pattern.fullmatch, ["Q: ¿Qué se vendió en 2024?", "Q: Où est-ce qu'il est ?", "Q: 什么时候开放了那个港口？"]
        )
    )
    assert not pattern.fullmatch("Q: What was it? And why was it so?")


def every_grammar() -> list[tuple[str, str]]:
    ids = [1, 2, 10, 12]
    found = [(f"small {form}", answer_grammars.spread_grammar(ids, 3, "en", form)) for form in Form]
    found += [(f"large {form}", answer_grammars.write_up(form, ids, 2, 4)) for form in Form]
    found += [(f"spread {code}", answer_grammars.spread_grammar(ids, 2, code)) for code in ("ja", "hi", "ar", "th")]
    found += [
        (f"spread {code} words", answer_grammars.spread_grammar(ids, 2, code, source=SOURCE)) for code in ("en", "de")
    ]
    found += [("entries", answer_grammars.entries_grammar(ids, 3))]
    found += [
        (f"choice {form}", answer_grammars.choice_grammar(ids, 2, form)) for form in (Form.BULLETS, Form.PARAGRAPHS)
    ]
    quotes = [(f"json {quotes}", answer_grammars.json_points(ids, 3, has_quotes=quotes)) for quotes in (True, False)]
    return found + quotes


@pytest.mark.model
@pytest.mark.slow
def test_llama_takes_every_grammar_and_the_answer_begins_as_it_says(starter: Path, tmp_path: Path) -> None:
    from app.core.child import own_command
    from app.engine.client import EngineClient

    begins = {
        "small": r"\[(1|2|10|12)?|Q",
        "large": r"- |[^ ]|None",
        "json": r'\{|"|`',
        "spread": r"\[",
        "choice": r"\[",
        "entries": r"\[|N",
    }
    engine = EngineClient(own_command("--engine-worker"), tmp_path)
    load(engine, starter)
    try:
        for name, rules in every_grammar():
            options = {"max_tokens": 6, "task_sampling": Sampling(0.0, seed=1)}
            text, _ = answer_of(engine.generate(write(Form.BULLETS, is_small=True), grammar=rules, **options))
            assert re.match(begins[name.split()[0]], text), (name, text)
    finally:
        engine.close()


@pytest.mark.model
def test_a_small_model_s_answer_is_whole_sentences_with_numbers_that_were_shown(starter: Path, tmp_path: Path) -> None:
    from app.core.child import own_command
    from app.engine.client import EngineClient

    engine = EngineClient(own_command("--engine-worker"), tmp_path)
    load(engine, starter)
    messages = map_messages(GIVEN, section(), "en", 2, is_small=True)
    try:
        rules = answer_grammars.spread_grammar([1, 2], 2, "en")
        options = {"max_tokens": 300, "task_sampling": Sampling(0.0, seed=1)}
        text, stats = answer_of(engine.generate(messages, grammar=rules, **options))
    finally:
        engine.close()
    points = read_points(text, [1, 2])
    assert [point.ids for point in points] == [(1,), (2,)]
    assert points[-1].text == "A kiln was built in 1871."
    assert stats.finish_reason == "stop"


ALLOWED = range(1, 20)


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("[12] The kiln is old.\n[13, 14] It burns.\n", [("The kiln is old.", (12,)), ("It burns.", (13, 14))]),
        ("- The kiln is old. [12]\n* It burns wood [13].", [("The kiln is old.", (12,)), ("It burns wood.", (13,))]),
        ("1. The kiln is old [12]. It burns wood [13]", [("The kiln is old.", (12,)), ("It burns wood", (13,))]),
        ("The kiln is old. [12][13]", [("The kiln is old.", (12, 13))]),
        ("[12] As [13] says, it is old [13].\n[14] So.", [("As [13] says, it is old.", (12,)), ("So.", (14,))]),
        ("[12] It is old. [13] It burns.", [("It is old.", (12,)), ("It burns.", (13,))]),
        ("The kiln is old.", [("The kiln is old.", ())]),
        ("Here are the points:\n- The kiln is old. [12]", [("The kiln is old.", (12,))]),
        ("- The kiln is old. [12, 99, 12]", [("The kiln is old.", (12,))]),
        ('{"points":[{"t":"A \\"kiln\\" is old.","ids":[12],"q":"is old"}]}', [('A "kiln" is old.', (12,))]),
        ('{"points":[{"t":"A kiln.","ids":[12]},{"t":"Cut o', [("A kiln.", (12,))]),
        ('[{"t":"A kiln.","ids":12}]', [("A kiln.", (12,))]),
        ('{"points":[{"t":"","ids":[12]},{"t":7,"ids":[12]},{"ids":[12]}]}', []),
        ("[12] None\n[13] None.", []),
        ("", []),
        ("no points at all", []),
    ],
)  # fmt: skip
def test_points_are_read_from_lines_and_json(answer: str, points: list[tuple[str, tuple[int, ...]]]) -> None:
    assert [(one.text, one.ids) for one in read_points(answer, ALLOWED)] == points


@given(st.text(alphabet='{}[]",: \n-tqids12points\\u', max_size=200))
def test_no_answer_is_too_odd_to_be_read(answer: str) -> None:
    assert all(set(point.ids) <= set(ALLOWED) for point in read_points(answer, ALLOWED))


def test_deep_nesting_is_no_way_to_end_the_program() -> None:
    assert read_points('{"points":' + "[" * 50_000, ALLOWED) == []


def points(*texts: str) -> list[SummaryPoint]:
    return [SummaryPoint(text, (1,)) for text in texts]


@pytest.mark.parametrize(
    ("answer", "finish", "found", "kept", "problem"),
    [
        ("", "stop", [], [], AnswerProblem.EMPTY),
        ("what?", "stop", [], [], AnswerProblem.UNREADABLE),
        ("I'm sorry, but I can't.", "stop", points("I'm sorry, but I can't."), points("x"), AnswerProblem.REFUSED),
        ("As an AI language model I have no view.", "stop", [], [], AnswerProblem.REFUSED),
        ("[1] a", "length", points("a"), points("a"), AnswerProblem.TOO_LONG),
        ("[1] a", "context", [], [], AnswerProblem.TOO_LONG),
        ("[1] a", "repeated", points("a"), points("a"), AnswerProblem.REPEATED),
        ("[1] a [2] b", "repeated", points("a", "b"), points("a", "b"), None),
        ("[1] a [2] b", "length", points("a", "b"), points("a", "b"), None),
        ("[1] a" * 3, "stop", points("a", "a", "a"), points("a"), AnswerProblem.REPEATED),
        ('{"points": []}', "stop", [], [], None),
        ('```json\n{"points": []}\n```', "stop", [], [], None),
        ("[1] None\n[2] None.", "stop", [], [], None),
        ("[1] a", "stop", points("a"), points("a"), None),
        ("I cannot come on 3 May, writes Anna. [1]", "stop", points("I cannot come."), points("I cannot come."), None),
    ],
)
def test_what_is_wrong_with_an_answer(
    answer: str, finish: str, found: list[SummaryPoint], kept: list[SummaryPoint], problem: AnswerProblem | None
) -> None:
    assert problem_of(answer, FinishReason(finish), found, kept) is problem


def distinct(*texts: str) -> list[str]:
    return without_repeats(texts, str)


def test_the_same_said_twice_stays_in_its_longest_form() -> None:
    assert distinct("The kiln is old.", "A roof leaks.", "The old kiln is very old.") == [
        "The old kiln is very old.",
        "A roof leaks.",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The kiln was built in 1871.", "The kiln was built in 1954."),
        ("The kiln was sold.", "The kiln was not sold."),
        ("Der Ofen wurde verkauft.", "Der Ofen wurde nicht verkauft."),
        ("The kiln burns wood.", "The roof needs tiles."),
    ],
)
def test_another_number_or_a_denial_is_another_point(one: str, other: str) -> None:
    assert distinct(one, other) == [one, other]


def test_what_runs_in_circles_is_left_out() -> None:
    circle = "the kiln is old and " * 4
    assert is_looping(circle)
    assert distinct("The kiln is old.", circle) == ["The kiln is old."]
    assert not is_looping("The kiln is old and the roof is old and the door is old.")


def test_numbers_before_and_behind_a_text_are_told_apart() -> None:
    assert list(cited_runs("[1] A kiln. [2, 3] A roof.")) == [("A kiln.", (1,)), ("A roof.", (2, 3))]
    assert list(cited_runs("A kiln [1]. A roof [2, 3].")) == [("A kiln.", (1,)), ("A roof.", (2, 3))]
    assert list(cited_runs("A kiln [sic] is old. [1]")) == [("A kiln [sic] is old.", (1,))]
