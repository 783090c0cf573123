"""Documents that other programs may read: nothing without the grant, and each result with where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.json_forms import to_json
from app.features.summarize.digest import digest_summary
from app.features.summarize.summary_messages import DIGEST_WORDS
from app.features.summarize.summary_result import KIND, Check, CheckReason, Method, SummaryOptions, inputs_of
from app.features.tools.lent_documents import (
    DIFFERS,
    FOUND,
    MORE_STATEMENTS,
    MOST_STATEMENTS,
    NEAREST,
    NO_SENTENCES,
    NOT_QUOTED,
    NOTHING_SAYS_SO,
    QUOTED_NEARLY,
    QUOTED_THERE,
    LentDocuments,
)
from app.features.tools.result_text import MOST_CHARACTERS, run_capped
from app.features.tools.tool import ToolResult
from app.store.database import Database
from app.store.jobs import JobTable, SummaryStore
from app.ui.pseudo_language import PseudoEntries
from tests.features.tools.test_document_tools import Shelf

PAID = "The rent of €2,400 was paid on 12 March 2025."


class LentShelf(Shelf):
    """The same documents, lent."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.is_lent = True
        self.tools = LentDocuments(database, self.library, lambda: self.ids, lambda: self.is_lent)

    def call(self, name: str, **arguments: Any) -> ToolResult:
        assert isinstance(self.tools, LentDocuments)
        (tool,) = [tool for tool in self.tools.list_tools() if tool.name == name]
        return run_capped(tool, arguments, lambda: False)

    def verify(self, claim: str, **arguments: Any) -> str:
        return self.call("verify_claim", claim=claim, **arguments).text


@pytest.fixture
def lent() -> Iterator[LentShelf]:
    with closing(Database.in_memory()) as database:
        yield LentShelf(database)


def test_without_the_grant_there_are_no_tools_and_with_it_all_only_read(lent: LentShelf) -> None:
    assert isinstance(lent.tools, LentDocuments)
    tools = lent.tools.list_tools()
    assert [tool.name for tool in tools] == ["search_documents", "read_pages", "summarize_document", "verify_claim"]
    assert not any(tool.changes for tool in tools)
    lent.is_lent = False
    assert lent.tools.list_tools() == []


def test_pages_are_named_with_their_document(lent: LentShelf) -> None:
    assert lent.call("read_pages", document="lease", first_page=2).text.startswith(
        "Lease 2024.pdf\n\n[p. 2]\n\nThe rent"
    )
    assert "Lease 2024.pdf [p. 4]\nThe kiln" in lent.call("search_documents", query="kiln").text
    assert lent.call("read_pages", document="contract", first_page=1).is_error


def test_a_long_result_is_capped_and_says_so(lent: LentShelf) -> None:
    long = lent.library.keep_text("\n\n".join(f"Line {n} of the long list of lines." for n in range(900)), "long.txt")
    lent.ids.append(long.id)
    result = lent.call("read_pages", document="long", first_page=1, last_page=900)
    assert len(result.text) < MOST_CHARACTERS + 100
    assert result.text.splitlines()[-1].endswith("not shown)")


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        (PAID, f"{FOUND}. Lease 2024.pdf [p. 2]: “{PAID}”"),
        (
            "The kiln cools for two days.",
            f"{FOUND}. Lease 2024.pdf [p. 4]: “The kiln cools for two days; kilns are hot.”",
        ),
        ("The kiln was bought in 2019.", f"{FOUND}. notes.txt [¶ 2]: “The kiln was bought in 2019.”"),
    ],
)
def test_a_claim_rests_on_a_sentence_that_is_named(lent: LentShelf, claim: str, found: str) -> None:
    assert lent.verify(claim) == found


