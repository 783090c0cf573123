"""Key terms and outline: each stands in the document word for word at its place, the same each time, bounded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import Block, BlockKind, BlockNumbering, BlockPiece
from app.features.summarize import key_terms
from app.features.summarize.definitions import find_definitions
from app.features.summarize.key_terms import MOST_SPOTS, MOST_TERMS, KeyTerm, TermKind
from app.features.summarize.overview import MOST_HEADINGS, DocumentOverview, first_look, overview_of
from app.features.summarize.summary_result import Form, InputDocument, Length, Method, SummaryOptions

PIECES = (
    "the kiln of", "Lindvik", "Keiko  Tanaka", "Tanaka's", "was fired", "on 3 May 2024", "for 3.7 million euros", "8 %",
    "Key Performance Indicator (KPI)", "“Deposit” means the sum", "(the “Tenant”)", "KPI", "Table 3", "z.B.", "GmbH",
    "Die Miete", "beträgt", "960 Euro", "窯は東京都で焼かれた", "東京都の窯", "這份合同", "Глава", "город Псков",
    "ارتفعت الإيرادات", "الإيرادات في بيروت", "ตัวอย่าง", "2019年3月4日", "\n", "(", "”", "I", "½", "ﬁnal", "İzmir",
)  # fmt: skip
KINDS = st.sampled_from(
    [BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.TABLE, BlockKind.CODE, BlockKind.NOTE]
)
TEXTS = st.lists(st.tuples(KINDS, st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)), max_size=14)


def blocks_of(*pieces: tuple[BlockKind, str], level: int = 1) -> list[Block]:
    numbering = BlockNumbering()
    return [
        numbering.block(BlockPiece(kind, text, number, level=level if kind is BlockKind.HEADING else 0))
        for number, (kind, text) in enumerate(pieces, 1)
    ]


def prose(*texts: str) -> list[Block]:
    return blocks_of(*((BlockKind.PARAGRAPH, text) for text in texts))


def document(blocks: Sequence[Block], name: str = "kilns.txt", language: str = "en") -> InputDocument:
    return InputDocument(0, name, "", "", 0, (), language, blocks)


def texts_of(found: DocumentOverview, kind: TermKind) -> list[str]:
    return [one.text for one in found.terms if one.kind is kind]


def term(found: DocumentOverview, text: str) -> KeyTerm:
    return next(one for one in found.terms if one.text == text)


@given(texts=TEXTS, language=st.sampled_from(["", "en", "de", "ja", "ar"]))
def test_every_term_and_heading_stands_word_for_word_at_its_place_and_twice_gives_the_same(
    texts: list[tuple[BlockKind, str]], language: str
) -> None:
    blocks = blocks_of(*texts)
    by_id = {block.id: block for block in blocks}
    found = overview_of(blocks, language)
    for one in found.terms:
        assert one.text
        assert 1 <= len(one.spots) <= min(one.count, MOST_SPOTS)
        assert len(set(one.spots)) == len(one.spots)
        for spot in one.spots:
            block = by_id[spot.block_id]
            assert (" ".join(block.text[spot.start : spot.end].split()), block.page) == (one.text, spot.page)
    for kind, most in MOST_TERMS.items():
        mine = texts_of(found, kind)
        assert len(mine) == len(set(mine)) <= most
    for heading in found.headings:
        block = by_id[heading.block_id]
        assert (" ".join(block.text.split()), block.kind, block.page) == (heading.text, BlockKind.HEADING, heading.page)
        assert heading.level >= 1
    assert [one.block_id for one in found.headings] == sorted({one.block_id for one in found.headings})
    assert overview_of(blocks, language) == found


@given(texts=TEXTS, wish=st.builds(SummaryOptions, st.sampled_from(list(Length)), st.sampled_from(list(Form))))
def test_a_first_look_is_a_digest_of_sentences_as_they_stand_with_an_overview_of_each_document(
    texts: list[tuple[BlockKind, str]], wish: SummaryOptions
) -> None:
    documents = [document(blocks_of(*texts)), document(blocks_of(*texts[::-1]), "other.txt")]
    found = first_look(documents, wish)
    assert found is not None
    assert found.summary.method is Method.DIGEST
    assert len(found.overviews) == 2
    for one in found.summary.statements:
        (anchor,) = one.anchors
        text = next(block.text for block in documents[anchor.document].blocks if block.id == anchor.block_id)
        assert " ".join(text[anchor.start : anchor.end].split()) == one.text
        assert one.group.startswith(documents[anchor.document].name)
    assert first_look(documents, wish, lambda: True) is None


def test_names_are_chosen_by_how_many_paragraphs_hold_them() -> None:
    found = overview_of(
        prose(
            "The board met in Lindvik. Chapter 2 tells of Lindvik, and Table 3 lists 4 MB of data.",
            "In the spring Keiko Tanaka came to Lindvik. However, Tanaka's plan was late.",
            "As Tanaka said, the harbour of Lindvik is deep. Chapter 4 and Table 5 say so: 3 MB.",
        )
    )
    assert texts_of(found, TermKind.NAME)[:2] == ["Lindvik", "Tanaka"]
    assert not {"However", "Table", "Chapter", "MB", "Keiko Tanaka"} & set(texts_of(found, TermKind.NAME))
    assert (term(found, "Lindvik").count, [spot.page for spot in term(found, "Lindvik").spots]) == (4, [1, 1, 2, 3])


def test_in_german_a_noun_is_no_name() -> None:
    found = overview_of(prose("Die Miete der Wohnung in Lindau zahlt die Mieterin am Ersten an Herrn Solberg."), "de")
    assert texts_of(found, TermKind.NAME) == ["Lindau", "Solberg"]


def test_numbers_have_a_unit_and_dates_more_than_a_month() -> None:
    found = overview_of(
        prose(
            "On 3 May 2024 the fee rose by 8 % to 3.7 million euros; 12 people left in May and 5 in June 2024. "
            "The other 2 may leave, as 3.2. 10 says.",
            "The fee of 3.7 million euros is paid. Model gemma-3-270m is no number, nor is 12.",
        )
    )
    assert texts_of(found, TermKind.NUMBER) == ["3.7 million euros", "8 %"]
    assert texts_of(found, TermKind.DATE) == ["3 May 2024", "June 2024"]


@pytest.mark.parametrize(
    ("text", "defined", "meaning"),
    [
        ("We measure the Key Performance Indicator (KPI) each week.", "KPI", "Key Performance Indicator (KPI)"),
        ("“Deposit” means the sum paid at the start. It is kept.", "Deposit", "“Deposit” means the sum paid at the"),
        ("Ms Kowalska (the “Tenant”) rents the flat.", "Tenant", "Ms Kowalska (the “Tenant”)"),
        ("Effective Date means the day of signing.", "Effective Date", "Effective Date means the day of signing."),
        ("„Kaution“ bezeichnet den Betrag, der hinterlegt wird.", "Kaution", "„Kaution“ bezeichnet den Betrag"),
        ("« Bailleur » désigne le propriétaire.", "Bailleur", "« Bailleur » désigne le propriétaire."),
        ("「敷金」とは預けるお金である。", "敷金", "「敷金」とは預けるお金である。"),
    ],
)
def test_what_a_text_defines_is_found_with_the_words_that_define_it(text: str, defined: str, meaning: str) -> None:
    (found,) = [(text[start:end], meant) for start, end, meant in find_definitions(text)]
    assert found[0] == defined
    assert found[1].startswith(meaning)


@pytest.mark.parametrize(
    "text",
    [
        "This means that nothing is paid. It means a lot.",
        "He said (loudly: “no way out of here”) and left.",
        "The harbour (see below) is deep (NASA).",
        "A long sentence ends here. Of ships (OS) it tells.",
    ],
)
def test_what_only_looks_like_a_definition_defines_nothing(text: str) -> None:
    assert [text[start:end] for start, end, _ in find_definitions(text)] in ([], ["OS"])


def test_a_defined_term_leads_to_its_definition_first_and_then_to_where_it_is_used() -> None:
    found = overview_of(prose("The KPI is high.", "The Key Performance Indicator (KPI) is counted.", "The KPI fell."))
    kpi = term(found, "KPI")
    assert (kpi.kind, kpi.meaning) == (TermKind.DEFINED, "Key Performance Indicator (KPI)")
    assert [spot.block_id for spot in kpi.spots] == [2, 1, 3]
    assert [one.text for one in found.terms].count("KPI") == 1


def test_where_a_script_has_no_capitals_what_recurs_counts_as_a_name() -> None:
    japanese = prose(
        *(f"今年の{place}ウィジェット{verb}。" for place, verb in zip("春夏秋冬", "良悪大小", strict=True))
    )
    assert "ウィジェット" in texts_of(overview_of(japanese, "ja"), TermKind.NAME)
    arabic = prose("زارت ليلى ميناء بيروت القديم", "كان ميناء بيروت مغلقا", "ثم فتح ميناء بيروت")
    assert texts_of(overview_of(arabic, "ar"), TermKind.NAME)[0] == "ميناء بيروت"


def test_what_only_points_elsewhere_has_no_terms_and_no_place_in_the_outline() -> None:
    found = overview_of(
        blocks_of(
            (BlockKind.HEADING, "Contents"),
            (BlockKind.PARAGRAPH, "Kilns of Uruk ........ 3\nPots of Uruk ........ 5\nReeds of Uruk ........ 9"),
            (BlockKind.HEADING, "Kilns"),
            (BlockKind.PARAGRAPH, "The kiln stood in Lagash."),
            (BlockKind.HEADING, "References"),
            (BlockKind.PARAGRAPH, "Smith, J. 2010. Kilns. https://kilns.example"),
        )
    )
    assert texts_of(found, TermKind.NAME) == ["Lagash"]
    assert [one.text for one in found.headings] == ["Kilns"]


def test_of_too_many_headings_the_deepest_go_first() -> None:
    numbering = BlockNumbering()
    pieces = [
        BlockPiece(BlockKind.HEADING, f"{place}.{sub}", level=2 if sub else 1)
        for place in range(80)
        for sub in range(9)
    ]
    found = overview_of([numbering.block(piece) for piece in [*pieces, BlockPiece(BlockKind.PARAGRAPH, "Text.")]])
    assert len(found.headings) == 80 <= MOST_HEADINGS
    assert {one.level for one in found.headings} == {1}
    assert found.left_out == len(pieces) - 80


def test_however_many_names_there_are_only_so_many_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_terms, "MOST_CANDIDATES", 50)
    terms = key_terms.TermCounter(
        prose(*(f"They met Ola{chr(97 + n % 26)}{chr(97 + n // 26)} in Lindvik." for n in range(400))), "en", bool
    )
    assert len(terms._found[TermKind.NAME]) <= 50
    assert terms.choose_terms()[0].text == "Lindvik"
    assert terms.choose_terms()[0].count == 400


def test_a_long_document_is_told_by_section_and_a_short_one_as_it_was_wished() -> None:
    numbering = BlockNumbering()
    pieces = [
        piece
        for name in ("Clay", "Fire")
        for piece in (
            BlockPiece(BlockKind.HEADING, name, level=1),
            *(BlockPiece(BlockKind.PARAGRAPH, f"{name} {n} was good.") for n in range(60)),
        )
    ]
    long = document([numbering.block(piece) for piece in pieces])
    found = first_look([long], SummaryOptions(Length.SHORT, Form.ACTIONS))
    assert found is not None
    assert found.summary.wish.form is Form.SECTIONS
    assert [one.group for one in found.summary.statements] == ["Clay", "Fire"]
    short = first_look([document(prose("Clay was good."))], SummaryOptions(Length.SHORT, Form.PARAGRAPHS, "de"))
    assert short is not None
    assert (short.summary.wish.form, short.summary.statements[0].group) == (Form.PARAGRAPHS, "")


def test_how_far_it_is_grows_up_to_the_end() -> None:
    shares: list[float] = []
    blocks = prose(*(f"The kiln of the year {year} was fired. Reed came from Lindvik." for year in range(400)))
    assert first_look([document(blocks)], SummaryOptions(), progress=shares.append) is not None
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert 0.9 < shares[-1] <= 1
