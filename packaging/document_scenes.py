"""Documents in pictures: attached to a message, too long for the model, asked about, and shown beside the chat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.core.catalogue import tr
from app.core.events import CancelToken, Role
from app.features.chat.answer_sources import keep_sources
from app.features.chat.session_messages import ShowDocument
from app.features.document_library import DocumentStored
from app.features.retrieval.citations import sources_of
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.retrieval.source_places import source_to_fields
from app.features.retrieval.support import with_unsupported
from app.features.summarize.summary_result import (
    ClaimAnchor,
    Coverage,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
)
from app.features.survey.wanted import QueryOffer, SurveyCoverage, made_to_fields
from app.features.survey.written_answer import write_answer
from app.store.attachments import DocumentUse
from app.store.document_store import StoredDocument
from app.store.message_rows import MessageState
from app.ui.chat.survey import LOOK_MS
from app.ui.window_language import is_pseudo_language
from app.ui.work.picture_reading import COMPARE_WITH_PICTURES
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame
from tests.helpers.pdf_files import Page, column, wrapped, write_pdf
from tests.helpers.scans import drawn, letter, noisy, scan, skewed

if TYPE_CHECKING:
    from app.bootstrap import Fireside

WAIT_MS, TIMEOUT_MS = 50, 60_000
WIDE_PT = 440
PROMPT_TOKENS = 900
REPORT = (
    ("1 Letter to the members", "The year was a quiet one. Both workshops stayed open, the second kiln was paid for in "
     "June, and forty-one new members joined. We thank everyone who gave an evening a week."),
    ("2 Money", "Income rose to 212,400 euros, of which courses brought in two thirds. Rent was raised by four per "
     "cent in March. The reserve now covers five months, two more than a year ago."),
    ("3 Energy", "Energy per firing fell by a fifth, mostly because the new kiln holds its heat overnight. The old one "
     "is used only for stoneware. A second meter was fitted, so that each firing can be counted by itself."),
    ("4 Legal matters", "Two proceedings were open at the beginning of the year, both begun before 2023. Both were "
     "settled in October for a total of 3.7 thousand euros, of which 2.9 thousand had been set aside earlier. No "
     "further claims of this kind are known to the board."),
    ("5 Next year", "The board proposes evening courses in Portuguese, a third wheel for the small room, and a shared "
     "store for glazes. The general meeting is on the twelfth of March."),
)  # fmt: skip
QUESTION = "How did the two lawsuits end, and what did they cost?"
ANSWER = """**Both were settled in October** for a total of 3.7 thousand euros, and 2.9 thousand of it had been set \
aside earlier [p. 4]. No further claims of this kind are known to the board.

