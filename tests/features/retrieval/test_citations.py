"""Where an answer may come from is found by shared words, sentence by sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.installed_languages import OWN_NAMES, built_in_file, load_texts
from app.features.document_frames import page_mark
from app.features.retrieval.citations import source_on_page, sources_of
from app.features.retrieval.source_places import SourcePlace, named_pages, source_from_fields, source_to_fields
from app.language.sentences import split_sentences
from app.store.document_store import DocumentStore

PAGES = (
    "The lease begins on 1 May 2024. It ends in March 2027, unless it is renewed in writing.",
    "The rent is 1,250 euros a month. Heating is paid by the tenant.",
    "Pets are allowed. Both lawsuits were settled in October for a total of 3.7 million.",
)


def kept(store: DocumentStore, pages: tuple[str, ...] = PAGES) -> int:
    id_ = store.begin_document(Path("/lease.pdf"), 1, 1)
    store.add_blocks(
        id_,
        [{"id": page, "kind": "paragraph", "page": page, "text": text} for page, text in enumerate(pages, 1)],
    )
    return store.finish_document(id_, format_="pdf", unit="page", pages=len(pages), sha256="", info={}).id


def marked(source: SourcePlace) -> str:
    return PAGES[source.block_id - 1][source.start : source.end]


def test_each_sentence_gets_the_sentence_that_says_the_same(store: DocumentStore) -> None:
    answer = "The lawsuits were settled in October for 3.7 million. The lease ends in March 2027 unless renewed."
    first, second = sources_of(answer, [kept(store)], store)
    assert (first.page, marked(first)) == ((3, "Both lawsuits were settled in October for a total of 3.7 million."))
    assert answer[first.answer_start : first.answer_end] == "The lawsuits were settled in October for 3.7 million."
    assert (second.page, marked(second)) == (1, "It ends in March 2027, unless it is renewed in writing.")


STAFF = (
    "The workers of the mill get thirty-one days of paid leave a year. The mill was built in 1911 by two brothers.",
    "In May 2021 the mill had 1,250 workers, one in five of them women.",
)


@pytest.mark.parametrize(
    ("answer", "page"),
    [
        ("The workers of the mill get 301 days of paid leave.", None),
        ("The workers of the mill get 31 days of paid leave.", 1),
        ("The workers of the mill get thirty-one days of paid leave.", 1),
        ("The workers of the mill get paid leave every year.", 1),
        ("3. The workers of the mill get paid leave every year.", 1),
        ("The mill was built in 1912 by the brothers.", None),
        ("The mill was built by two brothers in 1911.", 1),
        ("In May 2021 the mill had 1250 workers.", 2),
        ("In May 2021 the mill had twelve workers.", None),
    ],
)
def test_a_number_that_the_place_does_not_say_forbids_it(store: DocumentStore, answer: str, page: int | None) -> None:
    found = sources_of(answer, [kept(store, STAFF)], store)
    assert [one.page for one in found] == ([] if page is None else [page])


def test_words_at_which_nothing_like_it_stands_have_no_source(store: DocumentStore) -> None:
    id_ = kept(store)
    assert sources_of("Dolphins sleep with half of their brain. Yes. I do not know.", [id_], store) == []
    assert sources_of("The lawsuits were settled in October.", [], store) == []
    assert sources_of("", [id_], store) == []


def test_only_the_chats_own_documents_are_searched(store: DocumentStore) -> None:
    kept(store)
    other = kept(store, ("Nothing of the kind.",))
    assert sources_of("Both lawsuits were settled in October.", [other], store) == []


def test_pages_that_the_model_names_are_read_from_its_brackets() -> None:
    answer = "It ends in 2027 [p. 1] and costs 1,250 (page 12). See [slide 3], [4] and p. 9."
    assert [(answer[start:end], page) for start, end, page in named_pages(answer)] == [
        ("[p. 1]", 1),
        ("(page 12)", 12),
        ("[slide 3]", 3),
    ]


@pytest.mark.parametrize("language", [code for code in OWN_NAMES if built_in_file(code).is_file()])
@pytest.mark.parametrize("unit", ["page", "slide", "sheet", "chapter", "file", "minute"])
def test_pages_that_the_program_names_are_read_in_every_language(language: str, unit: str) -> None:
    use_catalogue(load_texts(language))
    try:
        mark = f"[{page_mark(unit, 12)}]"
    finally:
        use_catalogue(TextCatalogue())
    assert named_pages(f"Copper paste {mark}.") == [(13, 13 + len(mark), 12)]


def test_a_named_page_opens_at_the_sentence_that_fits_best(store: DocumentStore) -> None:
    id_ = kept(store)
    answer = "Hello. The tenant pays for heating [p. 2]."
    found = source_on_page(answer, answer.index("["), 2, id_, store)
    assert found is not None
    assert (marked(found), found.is_named) == ("Heating is paid by the tenant.", True)
    unlike = source_on_page("Nothing alike [p. 2].", 14, 2, id_, store)
    assert unlike is not None
    assert (unlike.block_id, unlike.start, unlike.end) == (2, 0, 0), "the page, but no sentence of it"
    assert source_on_page(answer, 0, 9, id_, store) is None


def test_sentences_end_where_they_end() -> None:
    text = "It is 3.7 million. Really?\nA line\n\n終わり。次！ rest"
    assert [text[start:end] for start, end in split_sentences(text)] == [
        "It is 3.7 million.",
        "Really?",
        "A line",
        "終わり。",
        "次！",
        "rest",
    ]


def test_a_source_survives_its_way_through_the_store(store: DocumentStore) -> None:
    (source,) = sources_of("Both lawsuits were settled in October.", [kept(store)], store)
    assert source_from_fields(json.loads(json.dumps(source_to_fields(source)))) == source
