"""Summaries in pictures: empty, before the start, at work, resting, done, stopped, in every form, beside the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtTest import QTest

from app.core.events import CancelToken
from app.core.json_forms import to_json
from app.documents.source import PageRead
from app.features.document_library import DocumentStored
from app.features.summarize.summary_result import (
    Check,
    CheckReason,
    ClaimAnchor,
    Coverage,
    Form,
    Length,
    Merging,
    Planned,
    SectionRead,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
    Writing,
)
from app.features.work.asking import TaskRests
from app.store.document_store import StoredDocument
from app.store.jobs import JobTable, SummaryStore
from app.ui.summarize.source_pane import LEAST_PX
from tests.helpers.desks.window import Frame
from tests.helpers.pdf_files import Page, column, wrapped, write_pdf

if TYPE_CHECKING:
    from app.bootstrap import Fireside

ROOT = Path(__file__).resolve().parents[1]
HARBOUR = ROOT / "tests" / "data" / "summaries" / "harbour-report.md"
TIMEOUT_MS = 60_000
WIDE_PT = 440
PAGES = 48
PICTURES = (7, 31)
FACTS = {
    6: ("1.1 The year in figures", "Revenue rose 8 % to 412 million, and all of the growth came from services."),
    12: ("2.2 The Lisbon plant", "The plant in Lisbon closed in March. Of its people 214 were offered posts in Porto, "
         "and 171 of them accepted."),
    19: ("3.1 Energy", "Energy per unit has come down by a fifth since 2022, mostly because of the new kilns."),
    22: ("3.4 Risks", "The price of copper remains the greatest risk, followed by the one supplier of our glazes."),
    23: ("3.5 Pensions as a risk", "The pension gap is named among the main risks for the third year."),
    27: ("4.3 Legal matters", "During the year the group was party to two proceedings, both begun before 2023. Both "
         "were settled in October for a total of 3.7 million, of which 2.9 million had been provided for before."),
    30: ("4.6 Segments", "Sales of hardware fell for the third year, to 96 million."),
    40: ("5.2 Dividend", "The board proposes a dividend of 0.62 for each share, up from 0.55 the year before."),
}  # fmt: skip
MORE = "The figures of this section were looked through by the auditors and found to be in order. "
SAID = (
    ("Revenue rose 8 % to 412 million, all of it from services; hardware fell for the third year.", (6, 30), ""),
    ("The Lisbon plant closed in March; 214 people were offered posts in Porto and 171 accepted.", (12,), ""),
    ("Energy use per unit is down a fifth since 2022, mostly from the new kilns.", (19,), ""),
    ("The board proposes a dividend of 0.62, up from 0.55.", (40,), ""),
    ("Two lawsuits were settled for 3.1 million", (27,), "3.7 million"),
    ("Main risks named: copper price, one supplier for glazes, and the pension gap.", (22, 23), ""),
)
LEASE = (
    ("Term and deposit", "The lease runs for three years from the first of May, and the deposit is 2,400 euros."),
    ("Notice", "Notice is given by signed letter, three months before the end of a quarter."),
    ("Pets", "Cats and small dogs are allowed once the owner has agreed in writing."),
)

Step = Callable[[], object]


def screens(frame: Frame, folder: Path) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, and after it. The documents lie in `folder`."""
    folder.mkdir(exist_ok=True)
    app = frame.app
    report, lease = _read(app, _report(folder)), _read(app, _lease(folder))
    harbour, handbook = _read(app, HARBOUR), _read(app, _handbook(folder))
    made = _Made(app, report, lease)
    frame.show_tab("summarize")
    desk = frame.summarize

    def shown(summary_id: int, *, is_finished: bool = False) -> None:
        frame.show_tab("summarize")
        desk.view.show_job(summary_id)
        if is_finished and desk.view.width() >= frame.theme.px(LEAST_PX):  # the source opens by itself
            desk.wait(lambda: desk.is_reader_open and desk.reader.is_drawn, TIMEOUT_MS)

    def draft(*ids: int) -> None:
        frame.new_summary()
        desk.view.add_documents(ids)
        desk.wait(lambda: not desk.is_estimating and desk.has_digest, TIMEOUT_MS)

    def empty() -> None:
        frame.new_summary()
        QTest.qWait(400)

    def no_draft() -> None:
        while desk.files:
            desk.remove(0)

    def beside() -> None:
        shown(made.done)
        desk.statements.open_place(4)
        desk.wait(lambda: desk.reader.is_drawn, TIMEOUT_MS)

    def digest(*ids: int, down: int = 0) -> None:
        draft(*ids)
        QTest.qWait(100)
        desk.scroll_draft(down)

    def digest_beside() -> None:
        digest(handbook.id)
        desk.open_term(0)
        desk.wait(lambda: desk.reader.is_drawn, TIMEOUT_MS)

    def close_digest() -> None:
        desk.view.document.close_document()
        no_draft()

    def work(*events: Any) -> None:
        desk.show_progress(made.working, events)
        shown(made.working)
        desk.wait(lambda: not desk.is_looking, TIMEOUT_MS)

    def nothing() -> None:
        """Nothing to tidy up."""

    def end_work() -> None:
        desk.forget_progress(made.working)

    read = [SectionRead(n + 1, 21, _points(n), 0, None, blocks=(8 * n + 1, 8 * n + 8)) for n in range(8)]
    joined = [SectionRead(n + 1, 21, (), 0, None) for n in range(8, 21)]
    text = " ".join(said for said, *_ in SAID[:4])
    return [
        ("summary-empty", empty, nothing),
        ("summary-before", lambda: draft(report.id), no_draft),
        ("summary-before-two", lambda: draft(report.id, lease.id), no_draft),
        ("digest", lambda: digest(harbour.id), no_draft),
        ("digest-long", lambda: digest(handbook.id), no_draft),
        ("digest-long-below", lambda: digest(handbook.id, down=420), no_draft),
        ("digest-beside", digest_beside, close_digest),
        ("summary-working", lambda: work(Planned(21, 31_200), *read), end_work),
        ("summary-resting", lambda: work(Planned(21, 31_200), *read, TaskRests("interactive")), end_work),
        ("summary-joining", lambda: work(Planned(21, 31_200), *read, *joined, Merging(1, 3)), end_work),
        ("summary-writing", lambda: work(Planned(21, 31_200), *read, *joined, Merging(3, 3), Writing(text)), end_work),
        ("summary-done", lambda: shown(made.done, is_finished=True), nothing),
        ("summary-beside", beside, desk.view.document.close_document),
        ("summary-paragraphs", lambda: shown(made.paragraphs, is_finished=True), nothing),
        ("summary-two", lambda: shown(made.two, is_finished=True), nothing),
        ("summary-stopped", lambda: shown(made.stopped), nothing),
    ]


