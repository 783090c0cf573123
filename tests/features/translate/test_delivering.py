"""Answers as they are delivered: what models say around a translation, and ten ways of damaging markup."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app.documents.segments import Segment, SegmentKind, plain
from app.features.translate.delivering import make_candidate
from app.features.translate.marking import show_segment, shown_content
from app.features.translate.problems import ProblemKind
from app.features.translate.protected_spans import find_placeholders
from app.features.translate.translation_events import FlagKind, TranslationSource
from tests.helpers.translations import deliver

SOURCE = "The dog sleeps."
TAG = re.compile(r"</?[gx]\d+/?>")
MESSAGES = [
    "Copied %d files from %s to {target}.",
    "<b>%s</b> was not found in <i>%s</i>.",
    "%s: cannot open `%s': %m",
    "Usage: %s [OPTION]... <file>\\n",
    "{count, plural, one {# file} other {# files}} in ${dir}",
    "Press <kbd>Ctrl</kbd>+<kbd>%c</kbd> or see <a href=\"https://x.org/%s\">this</a>",
    "%(user)s has %(count)d messages &amp; %5.1f%% free",
    "Page %1 of %2",
]  # fmt: skip


def _swapped(text: str) -> str:
    tags = TAG.findall(text)
    return text if len(tags) < 2 else text.replace(tags[0], "\0").replace(tags[-1], tags[0]).replace("\0", tags[-1])


DAMAGE: dict[str, Callable[[str], str]] = {
    "one dropped": lambda text: TAG.sub("", text, count=1),
    "all dropped": lambda text: TAG.sub("", text),
    "doubled": lambda text: TAG.sub(lambda match: match[0] * 2, text, count=1),
    "two swapped": _swapped,
    "one invented": lambda text: f"{text} <x77/>",
    "closed too soon": lambda text: re.sub(r"</g(\d+)>", "", text),
    "renumbered": lambda text: re.sub(r"(\d+)/>", lambda match: f"{int(match[1]) + 1}/>", text),
    "other brackets": lambda text: text.replace("<x", "(x").replace("/>", ")"),
    "translated": lambda text: text.replace("<x", "<Zeichen ").replace("<g", "<Gruppe "),
    "placeholder invented": lambda text: f"{text} %s {{name}}",
}


@pytest.mark.parametrize("way", DAMAGE)
@pytest.mark.parametrize("message", MESSAGES)
def test_whatever_the_damage_placeholders_are_intact_and_it_is_flagged(message: str, way: str) -> None:
    segment = Segment(1, (message,), SegmentKind.MESSAGE)
    translated = show_segment(segment).text.replace("file", "Datei").replace("found", "gefunden")
    good = deliver(segment, translated)
    assert good.flags == ()
    damaged = DAMAGE[way](translated)
    found = deliver(segment, damaged)
    assert sorted(find_placeholders(plain(found.content))) == sorted(find_placeholders(message))
    if way == "two swapped" and len(show_segment(segment).ordered) < len(TAG.findall(translated)):
        return  # named ones may change places: nothing tells that they should not have
    if damaged != translated and found.content != good.content:
        assert [flag.kind for flag in found.flags] in ([FlagKind.FORMATTING], [FlagKind.UNTRANSLATED])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Here is the translation: Der Hund schläft.", ProblemKind.REMARK),
        ("Sure! Here's the German translation:\n\nDer Hund schläft.", ProblemKind.REMARK),
        ("Translation: Der Hund schläft.", ProblemKind.REMARK),
        ("Hier ist die Übersetzung: Der Hund schläft.", ProblemKind.REMARK),
        ("Voici la traduction en allemand : Der Hund schläft.", ProblemKind.REMARK),
        ("以下是翻译：Der Hund schläft.", ProblemKind.REMARK),
        ("Der Hund schläft.\n\n(Note: “dog” is a noun.)", ProblemKind.REMARK),
        ("Der Hund schläft.<|im_end|>\n<|im_start|>user", ProblemKind.LEAK),
        ("Der Hund schläft.<hy-end>", ProblemKind.LEAK),
        ("Der Hund schläft.<｜hy_Assistant｜>", ProblemKind.LEAK),
        ("Der Hund schläft.<end_of_turn>", ProblemKind.LEAK),
        ("<s n=\"1\">Der Hund schläft.</s>", ProblemKind.LEAK),
    ],
)  # fmt: skip
def test_what_a_model_says_around_it_is_taken_out_and_told(answer: str, kind: ProblemKind) -> None:
    found = make_candidate(shown_content((SOURCE,)), answer)
    assert [one.kind for one in found.problems] == [kind]
    assert found.words == "Der Hund schläft."


@pytest.mark.parametrize(
    "answer", ['"Der Hund schläft."', "„Der Hund schläft.“", "```\nDer Hund schläft.\n```", "\n Der Hund schläft. \n"]
)
def test_quotes_fences_and_space_around_it_are_taken_off(answer: str) -> None:
    found = make_candidate(shown_content((SOURCE,)), answer)
    assert (found.words, found.problems) == ("Der Hund schläft.", ())


def test_what_the_source_says_itself_is_no_remark() -> None:
    source = shown_content(("Here is the translation: a dog.",))
    assert make_candidate(source, "Hier ist die Übersetzung: ein Hund.").problems == ()
    quoted = shown_content(('"Stay here"',))
    assert make_candidate(quoted, '"Bleib hier"').words == '"Bleib hier"'
    apology = shown_content(("I'm sorry, but I cannot come.",))
    assert make_candidate(apology, "I'm sorry, aber ich kann nicht kommen.").problems == ()


def test_lines_are_joined_where_the_source_has_one_and_kept_where_it_has_more() -> None:
    assert make_candidate(shown_content(("A dog. A cat.",)), "Ein Hund.\nEine Katze.").words == "Ein Hund. Eine Katze."
    assert (
        make_candidate(shown_content(("A dog.\nA cat.",)), "Ein Hund.\nEine Katze.").words == "Ein Hund.\nEine Katze."
    )


def test_signs_that_came_as_entities_are_signs_again_unless_the_source_has_entities() -> None:
    assert make_candidate(shown_content(("a < b & c",)), "a &lt; b &amp; c und").words == "a < b & c und"
    segment = Segment(1, ("Fish &amp; chips",), SegmentKind.MESSAGE)
    assert deliver(segment, "Fisch &amp; Pommes").content == ("Fisch &amp; Pommes",)


def test_a_placeholder_that_the_model_wrote_out_is_taken_for_its_mark() -> None:
    segment = Segment(1, ("Hello {name}, you have %d messages.",), SegmentKind.MESSAGE)
    found = deliver(segment, "Hallo {name}, du hast %d Nachrichten.")
    assert (found.content, found.flags) == (("Hallo {name}, du hast %d Nachrichten.",), ())


@pytest.mark.parametrize("answer", ["", "  ", "…", "12", "<x1/>", "I cannot translate this, sorry."])
def test_without_a_usable_answer_the_source_is_kept_and_flagged(answer: str) -> None:
    segment = Segment(3, ("The dog %s sleeps.",), SegmentKind.MESSAGE)
    found = deliver(segment, answer)
    assert (found.id, found.content, found.origin) == (3, segment.content, TranslationSource.KEPT)
    assert found.flags[0].kind is FlagKind.UNTRANSLATED


def test_a_loop_is_no_answer_but_a_repetition_that_the_source_has_is() -> None:
    source = shown_content(("He laughed: ha ha ha ha ha ha ha ha ha ha!",))
    assert make_candidate(source, "Er lachte: ha ha ha ha ha ha ha ha ha ha!").problems == ()
    kinds = [one.kind for one in make_candidate(shown_content((SOURCE,)), "Der Hund und " * 12).problems]
    assert kinds == [ProblemKind.LOOP]
    assert [one.kind for one in make_candidate(shown_content((SOURCE,)), "狗在睡觉" * 12).problems] == [
        ProblemKind.LOOP
    ]


def test_words_in_a_mark_that_stands_alone_are_told() -> None:
    segment = Segment(1, ("The use of %s is odd here.",), SegmentKind.MESSAGE)
    found = deliver(segment, "Der Gebrauch von <x1>Wort</x1> ist hier seltsam.")
    assert [flag.kind for flag in found.flags] == [FlagKind.FORMATTING]
    assert deliver(segment, "Der Gebrauch von <x1></x1> ist hier seltsam.").flags == ()


def test_brackets_around_a_placeholder_come_back_with_it() -> None:
    segment = Segment(1, ("Mail from <%s> arrived.",), SegmentKind.MESSAGE)
    assert deliver(segment, "Post von <x1> ist da.").content == ("Post von <%s> ist da.",)


@pytest.mark.parametrize("answer", ["System (x1) ist da.", "System (<x1/>) ist da.", "System (<x1></x1>) ist da."])
def test_brackets_of_the_text_stay_where_the_tag_in_them_was_written_bare(answer: str) -> None:
    segment = Segment(1, ("System (%s) arrived.",), SegmentKind.MESSAGE)
    assert deliver(segment, answer).content == ("System (%s) ist da.",)


def test_what_only_looks_like_a_tag_and_stands_in_the_source_stays_text() -> None:
    segment = Segment(1, ("We drove an old BMW (X 5) to the town.",))
    done = deliver(segment, "Wir fuhren mit einem alten BMW (X 5) in die Stadt.")
    assert (plain(done.content), done.flags) == ("Wir fuhren mit einem alten BMW (X 5) in die Stadt.", ())
    assert plain(deliver(segment, "Wir fuhren (X 7) mit einem alten BMW (X 5).").content).count("X 5") == 1


def test_control_tokens_of_a_model_in_a_text_come_back_or_are_flagged() -> None:
    segment = Segment(1, ("Write <|im_end|> below your text.",))
    source = show_segment(segment)
    assert "im_end" not in source.text
    kept = deliver(segment, "Schreib <x1/> unter deinen Text.")
    assert (plain(kept.content), kept.flags) == ("Schreib <|im_end|> unter deinen Text.", ())
    lost = deliver(segment, "Schreib etwas unter deinen Text.")
    assert "<|im_end|>" in plain(lost.content)
    assert [flag.kind for flag in lost.flags] == [FlagKind.FORMATTING]


def test_characters_that_nobody_sees_are_taken_out_of_an_answer() -> None:
    done = deliver(Segment(1, (SOURCE,)), "\x00Der Hund\u202e \x1bschläft.")
    assert (plain(done.content), done.flags) == ("Der Hund schläft.", ())


def test_a_tag_in_doubled_brackets_is_one_and_brackets_of_two_kinds_are_none() -> None:
    segment = Segment(1, ("System [%s] arrived.",), SegmentKind.MESSAGE)
    assert deliver(segment, "System [[x1/]] ist da.").content == ("System [%s] ist da.",)
    both = Segment(1, ("The value (%s > %s) is odd.",), SegmentKind.MESSAGE)
    found = deliver(both, "Der Wert (x1 > <x2/>) ist seltsam.")
    assert [flag.kind for flag in found.flags] == [FlagKind.FORMATTING]
    assert found.content != ("Der Wert %s %s ist seltsam.",)