Energy was the better news: energy per firing fell by a fifth because the new kiln holds its heat overnight [p. 3]."""
COUNTED_QUESTION = "How often is the zirconium valve mentioned?"
WHOLE_QUESTION = "Which valves are named, and what are they sealed with?"
FILLER = "Glaze number {number} is fired at {heat} degrees and cools for {hours} hours before the door is opened. "

HOUSE = (
    ("Keys", "Every household is given three keys for the front door and two for the cellar. A lost one is replaced "
     "by the caretaker, who has the whole lock changed where it may have been found together with the address."),
    ("Quiet hours", "Between ten in the evening and seven in the morning nothing louder than talk should be heard "
     "outside a flat. Instruments may be played for two hours a day, but not between one and three."),
    ("Animals", "Dogs and cats are welcome as long as nobody else in the building complains. Snakes, spiders and other "
     "kinds that frighten people need the written consent of the owners."),
    ("Waste", "Paper, glass and leftovers from the kitchen go into the bins of their colour behind the bicycle shed. "
     "Furniture is taken away in the first week of March and of September, after a call to the town."),
    ("Laundry", "The machines in the cellar are booked by the hour on the list beside the door, Sundays included. "
     "Whoever is fifteen minutes late leaves the hour to others."),
    ("Heating", "Radiators are warm from October to April. When one stays cold, air is let out of it first; then the "
     "caretaker comes, on weekends the firm whose number hangs beside the meters."),
    ("Stairs", "Prams stand under the stairs, nothing else does, since everybody has to get out when it burns. Each "
     "floor sweeps its own flight in turn, and the plan hangs in the hall."),
    ("Balconies", "Flower boxes hang on the inside of the railing. Grilling with charcoal is forbidden, electric "
     "grills are allowed until nine in the evening."),
    ("Garden", "The lawn is for everyone, the beds belong to those who planted them. Children may climb the apple "
     "tree and nothing else; the swing is taken in for the winter."),
    ("Guests", "Visitors may stay for six weeks without a word to anybody. Whoever lives here longer is named to the "
     "owners and shares the costs of water from then on."),
    ("Repairs", "Small repairs up to 110 euros are paid by the households themselves, at most 330 euros a year. "
     "Everything above that is the owners' business, and so is what wears out by age."),
    ("Moving out", "Walls are handed back in a light colour, holes filled. The deposit is paid back within eight "
     "weeks, with interest, less what is still owed for heating."),
)  # fmt: skip
OTHER_WORDS = "May I keep pets such as a puppy?"
OTHER_ANSWER = """Yes. Dogs and cats are welcome as long as nobody else in the building complains [p. 3]. Only kinds \
that frighten people, such as snakes and spiders, need the written consent of the owners."""
NOT_THERE = "Which insurance pays when the washing machine floods the flat below?"
NOT_THERE_ANSWER = """That is covered by the personal liability policy of the tenant, usually up to five million \
euros, after a deductible of 150 euros."""
CHECKED = "How many hours a day may I play the violin?"
CHECKED_ANSWER = """Instruments may be played for two hours a day, but not between one and three [p. 2]. On holidays \
four hours are allowed."""

Step = Callable[[], object]


def screens(frame: Frame, desk: ChatDesk, folder: Path) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, and after it. The documents lie in `folder`."""
    folder.mkdir(exist_ok=True)
    app = frame.app
    report, handbook, sheet = _report(folder), _handbook(folder), _sheet(folder)
    askew = [noisy(skewed(page, 1.5), 0.04) for page in drawn([letter(table=True), letter()], folder, 120)]
    lease = scan(folder / "lease-of-the-workshop.pdf", askew, 120)
    told = _told(app, report)
    searched = _searched(app, handbook)
    rules = _house_rules(folder)
    other_words = _judged(app, rules, OTHER_WORDS, OTHER_ANSWER)
    not_there = _judged(app, rules, NOT_THERE, NOT_THERE_ANSWER)
    checked = _judged(app, rules, CHECKED, CHECKED_ANSWER, doubted="On holidays four hours are allowed")
    read_whole = _read_whole(app, handbook)

    def attach(*paths: Path) -> None:
        frame.new_chat()
        desk.attach(*paths)
        desk.put_message("What changed since last year?")

    def tidy() -> None:
        for one in desk.attached:
            desk.attaching.remove_all([one], is_told=False)
        desk.put_message("")

    def leave_scan() -> None:
        tidy()
        frame.close_document()

    def offer(*, by_model: bool) -> None:
        frame.new_chat()
        desk.attach(handbook)
        desk.put_message(WHOLE_QUESTION if by_model else COUNTED_QUESTION)
        if by_model:  # the starter is too small for it
            QTest.qWait(2 * LOOK_MS)
            desk.survey_offer.show_offer(
                QueryOffer(
                    WantedScope(QuestionScope.LIST), (1,), is_by_model=True, tokens=48_200, sections=38, seconds=238.0
                )
            )
        else:
            desk.wait_for_offer()

    def beside(number: int) -> None:
        frame.show_tab("chat")
        frame.show_chat(number)
        QTest.qWait(WAIT_MS)
        chips = desk.places_in(desk.last.evidence.sources)
        if chips:
            chips[0].click()
        else:  # the answer names its pages itself
            desk.follow_link(desk.last_links[0].href)
        frame.wait(lambda: frame.reader.is_drawn, TIMEOUT_MS)

    return [
        ("document-attached", lambda: attach(report, sheet), tidy),
        ("document-too-long", lambda: attach(report, handbook), tidy),
        ("document-answer", lambda: frame.show_chat(told), frame.close_document),
        ("document-beside", lambda: beside(told), frame.close_document),
        ("document-passages", lambda: frame.show_chat(searched), frame.close_document),
        ("document-other-words", lambda: beside(other_words), frame.close_document),
        ("document-not-there", lambda: frame.show_chat(not_there), frame.close_document),
        ("document-checked", lambda: frame.show_chat(checked), frame.close_document),
        ("scan-read", lambda: scanned(frame, desk, lease), tidy),
        ("scan-compared", lambda: compared(frame, desk, lease), leave_scan),
        ("survey-offered", lambda: offer(by_model=False), tidy),
        ("survey-estimated", lambda: offer(by_model=True), tidy),
        ("survey-found", lambda: found(frame, desk, handbook), frame.close_document),
        ("survey-read", lambda: frame.show_chat(read_whole), frame.close_document),
    ]