class _Made:
    """Summaries as they would be stored after their work; their contents are invented."""

    def __init__(self, app: Fireside, report: StoredDocument, lease: StoredDocument) -> None:
        self._app, self._report = app, report
        self._jobs, self._store = JobTable(app.database), SummaryStore(app.database)
        wish = SummaryOptions()
        self.done = self._add("Annual report 2025", [report], wish, _statements(app, [report]))
        blocks = app.documents.read_blocks(lease.id)
        self.two = self._add(
            "Annual report 2025 and lease", [report, lease], SummaryOptions(Length.SHORT), _two(app, report, lease)
        )
        self.paragraphs = self._add(
            "Annual report 2025, as prose",
            [report],
            SummaryOptions(form=Form.PARAGRAPHS),
            _prose(_statements(app, [report])),
        )
        points = tuple(Statement(text, (_anchor(0, blocks, text),)) for _, text in LEASE[:2])
        self.stopped = self._add("Lease, Rua das Flores 12", [lease], wish, points, read=9, sections=21)
        job = self._jobs.add(
            "summary", "Council minutes", {"wish": to_json(wish)}, state="running", document_ids=[report.id]
        )
        self._jobs.update(job.id, progress={"sections": 21, "sections_read": 8})
        self.working = job.id

    def _add(
        self,
        title: str,
        documents: Sequence[StoredDocument],
        wish: SummaryOptions,
        statements: Sequence[Statement],
        *,
        read: int = 21,
        sections: int = 21,
    ) -> int:
        is_partial = read < sections
        named = tuple(_summarized(self._app, one, is_partial=is_partial) for one in documents)
        summary = Summary(
            title, named, tuple(statements), wish, "en", "Starter", sections, read, is_partial=is_partial, seconds=240
        )
        state = "paused" if is_partial else "done"
        ids = [one.id for one in documents]
        job = self._jobs.add("summary", title, {"wish": to_json(wish)}, state=state, document_ids=ids)
        self._jobs.update(job.id, progress={"sections": sections, "sections_read": read})
        self._store.keep_result(job.id, to_json(summary), " ".join(one.text for one in statements))
        return job.id


