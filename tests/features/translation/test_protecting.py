"""What must stay in a text: found in every form, and nothing of ordinary prose with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.segments import SegmentKind
from app.features.translation.marking import placeholders, spans

MESSAGE, PROSE = SegmentKind.MESSAGE, SegmentKind.PARAGRAPH


def found(text: str, kind: SegmentKind = PROSE) -> list[str]:
    return [text[span.start : span.end] for span in spans(text, kind)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Read `make test` first.", ["`make test`"]),
        ("Use ``a `b` c`` here.", ["``a `b` c``"]),
        ("See https://example.org/a_(b)?c=d#e, and www.example.org.",
         ["https://example.org/a_(b)?c=d#e", "www.example.org"]),
        ("Write to anna.lind+x@mail.example.org.", ["anna.lind+x@mail.example.org"]),
        ("Edit /etc/fstab and ~/.config/app.toml.", ["/etc/fstab", "~/.config/app.toml"]),
        ("Open C:\\Users\\Anna\\a.txt now.", ["C:\\Users\\Anna\\a.txt"]),
        ("The file report-2.final.pdf is new.", ["report-2.final.pdf"]),
        ("Dear {name}, dear {{user.name}}, ${amount} and {0}.", ["{name}", "{{user.name}}", "${amount}", "{0}"]),
        ("Energy $E = mc^2$ and \\(a+b\\) and \\frac{a}{b} and \\alpha x.",
         ["$E = mc^2$", "\\(a+b\\)", "\\frac{a}{b}", "\\alpha"]),
        ("As shown in [12] and [3, 4–6] and [@lind2020].", ["[12]", "[3, 4–6]", "[@lind2020]"]),
        ("Run --no-color=always with main().", ["--no-color=always", "main()"]),
        ("A &amp; B &#8364; C", ["&amp;", "&#8364;"]),
        ("Set max_connections higher.", ["max_connections"]),
        ("Say %s to %(name)s.", ["%s", "%(name)s"]),
        ("End with <|im_end|> or <｜hy_User｜>, not with <| or |>.", ["<|im_end|>", "<｜hy_User｜>"]),
        ("See @:message.hello and $t(key).", ["@:message.hello", "$t(key)"]),
    ],
)  # fmt: skip
def test_in_prose(text: str, wanted: list[str]) -> None:
    assert found(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("%s, %d of %5.2f%%", ["%s", "%d", "%5.2f", "%%"]),
        ("%1$s by %2$s", ["%1$s", "%2$s"]),
        ("%15llu hits, %-*s", ["%15llu", "%-*s"]),
        ("%(count)d files", ["%(count)d"]),
        ("Page %1 of %2 (%L3, %n)", ["%1", "%2", "%L3", "%n"]),
        ("%<PRIu64> bytes", ["%<PRIu64>"]),
        ("One\\nTwo\\tThree", ["\\n", "\\t"]),
        ("<b>Bold</b> and <a href=\"x\">link</a><br/>", ["<b>", "</b>", '<a href="x">', "</a>", "<br/>"]),
        ("<0>Terms</0>", ["<0>", "</0>"]),
        ("It is %Y-%m-%d %H:%M", ["%Y", "%m", "%d", "%H", "%M"]),
        ("Set $HOME or %PATH%", ["$HOME", "%PATH%"]),
        ("{count, plural, one {# file} other {# files}} left",
         ["{count, plural, one {", "} other {", "}}"]),
    ],
)  # fmt: skip
def test_in_texts_of_programs(text: str, wanted: list[str]) -> None:
    assert found(text, MESSAGE) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10, or 5 % of 100 %.",
        "Between 50% and 60% discount, 100 % sure.",
        "He and/or she, 24/7, 1/2.",
        "if a < b and b > c then stop",
        "The ratio is 3:4 (see above).",
        "Der Satz endet hier.Der nächste beginnt.",
        "AT&T and R&D; more",
    ],
)
def test_ordinary_prose_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["_File", "E_xit", "Pa_ste", "&File", "Save _As…", "Find Ne&xt"])
def test_accelerators_of_menus_stay_text(text: str) -> None:
    assert found(text, MESSAGE) == []


def test_only_what_has_no_number_or_name_must_keep_its_order() -> None:
    assert [span.is_ordered for span in spans("%s %1$s %(a)s {} {b} {0} https://x.org/y", MESSAGE)] == [
        True, False, False, True, False, False, False,
    ]  # fmt: skip


def test_placeholders_are_those_that_a_program_fills_in() -> None:
    assert placeholders("Copy %s to <b>{dir}</b>, see https://x.org, `code` and \\n") == ["%s", "{dir}"]


@given(st.text(), st.sampled_from([MESSAGE, PROSE]))
def test_spans_are_in_order_and_none_is_empty(text: str, kind: SegmentKind) -> None:
    last = 0
    for span in spans(text, kind):
        assert last <= span.start < span.end <= len(text)
        last = span.end


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "`",
        "$",
        "\\(",
        "{",
        "%",
        "[1,",
        "a.",
        "/a",
        "--a",
        "\\x{",
        "<a b=",
        "&",
        "x_",
        "<!--",
        "$$",
        "\\begin{a}",
        "{%",
        "%{",
        "a@",
        "x.",
        "a/b",
        "http://",
        "#{a",
        "@:(",
        "``a",
        "{a,plural,b{",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    assert spans(piece * 20_000, MESSAGE) is not None
    assert spans(piece * 20_000, PROSE) is not None
