"""What is said of the checks says only what was done."""

from __future__ import annotations

import pytest

from app.features.summary.messages import check_words, statements_words
from app.features.summary.result import Anchor, Check, Reason, Statement

DIFFERS = Check(False, Reason.NUMBER, "3.1 million", "3.7 million")
MISSING = Check(False, Reason.SUPPORT)


@pytest.mark.parametrize(
    ("check", "pages", "words"),
    [
        (Check(), "p. 12", "Found on p. 12."),
        (Check(), "", "Found in the text."),
        (DIFFERS, "p. 12", "It says “3.1 million”, the page says “3.7 million”."),
        (DIFFERS, "slide 3", "It says “3.1 million”, the slide says “3.7 million”."),
        (DIFFERS, "source 2", "It says “3.1 million”, the text says “3.7 million”."),
        (Check(False, Reason.NUMBER, "3.1 million"), "p. 12", "“3.1 million” was not found on p. 12."),
        (Check(False, Reason.NAME, "Anna"), "chapter 4", "“Anna” was not found in chapter 4."),
        (MISSING, "pp. 3, 4", "Not found on pp. 3, 4."),
        (Check(False, Reason.SUPPORT, "", "may not be renewed"), "p. 2", "The page says “may not be renewed”."),
        (Check(False, Reason.QUOTE_NOT_FOUND, "so"), "p. 2", "What it quotes was not found on p. 2."),
        (
            Check(True, Reason.CLOSE_MATCH, "so", "So"),
            "p. 2",
            "Found on p. 2; what it quotes stands there in slightly other letters.",
        ),
        (
            Check(False, Reason.LANGUAGE),
            "p. 2",
            "It is in another language than the page, and could not be compared with it.",
        ),
        (Check(False, Reason.NAME, "Anna", "Maria B."), "p. 1", "It says “Anna”, the page says “Maria B”."),
    ],
)
def test_a_check_is_told_in_one_sentence(check: Check, pages: str, words: str) -> None:
    assert check_words(check, pages) == words


def statements(*checks: Check, page: int | None = 1) -> list[Statement]:
    return [Statement("A.", (Anchor(0, 1, page),), check) for check in checks]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (statements(*[Check()] * 5, DIFFERS), ("6 statements: 5 found on their page", "1 differs")),
        (statements(*[Check()] * 6), ("6 statements: all found on their page", "")),
        (statements(DIFFERS, DIFFERS, MISSING), ("3 statements: none found on their page", "2 differ, 1 not found")),
        (statements(Check()), ("1 statement: found on its page", "")),
        (
            statements(Check(), Check(False, Reason.LANGUAGE), MISSING),
            ("3 statements: 1 found on their page", "1 not found, 1 could not be compared"),
        ),
        (statements(MISSING), ("1 statement: none found on its page", "1 not found")),
        (statements(Check(), MISSING, page=None), ("2 statements: 1 found in the text", "1 not found")),
        ([], ("No statements", "")),
    ],
)
def test_statements_are_counted_by_how_they_came_out(given: list[Statement], words: tuple[str, str]) -> None:
    assert statements_words(given) == words


def test_nothing_is_ever_called_verified() -> None:
    said = [check_words(Check(found, reason, "a", says), "p. 1")
            for found in (True, False) for reason in (None, *Reason) for says in ("", "b")]  # fmt: skip
    assert all(said) and not any("verif" in one.casefold() or "!" in one for one in said)