def scanned(frame: Frame, desk: ChatDesk, path: Path) -> None:
    """Pages that are pictures, read by tesseract."""
    frame.new_chat()
    desk.attach(path)
    frame.wait(lambda: _comparing(desk), TIMEOUT_MS)
    desk.put_message("When is the rent due?")


def compared(frame: Frame, desk: ChatDesk, path: Path) -> None:
    """One of them beside what was read of it."""
    scanned(frame, desk, path)
    _comparing(desk)[0].click()
    frame.wait(lambda: frame.reader.is_drawn, TIMEOUT_MS)


def _comparing(desk: ChatDesk) -> list[QPushButton]:
    """What shows the pages beside their text, once all of them are read."""
    return [one for one in desk.row.scans.findChildren(QPushButton) if one.text() == tr(COMPARE_WITH_PICTURES)]


def found(frame: Frame, desk: ChatDesk, path: Path) -> None:
    """What the program finds by itself, and one of its places beside it."""
    frame.new_chat()
    desk.attach(path)
    desk.put_message(COUNTED_QUESTION)
    desk.wait_for_offer()
    desk.take_offer()
    desk.wait(lambda: desk.is_settled)
    if is_pseudo_language():  # whose pages stand in too many brackets to be links
        frame.chat.session.send_request(ShowDocument(_read(frame.app, path).id))
    else:
        desk.follow_link(desk.last_links[1].href)
    frame.wait(lambda: frame.reader.is_drawn, TIMEOUT_MS)


def _report(folder: Path) -> Path:
    pages = []
    for number, (heading, text) in enumerate(REPORT, start=1):
        page = Page()
        page.text(72, 60, "Kiln and Clay e.V., annual report", 9)
        page.text(72, 110, heading, 16, "F2")
        end = column(page, 72, 140, wrapped(text, WIDE_PT, 11), size=11, pitch=17)
        more = (
            "The figures were looked through by two members who are not on the board, and were found to be in order. "
        )
        column(page, 72, end + 14, wrapped(more * 3, WIDE_PT, 11), size=11, pitch=17)
        page.text(290, 800, str(number), 9)
        pages.append(page)
    return write_pdf(folder / "annual-report-2025.pdf", pages, title="Annual report 2025")


def _handbook(folder: Path) -> Path:
    pages = []
    for number in range(1, 49):
        page = Page()
        page.text(72, 80, f"Chapter {number}", 15, "F2")
        text = "".join(
            FILLER.format(number=n, heat=900 + n, hours=n % 17 + 4) for n in range(number * 8, number * 8 + 8)
        )
        if number in (3, 7, 12):
            text = f"The zirconium valve of kiln {number} is sealed with copper paste, never with tape. {text}"
        column(page, 72, 110, wrapped(text, WIDE_PT, 11), size=11, pitch=16)
        pages.append(page)
    return write_pdf(folder / "handbook-of-the-kilns.pdf", pages)


def _sheet(folder: Path) -> Path:
    path = folder / "members.csv"
    path.write_text("name,joined,course\n" + "".join(f"Member {n},20{n % 25:02},clay\n" for n in range(40)), "utf-8")
    return path


def _read(app: Fireside, path: Path) -> StoredDocument:
    return next(e.document for e in app.documents.read_file(path, CancelToken()) if isinstance(e, DocumentStored))


def _told(app: Fireside, path: Path) -> int:
    """A chat about a document, answered; its id."""
    chats, document = app.conversations, _read(app, path)
    chat = chats.create(title="Annual report 2025")
    app.documents.attachments.add_to_draft(chat.id, document.id, DocumentUse.WHOLE)
    question = app.chat.add_question(chat.id, QUESTION, draft_of=chat.id)
    answer = chats.add_message(chat.id, question.id, Role.ASSISTANT, ANSWER)
    chats.finish_message(answer.id, ANSWER, MessageState.COMPLETE)
    found = sources_of(ANSWER, [document.id], app.documents.store)
    chats.set_sources(answer.id, [source_to_fields(one) for one in found])
    return chat.id


