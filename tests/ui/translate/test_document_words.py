"""What is said of translated documents: how far, how long, what is saved, and what flags say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.documents.segments import Segment
from app.features.translate.translation_events import (
    Flag,
    FlagKind,
    Saved,
    StoredTranslation,
    Translated,
    TranslationSource,
    TranslationWish,
)
from app.ui.model_texts import HOURS_LEFT, MINUTES_LEFT
from app.ui.shared_labels import ABOUT_A_MINUTE, ABOUT_MINUTES, SAVED_AS, WAITING
from app.ui.translate.translation_saving import NEW_DOCUMENT_LAYOUT, ONE_SEGMENT_UNCHANGED, saved_words
from app.ui.translate.translation_texts import (
    BEGINS,
    ONE_SEGMENT,
    UNDER_A_MINUTE_LEFT,
    Remedy,
    done_words,
    layout_words,
    left_words,
    shown_flags,
    time_words,
    work_words,
)
from app.ui.work.doing import ABOUT_AN_HOUR, ABOUT_HOURS, UNDER_A_MINUTE
from app.ui.work.job_tab import PAUSED_WHILE_YOU_CHAT, WAITS_FOR_MEMORY
from tests.helpers.texts import shows

STORED = StoredTranslation(
    1, "lease", "running", None, 0.0, 0.0, TranslationWish("pt-BR"), "en", "lease.docx", "docx", 1206, 132, 3, 40
)


@pytest.mark.parametrize(
    ("seconds", "left", "whole"),
    [
        (10, UNDER_A_MINUTE_LEFT, UNDER_A_MINUTE),
        (62, MINUTES_LEFT.format(minutes=1), ABOUT_A_MINUTE),
        (185, MINUTES_LEFT.format(minutes=3), ABOUT_MINUTES.format(count=3)),
        (3_700, HOURS_LEFT.format(hours=1), ABOUT_AN_HOUR),
        (5_400, HOURS_LEFT.format(hours="1.5"), ABOUT_HOURS.format(count="1.5")),
    ],
)
def test_times_are_said_roughly(seconds: float, left: str, whole: str) -> None:
    assert left_words(seconds) == left
    assert time_words(seconds) == whole


def test_work_is_counted_in_segments_and_says_why_it_waits() -> None:
    assert work_words(STORED, 132, 1206, "", 185) == "132 of 1,206 · about 3 min left"
    assert work_words(STORED, 132, 1206, "interactive", 185) == f"132 of 1,206 · {PAUSED_WHILE_YOU_CHAT}"
    assert work_words(STORED, 132, 1206, "room", None) == f"132 of 1,206 · {WAITS_FOR_MEMORY}"
    assert work_words(STORED, 0, 0, "", None) == BEGINS
    assert work_words(replace(STORED, state="queued"), 0, 1206, "", None) == WAITING


def test_what_is_done_is_told_with_what_the_memory_gave_and_what_to_look_at() -> None:
    assert done_words(STORED) == "1,206 segments · 40 from memory · 3 to review"
    assert done_words(replace(STORED, segments=1, reused=0, flagged=0)) == ONE_SEGMENT


def test_only_what_cannot_be_written_back_says_that_its_layout_is_lost() -> None:
    assert layout_words(STORED) == ""
    assert layout_words(replace(STORED, name="lease.pdf", format="blocks")).startswith(
        "PDF files can’t keep their layout"
    )


def test_what_was_saved_is_said_with_what_is_missing_in_it() -> None:
    path = Path("/somewhere/lease.docx")
    assert saved_words(Saved(path)) == SAVED_AS.format(name="lease.docx")
    partial = Saved(path, tuple(range(1_200)), is_marked=True)
    assert saved_words(partial) == "Saved as lease.docx. 1,200 segments aren’t translated yet and are marked."
    assert saved_words(Saved(path, (7,))) == "Saved as lease.docx. 1 segment isn’t translated yet."
    assert saved_words(Saved(path, kept=(4,))).endswith(ONE_SEGMENT_UNCHANGED)
    assert "2 segments couldn’t be translated" in saved_words(Saved(path, kept=(4, 5)))
    assert "1 couldn’t keep" in saved_words(Saved(path, refused=(4,)))
    assert shows(NEW_DOCUMENT_LAYOUT, saved_words(Saved(path, keeps_layout=False)))


@pytest.mark.parametrize("kind", list(FlagKind))
def test_every_flag_has_a_reason_and_two_remedies(kind: FlagKind) -> None:
    segment = Segment(1, ("Pay 1,240.00 now.",))
    flag = Flag(kind, "1,240.00", "juros")
    (one,) = shown_flags(segment, Translated(1, ("Pague.",), flags=(flag,)), "Português")
    assert one.reason.endswith(".")
    assert "{" not in one.spoken
    assert one.remedies[1][0] is Remedy.KEEP
    assert one.remedies[0][0] is not Remedy.KEEP


def test_numbers_and_lengths_are_told_by_what_they_are() -> None:
    segment = Segment(1, ("Pay 1,240.00 now.",))

    def reason(kind: FlagKind, said: str, text: str) -> str:
        return shown_flags(segment, Translated(1, (text,), flags=(Flag(kind, said),)), "Deutsch")[0].reason

    assert reason(FlagKind.NUMBER, "1,240.00", "Zahle.") == "“1,240.00” is missing."
    assert reason(FlagKind.NUMBER, "99", "Zahle 99.") == "“99” isn’t in the original."
    assert reason(FlagKind.LENGTH, "", "Zahle.") == "Much shorter than the original."
    assert reason(FlagKind.LENGTH, "", "Zahle " * 20) == "Much longer than the original."
    assert reason(FlagKind.LANGUAGE, "", "Pay") == "This doesn’t look like Deutsch."


def test_what_stayed_in_the_source_has_one_flag_with_all_reasons() -> None:
    segment = Segment(1, ("Pay now.",))
    flags = (Flag(FlagKind.UNTRANSLATED), Flag(FlagKind.LOOP, "bla bla"))
    (one,) = shown_flags(segment, Translated(1, segment.content, TranslationSource.KEPT, flags), "Deutsch")
    assert one.reason == "This couldn’t be translated. The model kept repeating itself."
    assert [remedy for remedy, _ in one.remedies] == [Remedy.AGAIN, Remedy.KEEP]
