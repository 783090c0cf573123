"""What becomes of a README's HTML and pictures before it is read as Markdown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ui.models.card_text import MOST_CHARACTERS, readable


@pytest.mark.parametrize(
    ("card", "text"),
    [
        ('<div align="center">\n    <b>Hello</b> there\n</div>', "Hello there"),
        ('<img src="http://x/y.png" alt="The logo" width=3>', "The logo"),
        ("<img src='http://x/y.png' alt='One'><IMG ALT=two SRC=x><img src=x>", "Onetwo"),
        ("![A picture](http://x/y.png) and [![badge](http://x/b.svg)](https://x.org)", "A picture and [badge](https://x.org)"),
        ("[the licence](LICENSE) [below](#notes) [out](https://x.org)", "the licence below [out](https://x.org)"),
        ("a <script>track()</script>b<style>p{}</style>c<!-- hidden --> d", "a bc d"),
        ("a<script>never closed", "a"),
        ("<h2>Title</h2>text", "## Title\n\ntext"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("`<b>` and <think> and <|im_start|> and 1 < 2 > 0", "`<b>` and <think> and <|im_start|> and 1 < 2 > 0"),
        ("one<br>two", "one\u2028two"),
        ("<https://x.org> and <a@b.org>", "<https://x.org> and <a@b.org>"),
        ("```html\n<b>stays</b> ![x](y)\n```\n<b>goes</b>", "```html\n<b>stays</b> ![x](y)\n```\ngoes"),
        ("~~~\n<b>\n", "~~~\n<b>"),
        ("- a\n  - <b>b</b>", "- a\n  - b"),
    ],
)  # fmt: skip
def test_html_becomes_text(card: str, text: str) -> None:
    assert readable(card)[0].strip() == text


def test_a_long_card_is_cut_at_a_line() -> None:
    text, is_long = readable("A line of text.\n" * 5000)
    assert is_long
    assert len(text) <= MOST_CHARACTERS
    assert text.endswith("A line of text.")
    assert readable("short") == ("short", False)
    assert len(readable("x" * (2 * MOST_CHARACTERS))[0]) == MOST_CHARACTERS


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "<script", "![", "[", "](", "`", "<b>", "![a](", "[a](b", "```\n", "<img alt='"]
)
def test_no_card_takes_long(piece: str) -> None:
    started_s = time.thread_time()
    readable(piece * (MOST_CHARACTERS // len(piece)))
    assert time.thread_time() - started_s < 1.0


@given(st.text(alphabet="<>/!-[]()`ab \n\"'=img#", max_size=200))
def test_any_text_is_read(text: str) -> None:
    readable(text)
