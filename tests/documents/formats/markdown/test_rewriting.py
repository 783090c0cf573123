"""Markdown written back: its markup stays, its words change, and what is written is read as what was meant."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core.errors.app_error import AppError
from app.documents.segments import Content, Mark, Segment, SegmentKind, content_of, marks
from app.documents.source import TargetLanguage
from tests.helpers.rewriting import marked, reversed_words, run_on

DOCUMENT = """\
---
title: "My page"
date: 2026-01-01
tags: [one, two]
description: A page about things
---

# Heading *one* {#first}

A paragraph that is
wrapped over lines with `code` and <kbd>Ctrl</kbd> and a [link](http://x.y "T") here.\x20\x20
Hard break. ![An image](a.png) [ref] and [ref][] and [text][ref], auto <http://a.b> $x^2$.

> Quote with **bold**
> lines
>
> 1. item one
>    more of it
> 2. [ ] task

- [x] done task
- item with
  two lines

  second para
  - nested

| Head | Two |
|------|:---:|
| a \\| b | `c` text |
| *x* | |

Term
: definition here

:::tip Title
inside the tip
:::

> [!NOTE]
> Take care.

[^1]: A note here
    going on.

Text with note[^1] and <b>html</b> ~~gone~~ words.

<!-- a comment -->

    code here

```py
x = 1
```

$$
a + b
$$

Setext *heading*
================

***

[ref]: http://example.org "Title"
"""
REVERSED = """\
---
title: "egap yM"
date: 2026-01-01
tags: [one, two]
description: sgniht tuoba egap A
---

# gnidaeH *eno* {#first}

htiw senil revo depparw si taht hpargarap A `code` dna <kbd>Ctrl</kbd> a dna
[knil](http://x.y "T") .ereh\x20\x20
.kaerb draH ![egami nA](a.png) [fer][ref] dna [fer][ref] dna [txet][ref]otua ,
<http://a.b> $x^2$.

> htiw etouQ **dlob**
> senil
>
> 1. ti fo erom
>    eno meti
> 2. [ ] ksat

- [x] ksat enod
- senil owt
  htiw meti

  arap dnoces
  - detsen

| daeH | owT |
|------|:---:|
| b \\| a | `c` txet |
| *x* | |

mreT
: ereh noitinifed

:::tip Title
pit eht edisni
:::

> [!NOTE]
> .erac ekaT

[^1]: .no gniog
    ereh eton A

eton htiw txeT[^1] dna <b>lmth</b> ~~enog~~ .sdrow

<!-- a comment -->

    code here

```py
x = 1
```

$$
a + b
$$

txeteS *gnidaeh*
================

***

[ref]: http://example.org "Title"
"""


def said(segment: Segment, *parts: str | Mark) -> Content:
    """A translation that keeps the segment's own marks in these places."""
    return content_of(parts)


def written(tmp_path: Path, text: str, *contents: Content | None) -> str:
    """A text whose segments get these contents."""
    waiting = iter(contents)
    return run_on("markdown", tmp_path, text, lambda segment: next(waiting)).text


def only(tmp_path: Path, text: str) -> Segment:
    (segment,) = run_on("markdown", tmp_path, text).segments
    return segment


def test_what_is_not_translated_stays_byte_for_byte(tmp_path: Path) -> None:
    for newline in ("\n", "\r\n", "\r"):
        for mark in (b"", b"\xef\xbb\xbf"):
            data = mark + DOCUMENT.replace("\n", newline).encode()
            assert run_on("markdown", tmp_path, data).data == data


def test_every_word_is_turned_round_and_all_markup_stays(tmp_path: Path) -> None:
    result = run_on("markdown", tmp_path, DOCUMENT, reversed_words)
    assert result.text == REVERSED
    assert result.remarks == []


def test_newlines_are_those_of_the_file(tmp_path: Path) -> None:
    data = DOCUMENT.replace("\n", "\r\n").encode()
    assert run_on("markdown", tmp_path, data, reversed_words).data == REVERSED.replace("\n", "\r\n").encode()


def test_the_kinds_are_those_of_the_blocks(tmp_path: Path) -> None:
    kinds = {segment.text: (segment.kind, segment.level) for segment in run_on("markdown", tmp_path, DOCUMENT).segments}
    assert kinds["Heading one"] == (SegmentKind.HEADING, 1)
    assert kinds["done task"] == (SegmentKind.LIST_ITEM, 0)
    assert kinds["a | b"] == (SegmentKind.CELL, 0)
    assert kinds["A note here going on."] == (SegmentKind.NOTE, 0)
    assert kinds["An image"] == (SegmentKind.LABEL, 0)
    assert kinds["My page"] == (SegmentKind.VALUE, 0)
    assert kinds["Quote with bold lines"] == (SegmentKind.PARAGRAPH, 0)


def test_marks_tell_how_they_look_and_what_they_stand_for(tmp_path: Path) -> None:
    segment = only(tmp_path, "*i* **b** ~~s~~ [l](x) `c d` <http://a.b> $x^2$ ![](p) [^1] <br> <u>u</u> <x-y>\n")
    looks = [(mark.look, mark.shows) for mark in marks(segment.content) if mark.role != "close"]
    assert looks == [
        ("italic", ""), ("bold", ""), ("strike", ""), ("link", ""), ("code", "c d"), ("link", "http://a.b"),
        ("formula", "x^2"), ("image", ""), ("note", "1"), ("break", "<br>"), ("underline", ""), ("other", "<x-y>"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("1. first", "1\\. first"),
        ("- dash", "\\- dash"),
        ("+ plus", "\\+ plus"),
        ("# sign", "\\# sign"),
        ("> sign", "\\> sign"),
        ("a *star* and _line_", "a \\*star\\* and \\_line\\_"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("`tick`", "\\`tick\\`"),
        ("[a](b)", "\\[a\\](b)"),
        ("[ref]", "[ref]"),
        ("<b>bold</b>", "\\<b>bold\\</b>"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("&amp; and &", "\\&amp; and &"),
        ("~~no~~", "\\~\\~no\\~\\~"),
        ("cost $5 and $6", "cost $5 and $6"),
        ("a $x$ b", "a \\$x\\$ b"),
        ("back\\slash", "back\\slash"),
        ("two\nlines\n\nthree", "two lines three"),
        ("***", "\\*\\*\\*"),
        ("---", "\\---"),
        ("| a | b |", "| a | b |"),
        ("```", "\\`\\`\\`"),
        ("[x]: http://y", "\\[x\\]: http://y"),
        ("![i](u)", "!\\[i\\](u)"),
        ("<!-- c -->", "\\<!-- c -->"),
    ],
)
def test_what_would_become_markup_is_escaped_and_nothing_else(tmp_path: Path, new: str, expected: str) -> None:
    assert written(tmp_path, "words\n", (new,)) == f"{expected}\n"
    assert only(tmp_path, f"{expected}\n").content == (" ".join(new.split()),)


def test_an_escaped_character_is_text(tmp_path: Path) -> None:
    assert only(tmp_path, "2 \\* 3 &lt; 7&nbsp;km \\[x]\n").content == ("2 * 3 < 7\xa0km [x]",)
    assert written(tmp_path, "a&nbsp;b\n", ("c\xa0d",)) == "c&nbsp;d\n"


def test_emphasis_that_cannot_stand_where_it_should_becomes_a_tag(tmp_path: Path) -> None:
    opening, closing = marks(only(tmp_path, "**important** word\n").content)
    assert written(tmp_path, "**important** word\n", ("前", opening, "（重要）", closing, "次")) == (
        "前<strong>（重要）</strong>次\n"
    )


def test_spaces_at_the_edges_of_emphasis_go_outside(tmp_path: Path) -> None:
    opening, closing = marks(only(tmp_path, "**important** word\n").content)
    assert written(tmp_path, "**important** word\n", ("ein", opening, " wichtiges ", closing, "Wort")) == (
        "ein **wichtiges** Wort\n"
    )


def test_emphasis_of_nothing_is_left_out(tmp_path: Path) -> None:
    opening, closing = marks(only(tmp_path, "**important** word\n").content)
    assert written(tmp_path, "**important** word\n", ("Wort", opening, closing)) == "Wort\n"


def test_a_link_that_its_words_define_keeps_its_definition(tmp_path: Path) -> None:
    text = "See [the docs].\n\n[the docs]: http://x\n"
    opening, closing = marks(only(tmp_path, text).content)
    assert written(tmp_path, text, ("Siehe ", opening, "Doku", closing)) == (
        "Siehe [Doku][the docs]\n\n[the docs]: http://x\n"
    )
    assert written(tmp_path, text, ("Siehe ", opening, "the docs", closing)) == (
        "Siehe [the docs]\n\n[the docs]: http://x\n"
    )


def test_an_image_that_its_words_define_keeps_its_definition(tmp_path: Path) -> None:
    text = "![cat]\n\n[cat]: c.png\n"
    assert written(tmp_path, text, ("Katze",)) == "![Katze][cat]\n\n[cat]: c.png\n"


def test_a_bar_in_a_cell_is_escaped(tmp_path: Path) -> None:
    text = "| a | b |\n|---|---|\n| c | d |\n"
    assert written(tmp_path, text, ("x|y",), None, ("*z*",), None) == "| x\\|y | b |\n|---|---|\n| \\*z\\* | d |\n"


def test_code_in_a_cell_keeps_its_bar(tmp_path: Path) -> None:
    text = "| a |\n|---|\n| `x \\| y` word |\n"
    segment = run_on("markdown", tmp_path, text).segments[1]
    assert segment.content == (Mark("single", 1, "code", "x | y"), " word")
    assert written(tmp_path, text, None, (*segment.content[:1], " Wort")) == "| a |\n|---|\n| `x \\| y` Wort |\n"


def test_a_long_translation_is_wrapped_as_the_paragraph_was(tmp_path: Path) -> None:
    text = "> - " + "word " * 8 + "\n>   " + "word " * 8 + "\n>   end\n"
    new = written(tmp_path, text, ("lang " * 30,))
    lines = new.splitlines()
    assert len(lines) > 3
    assert lines[0].startswith("> - lang")
    assert all(line.startswith(">   lang") for line in lines[1:])
    assert max(map(len, lines)) <= 44


def test_a_paragraph_of_one_line_stays_one(tmp_path: Path) -> None:
    assert written(tmp_path, "short words\n", ("lang " * 60,)).count("\n") == 1


def test_a_wrapped_line_does_not_become_a_list(tmp_path: Path) -> None:
    text = "aaaa bbbb cccc\ndddd eeee ffff\n"
    new = written(tmp_path, text, ("eins zwei drei - vier 1. fünf # sechs + sieben > acht",))
    assert run_on("markdown", tmp_path, new).texts == ["eins zwei drei - vier 1. fünf # sechs + sieben > acht"]


def test_the_texts_of_html_change(tmp_path: Path) -> None:
    text = "<div align='center'>\nText <b>in</b> it &amp; more\n</div>\n\n<!-- only a comment -->\n\nWords.\n"
    result = run_on("markdown", tmp_path, text, reversed_words)
    assert result.text == (
        "<div align='center'>\ntxeT <b>ni</b> erom &amp; ti\n</div>\n\n<!-- only a comment -->\n\n.sdroW\n"
    )
    assert result.remarks == []
    new = written(tmp_path, "<p>Words</p>\n", ("a\n\n<b>",))
    assert new == "<p>a &lt;b&gt;</p>\n"


def test_html_in_a_quote_is_left_and_told(tmp_path: Path) -> None:
    text = "> <div>\n> Text in it\n> </div>\n\n<br>\n\nWords.\n"
    result = run_on("markdown", tmp_path, text, reversed_words)
    assert result.text == text.replace("Words.", ".sdroW")
    assert [(remark.name, remark.values) for remark in result.remarks] == [("left_markup", {"count": 1})]


def test_front_matter_says_the_language_and_its_direction(tmp_path: Path) -> None:
    text = "---\nlang: en-US  # here\ndir: ltr\nlayout: en\n---\n\nWords.\n"
    new = run_on("markdown", tmp_path, text, target=TargetLanguage("ar", is_rtl=True)).text
    assert new == text.replace("en-US", "ar").replace("ltr", "rtl")


def test_front_matter_that_is_no_yaml_is_left(tmp_path: Path) -> None:
    text = "---\ntitle: [unclosed\n---\n\nWords.\n"
    assert run_on("markdown", tmp_path, text, reversed_words).text == text.replace("Words.", ".sdroW")


def test_addresses_of_scripts_stay_addresses(tmp_path: Path) -> None:
    assert only(tmp_path, "[a](javascript:x) b\n").content == (
        Mark("open", 1, "link"), "a", Mark("close", 1), " b",
    )  # fmt: skip


def test_a_link_defined_in_another_portion_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.documents.formats.markdown import read_markdown as markdown

    monkeypatch.setattr(markdown, "PORTION_CHARACTERS", 20)
    text = "See [the docs] and this.\n\nMore words here and there.\n\n[the docs]: http://x\n"
    segments = run_on("markdown", tmp_path, text).segments
    assert [len(marks(segment.content)) for segment in segments] == [2, 0]


@pytest.mark.parametrize(
    "text",
    [
        "*" * 1500 + " word " + "_" * 1500,
        "[" * 1000 + "word",
        "> " * 500 + "word",
        "- " * 200 + "word",
        "`" * 1000 + " word",
        "word \0 with nul\n",
        "<" * 1000 + "word",
        "| a |\n|---|\n" + "| b " * 500,
        "\t- tab\n\t\tcode\n",
        "![" * 400 + "word",
        "a\rb\r\nc\n",
        "[^1]:\n[^2]: word",
        "---\n" * 500,
        "&#0; &#xD800; word",
        "# word" + " " * 20_000 + "word",
        "# " + "{#a" * 10_000,
    ],
)
def test_hostile_text_comes_back_as_it_was_and_can_be_written(tmp_path: Path, text: str) -> None:
    assert run_on("markdown", tmp_path, text).text == text
    result = run_on("markdown", tmp_path, text, marked)
    for segment in result.segments:
        assert result.text.count(f"Zq{segment.id}x") == 1


PIECES = [
    "word ", "two words", "\n", "\n\n", "*", "**", "_", "`", "[", "]", "(x)", "<b>", "</b>", "<", "&amp;", "\\", "# ",
    "> ", "- ", "1. ", "    ", "| ", "|-|\n", "~~", "$", "![", "http://x.y", "ä", "中文", "  \n", "\t", "[^1]",
    "[^1]: ", ":", "---\n",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@example("- a\n\n      b\n")
@example("*a\n*b* c*\n")
def test_any_text_comes_back_as_it_was_and_takes_words(tmp_path: Path, text: str) -> None:
    data = ("\n" + text).encode()
    assert run_on("markdown", tmp_path, data).data == data
    result = run_on("markdown", tmp_path, data, marked)
    for segment in result.segments:
        assert result.text.count(f"Zq{segment.id}x") == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*PIECES, "Wort", "„Zitat“", "！"]), max_size=12).map("".join), st.integers(0, 9999))
def test_any_words_are_read_as_they_were_meant(tmp_path: Path, words: str, seed: int) -> None:
    text = "Take **this** and *that* or [more](http://x) with `code`.\n\n| cell **b** |\n|---|\n"

    def change(segment: Segment) -> Content:
        own, parts, order = marks(segment.content), list[str | Mark](), random.Random(seed)
        pairs = [
            [one] if one.role == "single" else [one, "x", Mark("close", one.number)]
            for one in own
            if one.role != "close"
        ]
        order.shuffle(pairs)
        for pair in pairs:
            parts += [f"w {words} w", *pair]
        return content_of([*parts, f" e {words} e"])

    result = run_on("markdown", tmp_path, text, change)
    found = run_on("markdown", tmp_path, result.data)
    assert len(found.segments) == len(result.segments)
    for segment, old in zip(found.segments, result.segments, strict=True):
        assert [mark.role for mark in marks(segment.content)] == [mark.role for mark in marks(change(old))]


def test_damage_of_any_kind_ends_in_a_file_or_a_situation(tmp_path: Path) -> None:
    for data in (bytes(range(256)) * 20, b"\xff\xfe" + "wörd\n".encode("utf-16-le"), b"a\xffb\n" * 100):
        try:
            assert run_on("markdown", tmp_path, data).data == data
        except AppError:
            pass


def test_a_table_whose_columns_are_places_is_left_and_told(tmp_path: Path) -> None:
    text = b"Some words.\n\n  Name      Value\n  --------- ---------\n  one       two words\n\nMore words.\n"
    result = run_on("markdown", tmp_path, text, reversed_words)
    assert [each.text for each in result.segments] == ["Some words.", "More words."]
    assert b"  one       two words\n" in result.data
    assert [remark.name for remark in result.remarks] == ["left_blocks"]
