"""The digest: sentences of the document, word for word, in its order, the same each time, in any language."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.paths import resource_path
from app.documents.blocks import Block, BlockKind
from app.features.summarize.digest import FORMS, SentenceWeights, digest_of, digest_summary, words_of
from app.features.summarize.summary_messages import not_given_words
from app.features.summarize.summary_result import Form, InputDocument, Length, Method, SummaryOptions

WORDS = (
    "kiln",
    "fire",
    "clay",
    "Ofen",
    "brannte",
    "heiß",
    "窯",
    "焼く",
    "печь",
    "глина",
    "فرن",
    "窑里烧了粘土。",
    "เตาเผา",
    "3.7",
    "however",
    "we",
)
TEXTS = st.lists(
    st.tuples(
        st.sampled_from([BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.TABLE, BlockKind.CODE]),
        st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join), max_size=5).map(". ".join),
    ),
    max_size=12,
)


def blocks_of(*texts: str, heading: str = "") -> list[Block]:
    path = (heading,) if heading else ()
    return [Block(number, BlockKind.PARAGRAPH, text, heading_path=path) for number, text in enumerate(texts, 1)]


def document(blocks: list[Block], title: str = "") -> InputDocument:
    return InputDocument(0, "kilns.txt", title, "", 0, (), "en", blocks)


@given(texts=TEXTS, most=st.integers(1, 6))
def test_every_sentence_stands_in_its_block_in_the_documents_order_and_twice_gives_the_same(
    texts: list[tuple[BlockKind, str]], most: int
) -> None:
    blocks = [Block(number, kind, text) for number, (kind, text) in enumerate(texts, 1)]
    told = digest_of(blocks, most)
    assert len(told) <= most
    assert [(one.block_id, one.start) for one in told] == sorted((one.block_id, one.start) for one in told)
    by_id = {block.id: block for block in blocks}
    for one in told:
        sentence = by_id[one.block_id].text[one.start : one.end]
        assert sentence
        assert sentence == sentence.strip()
        assert by_id[one.block_id].kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM)
    assert digest_of(blocks, most) == told


@given(files=st.lists(TEXTS, max_size=3), length=st.sampled_from(Length), form=st.sampled_from(FORMS))
def test_the_statements_of_several_documents_are_theirs_in_their_order_and_twice_the_same(
    files: list[list[tuple[BlockKind, str]]], length: Length, form: Form
) -> None:
    documents = [
        document([Block(number, kind, text) for number, (kind, text) in enumerate(texts, 1)]) for texts in files
    ]
    summary = digest_summary(documents, SummaryOptions(length, form))
    places = []
    for statement in summary.statements:
        (anchor,) = statement.anchors
        block = documents[anchor.document].blocks[anchor.block_id - 1]
        assert block.text[anchor.start : anchor.end] == anchor.text
        assert statement.text == " ".join(anchor.text.split()) != ""
        places.append((anchor.document, anchor.block_id, anchor.start))
    assert places == sorted(set(places))
    assert digest_summary(documents, SummaryOptions(length, form)).statements == summary.statements
    assert len(summary.documents) == len(documents)


def test_scripts_without_spaces_are_counted_by_pairs_of_characters() -> None:
    blocks = blocks_of("今天中午在老磨坊吃饭。烧粘土的窑很热。芦苇用来烧粘土的窑。烧粘土的窑需要很多芦苇。")
    told = digest_of(blocks, 2, title="烧粘土的窑")
    chosen = [blocks[0].text[one.start : one.end] for one in told]
    assert len(chosen) == 2
    assert "今天中午在老磨坊吃饭。" not in chosen
    assert words_of("窑烧粘土 a") == ["窑烧", "烧粘", "粘土", "a"]


@pytest.mark.parametrize(
    ("announced", "heading", "thanks"),
    [
        ("We present a new kiln of reed and clay.", "Abstract", "Acknowledgements"),
        ("Diese Arbeit untersucht einen neuen Ofen aus Ton.", "Zusammenfassung", "Danksagung"),
        ("Cet article présente un four nouveau de roseau.", "Résumé", "Remerciements"),
        ("Este artículo presenta un horno nuevo de caña.", "Resumen", "Agradecimientos"),
        ("Este artigo apresenta um forno novo de cana.", "Resumo", "Agradecimentos"),
        ("Questo articolo presenta un forno nuovo di canna.", "Riassunto", "Ringraziamenti"),
        ("Dit artikel beschrijft een nieuwe oven van riet.", "Samenvatting", "Dankwoord"),
        ("Niniejszy artykuł opisuje piec nowy.", "Streszczenie", "Podziękowania"),
        ("В этой работе описана новая печь из тростника.", "Аннотация", "Благодарности"),
    ],
)  # fmt: skip
def test_nine_languages_announce_sum_up_and_thank(announced: str, heading: str, thanks: str) -> None:
    backwards = " ".join(reversed(announced[:-1].split())) + "."
    (plain, telling) = digest_of(blocks_of(backwards, announced), 2)
    assert telling.score > plain.score, "the same words, which announce nothing the other way round"

    def under(heading: str) -> list[Block]:
        other = Block(2, BlockKind.PARAGRAPH, "Ora tenu miralo sepa dimo kalusi.", heading_path=(heading,))
        return [*blocks_of(announced), other]

    weight, usual = (SentenceWeights(under(name)).weight_of(2) for name in (heading, "Lorem"))
    assert weight > usual + 0.1
    assert [one.block_id for one in digest_of(under(thanks), 2)] == [1]


@pytest.mark.parametrize(
    "fault",
    [
        "Reed, clay and fire",
        "Fire!",
        "Is the kiln of Uruk fired with reed and clay?",
        "However, it is the kiln of Uruk that was fired with reed.",
        "and so the kiln of Uruk was fired with reed.",
        "The kiln of Uruk (which was fired with reed.",
        "- fire the kiln of Uruk with reed, the kiln of Uruk with reed.",
        "Set $KILN=/uruk/reed && fire --kiln=$KILN --with=[reed] of Uruk.",
        "For example, the kiln of Uruk was fired with reed.",
        "Copyright of the kiln of Uruk, fired with reed, all rights reserved.",
        '"The kiln of Uruk was fired with reed," said the potter of Uruk.',
        "k i l n o f U r u k f i r e d w i t h reed.",
    ],
)
def test_what_does_not_stand_by_itself_is_not_taken_where_a_sentence_does(fault: str) -> None:
    good = "The kiln of Uruk was fired with reed."
    blocks = blocks_of("Lunch was served at noon in the old mill.", fault, good, "Grain was cut in the marshes below.")
    assert [one.block_id for one in digest_of(blocks, 1, title="The kiln of Uruk fired with reed")] == [3]


@pytest.mark.parametrize(
    ("heading", "tells"),
    [
        ("Introduction", True), ("1 Introduction", True), ("II. Conclusions and outlook", True), ("Preface", True),
        ("はじめに", True), ("3.1 Introduction to maps", False), ("A statistical overview", False),
        ("概念のまとめ", False),
    ],
)  # fmt: skip
def test_sections_that_tell_of_the_whole_are_those_of_the_whole_document(heading: str, tells: bool) -> None:
    def weight(heading: str) -> float:
        blocks = [Block(1, BlockKind.PARAGRAPH, "The kiln of Uruk was fired with reed.", heading_path=(heading,))]
        return SentenceWeights(
            [*blocks, *[Block(2, BlockKind.PARAGRAPH, "Grain was cut below.", heading_path=("Grain",))]]
        ).weight_of(1)

    assert (weight(heading) > weight("Kilns") + 0.1) is tells


def test_what_stands_under_a_remark_or_in_another_script_steps_behind() -> None:
    said = "Печь в Уруке топили тростником из болот."
    other = "The kiln of Uruk was fired with reed."
    blocks = [
        Block(1, BlockKind.PARAGRAPH, said, heading_path=("Примечание",)),
        *(Block(number, BlockKind.PARAGRAPH, said, heading_path=("Печи",)) for number in (2, 3)),
        Block(4, BlockKind.PARAGRAPH, other, heading_path=("Печи",)),
    ]
    weights = SentenceWeights(blocks, title=f"{said} {other}")
    assert weights.weight_of(1) < weights.weight_of(2)
    assert weights.weight_of(4) < weights.weight_of(3)


def test_a_sentence_in_another_language_of_the_same_letters_steps_behind() -> None:
    own = "El horno de la ciudad de Uruk se calentaba con caña que los hombres del pueblo cortaban en las orillas."
    foreign = "The kiln of the city of Uruk was fired with reed that the people of the town cut on the banks for it."
    name = "Los hornos se describen en «The Kilns of Uruk and of the South», un libro de la biblioteca del templo."
    blocks = blocks_of(foreign, own, name, own.replace("Uruk", "Ur"), own.replace("caña", "madera"))
    weights, alone = (
        SentenceWeights(blocks, title=f"{own} {foreign}"),
        SentenceWeights(blocks_of(foreign), title=f"{own} {foreign}"),
    )
    assert weights.weight_of(1) < min(weights.weight_of(number) for number in (2, 3, 4, 5))
    assert alone.weight_of(1) > weights.weight_of(1) + 0.3, "where all of it is English, it is not another language"


def test_pairs_of_words_are_counted_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.summarize.digest.MOST_PAIRS", 20)
    said = "the kiln of Uruk was fired with reed again and again."
    others = ("Grain was cut below the old mill.", "Lunch came at noon.", "Nobody knew the name of that river.")
    blocks = blocks_of(*(season + said for season in ("In spring ", "In summer ", "In autumn ")), *others)
    (chosen,) = digest_of(blocks, 1)
    assert chosen.block_id <= 3


def test_what_the_document_is_about_goes_before_what_it_mentions() -> None:
    about = "The kiln of Uruk was fired with reed, and the kiln reached a thousand degrees."
    aside = "Lunch was served at noon in the old mill."
    filler = ["Reed for the kiln was cut in the marshes.", "A kiln needs clay and fire.", "Each kiln was fired twice."]
    blocks = blocks_of(aside, *filler, about)
    chosen = {blocks[one.block_id - 1].text for one in digest_of(blocks, 2, title="The kiln of Uruk")}
    assert about in chosen
    assert aside not in chosen


def test_what_was_said_is_not_said_again() -> None:
    same = "The kiln of Uruk was fired with reed."
    other = "A potter paid the temple in grain for the use of the kiln."
    blocks = blocks_of(same, same, same, other)
    assert [blocks[one.block_id - 1].text for one in digest_of(blocks, 2)] == [same, other]


def test_lists_of_sources_and_thanks_are_not_told() -> None:
    blocks = [
        *blocks_of("The kiln was fired with reed."),
        Block(2, BlockKind.HEADING, "Acknowledgements", level=1),
        Block(3, BlockKind.PARAGRAPH, "We thank the kiln, the reed and the fire.", heading_path=("Acknowledgements",)),
    ]
    assert [one.block_id for one in digest_of(blocks, 3)] == [1]


def test_a_digest_is_a_summary_whose_statements_rest_on_themselves() -> None:
    blocks = blocks_of("The kiln was fired.  It took\na day. Reed was cut in the marshes.", heading="Kilns")
    blocks += [Block(2, BlockKind.PARAGRAPH, "Grain was paid.", heading_path=("Pay",))]
    summary = digest_summary([document(blocks)], SummaryOptions(Length.SHORT, Form.SECTIONS))
    assert [(one.group, one.anchors[0].block_id) for one in summary.statements] == [("Kilns", 1), ("Pay", 2)]
    assert all(one.check.found and one.anchors[0].text.split() == one.text.split() for one in summary.statements)
    assert (summary.method, summary.model, summary.is_partial) == (Method.DIGEST, "", False)
    assert summary.documents[0].coverage.blocks_read == 2


@given(texts=TEXTS)
def test_every_place_has_a_weight_and_that_of_a_block_of_one_sentence_is_the_one_it_was_chosen_by(
    texts: list[tuple[BlockKind, str]],
) -> None:
    blocks = [Block(number, kind, text) for number, (kind, text) in enumerate(texts, 1)]
    weights = SentenceWeights(blocks, title="The kiln")
    whole = {one.block_id: one for one in digest_of(blocks, len(blocks) + 1, title="The kiln")}
    for block in blocks:
        weight = weights.weight_of(block.id)
        assert weight == weights.weight_of(block.id, 0, len(block.text))
        told = whole.get(block.id)
        if told is not None and (told.start, told.end) == (0, len(block.text)):
            assert weight == pytest.approx(told.score)


def test_it_can_be_cancelled() -> None:
    summary = digest_summary([document(blocks_of("The kiln was fired."))], SummaryOptions(), lambda: True)
    assert (summary.statements, summary.is_partial) == ((), True)


def test_what_was_wished_and_sentences_cannot_give_is_said() -> None:
    blocks = blocks_of("The kiln was fired.")

    def said(wish: SummaryOptions) -> str:
        return not_given_words(digest_summary([document(blocks)], wish))

    assert said(SummaryOptions(language="en-GB")) == said(SummaryOptions(Length.LONG, Form.SECTIONS)) == ""
    poem = said(SummaryOptions(form=Form.OWN, instruction="As a poem", language="fr"))
    assert "document’s own sentences: not in French and not following your instruction." in poem
    assert "not questions and answers" in said(SummaryOptions(form=Form.QUESTIONS))
    assert "not a list of action items" in said(SummaryOptions(form=Form.ACTIONS))


def test_the_table_of_cues_says_the_same_of_every_language_and_is_read_when_it_is_asked_for() -> None:
    table = json.loads(resource_path("cues.json").read_text("utf-8"))
    assert {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru"} <= table.keys()
    names = table["en"].keys()
    for code, row in table.items():
        assert row.keys() == names, code
        for name, alternatives in row.items():
            assert alternatives or code in ("ja", "zh"), (code, name)
            for one in alternatives:
                assert re.compile(one).match("") is None, f"{code} {name}: {one} would be found everywhere"
    loaded = "import app.features.summarize.digest as digest; print(digest.load_cues.cache_info().currsize)"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "0"