def _searched(app: Fireside, path: Path) -> int:
    """A chat whose document is too long: passages of it were shown; its id."""
    chats, attachments = app.conversations, app.documents.attachments
    document = _read(app, path)
    chat = chats.create(title="The valve of the kiln")
    attachments.add_to_draft(chat.id, document.id, DocumentUse.BACKGROUND)
    question = app.chat.add_question(chat.id, "With what is the zirconium valve sealed?", draft_of=chat.id)
    ranked = [number for _, number, _ in app.documents.store.rank_blocks([document.id], ["zirconium"], 12)]
    attachments.set_passages(attachments.of_messages([question.id])[question.id][0].id, sorted(ranked))
    text = "The zirconium valve of each kiln is sealed with copper paste, never with tape [p. 7]."
    answer = chats.add_message(chat.id, question.id, Role.ASSISTANT, text)
    chats.finish_message(answer.id, text, MessageState.COMPLETE)
    found = sources_of(text, [document.id], app.documents.store)
    chats.set_sources(answer.id, [source_to_fields(one) for one in found])
    return chat.id


def _house_rules(folder: Path) -> Path:
    pages = []
    for number, (heading, text) in enumerate(HOUSE, start=1):
        page = Page()
        page.text(72, 60, "Lindenstrasse 12, rules of the house", 9)
        page.text(72, 110, f"{number} {heading}", 16, "F2")
        column(page, 72, 140, wrapped(text, WIDE_PT, 11), size=11, pitch=17)
        page.text(290, 800, str(number), 9)
        pages.append(page)
    return write_pdf(folder / "house-rules.pdf", pages, title="Rules of the house")


def _judged(app: Fireside, path: Path, question_text: str, text: str, *, doubted: str = "") -> int:
    """A chat about passages of a document, found, and its answer judged, by the program itself; its id.

    `doubted` is what a claim checker would mark: none can be fetched here.
    """
    chats, document = app.conversations, _read(app, path)
    chat = chats.create(title=question_text)
    app.documents.attachments.add_to_draft(chat.id, document.id, DocumentUse.BACKGROUND)
    question = app.chat.add_question(chat.id, question_text, draft_of=chat.id)
    count = lambda texts: [len(text) // 4 for text in texts]  # noqa: E731
    app.chat._attached.choose_passages([question], (), PROMPT_TOKENS, count)
    answer = chats.add_message(chat.id, question.id, Role.ASSISTANT, text)
    chats.finish_message(answer.id, text, MessageState.COMPLETE)
    keep_sources(chats, app.documents, answer, text, [question], ids=[document.id])
    kept = chats.get_message(answer.id)
    if doubted and kept is not None:
        start = text.index(doubted)
        chats.set_sources(answer.id, with_unsupported(kept.sources, [(start, start + len(doubted))], "claim-checker"))
    return chat.id


def _read_whole(app: Fireside, path: Path) -> int:
    """A chat whose question was answered from every block, as a larger model would; its id."""
    chats, document = app.conversations, _read(app, path)
    chat = chats.create(title="The valves of the kilns")
    app.documents.attachments.add_to_draft(chat.id, document.id, DocumentUse.BACKGROUND)
    question = app.chat.add_question(chat.id, WHOLE_QUESTION, draft_of=chat.id)
    statements = []
    for block in app.documents.read_blocks(document.id):
        at = block.text.find("The zirconium valve")
        if at >= 0:
            anchor = ClaimAnchor(0, block.id, block.page, at, block.text.index(".", at) + 1)
            statements.append(Statement(f"Zirconium valve of kiln {block.page}: copper paste", (anchor,)))
    coverage = Coverage(app.documents.store.block_count(document.id), 0, document.pages, document.pages)
    told = (SummarizedDocument(document.id, document.name, document.name, document.unit, coverage),)
    summary = Summary(
        document.name,
        told,
        tuple(statements),
        SummaryOptions(),
        "en",
        "a larger model",
        38,
        38,
        0,
        is_partial=False,
        seconds=231.0,
    )
    result = write_answer(summary, WantedScope(QuestionScope.LIST))
    answer = chats.add_message(chat.id, question.id, Role.ASSISTANT, result.text)
    chats.finish_message(answer.id, result.text, MessageState.COMPLETE)
    made = made_to_fields(SurveyCoverage(38, 38, 231.0, is_by_model=True))
    chats.set_sources(answer.id, [made, *map(source_to_fields, result.sources)])
    return chat.id