def test_other_programs_are_told_in_english_whatever_the_language(lent: LentShelf) -> None:
    use_catalogue(TextCatalogue("en", PseudoEntries()))
    try:
        told = lent.verify("The rent of €2,500 was paid on 12 March 2025.")
        page = lent.call("read_pages", document="lease", first_page=2).text
        refused = lent.call("read_pages", document="contract", first_page=1).text
        digest = lent.call("summarize_document", document="lease").text
    finally:
        use_catalogue(TextCatalogue())
    assert told.startswith(f"{DIFFERS}. ") and "the page says" in told
    assert "[p. 2]" in page
    assert refused
    assert not re.search("[àéîöüýçñšž]", told + page + refused + digest)


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("The rent of €2,500 was paid on 12 March 2025.", "€2,400"),
        ("The rent of €2,400 was paid on 13 March 2025.", "12 March 2025"),
        ("The kiln cools for three days.", "two days"),
        ("The kiln was bought in 2018.", "2019"),
        ("The rent of €2,400 was not paid on 12 March 2025.", "was paid"),
    ],
)
def test_another_number_or_a_denial_is_told_with_what_stands_there(lent: LentShelf, claim: str, says: str) -> None:
    told = lent.verify(claim)
    first, nearest = told.splitlines()
    assert first.startswith(f"{DIFFERS}. ")
    assert says in first
    assert nearest.startswith(f"{NEAREST}: ")


def test_what_nothing_says_is_not_found(lent: LentShelf) -> None:
    assert lent.verify("The tenant owns three elephants and a submarine.") == NOTHING_SAYS_SO
    assert lent.verify("The kiln was bought in 2019.", document="lease").splitlines()[0] != FOUND
    assert not lent.verify("The kiln was bought in 2019.", document="lease").startswith(FOUND)
    lent.ids = []
    assert lent.call("verify_claim", claim=PAID).is_error


def test_quotations_are_looked_up_letter_by_letter(lent: LentShelf) -> None:
    assert f"{QUOTED_THERE} Lease 2024.pdf [p. 3]" in lent.verify(
        "It says “may give notice three months before the end”."
    )
    assert f"{QUOTED_NEARLY} Lease 2024.pdf [p. 3]" in lent.verify(
        "It says “may give notise three months before the end”."
    )
    assert NOT_QUOTED in lent.verify("It says “may give notice five years before the end”.")


def test_each_sentence_of_a_claim_is_judged_by_itself_up_to_a_limit(lent: LentShelf) -> None:
    first, second = lent.verify(f"{PAID} The kiln cools for three days.").split("\n\n")
    assert first.startswith(f"“{PAID}”\n{FOUND}")
    assert second.startswith(f"“The kiln cools for three days.”\n{DIFFERS}")
    many = lent.verify(" ".join([PAID] * (MOST_STATEMENTS + 2)))
    assert many.count(FOUND) == MOST_STATEMENTS
    assert many.endswith(MORE_STATEMENTS.format(count=2))


def test_key_sentences_stand_in_until_there_is_a_summary(lent: LentShelf) -> None:
    text = lent.call("summarize_document", document="lease").text
    assert text.startswith(f"Lease 2024.pdf\n{DIGEST_WORDS}\n")
    assert "- Either party may give notice three months before the end. [p. 3]" in text
    assert "- Ash makes a good glaze. [¶ 3]" in lent.call("summarize_document", document="notes").text
    lent.ids = [lent.library.keep_text("7\n\n8", "numbers.txt").id]
    assert NO_SENTENCES in lent.call("summarize_document", document="numbers").text


def test_the_newest_summary_of_the_document_alone_is_told_with_what_differs(lent: LentShelf) -> None:
    jobs, store = JobTable(lent.database), SummaryStore(lent.database)
    made = digest_summary(inputs_of(lent.library, [lent.lease]), SummaryOptions())
    for title, ids, state in (
        ("Old", [lent.lease], "done"),
        ("New", [lent.lease], "done"),
        ("Both", [lent.lease, lent.notes], "done"),
        ("Unfinished", [lent.lease], "paused"),
        ("Deleted", [lent.lease], "done"),
    ):
        job = jobs.add(KIND, title, {}, document_ids=ids)
        jobs.update(job.id, state=state)
        doubted = Check(False, CheckReason.NUMBER, "2,500", "2,400")
        statement = replace(made.statements[0], text=f"{title} words.", check=doubted)
        written = replace(made, statements=(statement,), method=Method.MODEL, model="kiln-1b")
        store.keep_result(job.id, to_json(written), "")
        if title == "Deleted":
            jobs.delete(job.id)
    text = lent.call("summarize_document", document="lease").text
    assert "- New words. [p. 1] (This says “2,500”" in text
    assert DIGEST_WORDS not in text