def _summarized(app: Fireside, document: StoredDocument, *, is_partial: bool) -> SummarizedDocument:
    blocks = app.documents.store.block_count(document.id)
    missing = tuple(document.info.get("pages_without_text", ()))
    seen = [PageRead(**fields) for fields in document.info.get("pages", ())]
    pictures = tuple(one.page for one in seen if one.is_picture and one.page in missing)
    read = document.pages - len(missing)
    coverage = Coverage(blocks, blocks, document.pages, read, missing, (), pictures)
    if is_partial:
        unread = tuple(range(2, document.pages + 1))
        coverage = Coverage(blocks, blocks // 2, document.pages, 1, missing, unread, pictures)
    return SummarizedDocument(document.id, document.name, document.name, document.unit, coverage)


def _statements(app: Fireside, documents: Sequence[StoredDocument]) -> tuple[Statement, ...]:
    blocks = app.documents.read_blocks(documents[0].id)
    found = []
    for text, pages, page_says in SAID:
        anchors = tuple(_anchor(0, blocks, FACTS[page][1]) for page in pages)
        check = Check(False, CheckReason.NUMBER, "3.1 million", page_says) if page_says else Check()
        found.append(Statement(text, anchors, check))
    return tuple(found)


def _prose(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    return tuple(Statement(one.text, one.anchors, one.check, "", n // 3) for n, one in enumerate(statements))


def _two(app: Fireside, report: StoredDocument, lease: StoredDocument) -> tuple[Statement, ...]:
    blocks = app.documents.read_blocks(lease.id)
    rented = tuple(Statement(text, (_anchor(1, blocks, text),)) for _, text in LEASE)
    return (*_statements(app, [report])[:3], *rented)


def _points(number: int) -> tuple[Statement, ...]:
    if number >= len(SAID):
        return ()
    text, pages, _ = SAID[number]
    return (Statement(text, tuple(ClaimAnchor(0, 1, page) for page in pages)),)


def _anchor(document: int, blocks: Sequence[Any], text: str) -> ClaimAnchor:
    """The last sentence of a text, where it stands."""
    sentence = text.rstrip(".").split(". ")[-1]
    words = sentence.split()[:3]
    for block in blocks:
        flat = block.text
        at = flat.find(" ".join(words))
        if at >= 0:
            end = flat.find(".", at + len(sentence) - 1)
            return ClaimAnchor(document, block.id, block.page, at, end if end > 0 else len(flat), flat[at:end])
    return ClaimAnchor(document, blocks[0].id, blocks[0].page)


def _report(folder: Path) -> Path:
    pages = []
    for number in range(1, PAGES + 1):
        page = Page()
        if number in PICTURES:
            page.picture(72, 120, 440, 500)
            pages.append(page)
            continue
        heading, text = FACTS.get(number, (f"Section {number}", MORE * 2))
        page.text(72, 90, heading, 16, "F2")
        end = column(page, 72, 124, wrapped(text, WIDE_PT, 12), size=12, pitch=19)
        end = column(page, 72, end + 16, wrapped(MORE * 3, WIDE_PT, 12), size=12, pitch=19)
        if number == 27:
            page.text(72, end + 34, "4.4 Pensions", 16, "F2")
            gap = "The gap between obligations and plan assets widened to 11.2 million as rates fell in the last year."
            column(page, 72, end + 66, wrapped(gap, WIDE_PT, 12), size=12, pitch=19)
        page.text(290, 800, str(number), 9)
        pages.append(page)
    return write_pdf(folder / "annual-report-2025.pdf", pages, title="Annual report 2025")


def _handbook(folder: Path) -> Path:
    """A long text of the program's own as a PDF."""
    pages = [Page()]
    y = 80.0
    for line in (ROOT / "docs/decisions.md").read_text("utf-8").splitlines():
        text = line.strip("#* ").replace("`", "").replace("**", "").encode("cp1252", "replace").decode("cp1252")
        if not text or line.startswith((" ", "|", "`")):
            continue
        size = 16 if line.startswith("#") else 11
        rows = wrapped(text, WIDE_PT * (0.85 if size > 11 else 1), size)
        if y + len(rows) * size * 1.4 > 780:
            pages.append(Page())
            y = 80.0
        for row in rows:
            pages[-1].text(72, y, row, size, "F2" if size > 11 else "F1")
            y += size * 1.4
        y += size
    return write_pdf(folder / "handbook.pdf", pages, title="Decisions of Fireside")


def _lease(folder: Path) -> Path:
    path = folder / "lease.md"
    path.write_text("# Lease\n\n" + "".join(f"## {head}\n\n{text}\n\n" for head, text in LEASE), "utf-8")
    return path


def _read(app: Fireside, path: Path) -> StoredDocument:
    events: Iterator[Any] = app.documents.read_file(path, CancelToken())
    return next(event.document for event in events if isinstance(event, DocumentStored))
