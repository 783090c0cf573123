"""What an answer rests on is told by the places of its sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.features.retrieval.citations import sources_of
from app.features.retrieval.support import AnswerSupport, support_of
from app.store.database import Database
from app.store.document_store import DocumentStore

LEASE = (
    "The lease begins on 1 May 2024. It ends in March 2027, unless it is renewed in writing.",
    "The rent is 1,250 euros a month. Heating is paid by the tenant.",
    "Pets are allowed. Both lawsuits were settled in October for a total of 3.7 million.",
)
RENT = "The rent is 1,250 euros a month."
SETTLED = "The lawsuits were settled in October for 3.7 million."
INVENTED = "The landlord lives in a castle near the northern coast."


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[tuple[DocumentStore, int]]:
    with closing(Database.open(tmp_path / "fireside.db")) as database:
        store = DocumentStore(database)
        id_ = store.begin_document(Path("/lease.pdf"), 1, 1)
        store.add_blocks(
            id_, [{"id": n, "kind": "paragraph", "page": n, "text": text} for n, text in enumerate(LEASE, 1)]
        )
        yield store, store.finish_document(id_, format_="pdf", unit="page", pages=3, sha256="", info={}).id


@pytest.mark.parametrize(
    ("answer", "support"),
    [
        (f"{SETTLED} {RENT}", AnswerSupport.SUPPORTED),
        (
            f"Here is what the document says:\n\n- {SETTLED}\n- {RENT}\n\nShall I tell you more about it?",
            AnswerSupport.SUPPORTED,
        ),
        (f"## What the lease of the tenant says\n\nYes. {RENT}", AnswerSupport.SUPPORTED),
        (f"{RENT} {INVENTED}", AnswerSupport.PARTLY),
        (f"{RENT} The document does not mention the landlord's name.", AnswerSupport.PARTLY),
        (f"The document does not mention the landlord's name. {RENT}", AnswerSupport.NOT_FOUND),
        ("I don't know.", AnswerSupport.NOT_FOUND),
        (f"I don't know. {INVENTED}", AnswerSupport.NOT_FOUND),
        (INVENTED, AnswerSupport.NOT_FOUND),
        ("Der Vertrag nennt den Namen des Vermieters nicht.", AnswerSupport.NOT_FOUND),
        (RENT.replace("1,250", "2,150"), AnswerSupport.NOT_FOUND),
        ("", AnswerSupport.NOT_FOUND),
    ],
)
def test_an_answer_rests_on_what_its_sentences_rest_on(
    lease: tuple[DocumentStore, int], answer: str, support: AnswerSupport
) -> None:
    store, document_id = lease
    assert support_of(answer, sources_of(answer, [document_id], store)) is support
