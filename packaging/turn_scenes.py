"""What is done with turns in pictures: messages that wait, the map of versions, what is known of an answer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from app.core.events import Role
from app.features.assistants import AssistantChoice
from app.features.chat.tool_questions import ToolCall, ToolQuestion, ToolReach
from app.features.chat.tool_steps import LEFT_OUT, ToolStep, step_to_fields
from app.features.tools.permissions import PermissionAnswer
from app.store.conversations import Conversations
from app.ui.chat.answer_view import AnswerView
from app.ui.chat.details import AnswerDetails
from app.ui.chat.prompt_view import SeenDialog
from app.ui.chat.selection import texts_in
from app.ui.chat.tool_steps_view import StepLine
from app.ui.chat.turn_column import ChatsColumn
from app.ui.text import formula
from app.ui.text.text_view import TextView
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame

QUEUED = (
    "And how far away is a storm when I count to nine?",
    "Then write all of it as a table: seconds in one column, kilometres in the other, and what one should do at each",
)
SMALL, LARGE = "SmolLM2 135M", "Qwen3 4B Instruct"
Step = Callable[[], object]


def screens(frame: Frame, chat: ChatDesk, told: int, answered: int) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it; `told` and `answered` are chats with an answer."""
    queued = chat.conversations.queued
    made: list[int] = []

    def show(number: int) -> None:
        frame.show_tab("chat")
        frame.show_chat(number)
        chat.wait(lambda: chat.is_settled)

    def queue() -> None:
        for text in QUEUED:
            queued.add(told, text)
        show(told)

    def unqueue() -> None:
        for one in queued.list_waiting(told):
            queued.remove(one.id)
        frame.show_chat(told)

    def tree() -> None:
        if not made:
            made.append(invent_versions(chat.conversations))
        show(made[0])
        chat.open_map(chat.turns[1])

    def details() -> None:
        show(answered)
        chat.last.set_focused(True)
        assert chat.last.toolbar.row is not None
        chat.click(chat.last.toolbar.row.about)

    def recalled() -> None:
        if len(made) < 2:
            made.append(invent_forgotten(chat.conversations))
        show(made[-1])
        question = chat.transcript.last_question()
        assert question is not None
        assert question.recalled is not None
        chat.click(question.recalled.opener)

    def seen() -> None:
        details()
        chat.click(chat.find_step(AnswerDetails).seen)
        chat.wait(lambda: chat.find_step(SeenDialog).parts.topLevelItemCount() > 0)

    def close_dialog() -> None:
        chat.find_step(SeenDialog).close()

    def menu() -> None:
        show(told)
        chat.open_menu(chat.last)

    def select() -> None:
        show(told)
        texts = [view for turn in chat.turns for view in texts_in(turn) if isinstance(view, TextView)]
        chat.drag(texts[0], 4, texts[-1], 12)

    def close() -> None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()

    return [
        ("queue", queue, unqueue),
        ("tree", tree, close),
        ("answer-details", details, close),
        ("seen", seen, close_dialog),
        ("recalled", recalled, lambda: None),
        formula_screen(frame, chat),
        tools_screen(frame, chat),
        card_screen(frame, chat, told),
        ("turn-menu", menu, close),
        ("selection", select, chat.chat.selection.clear),
    ]


FORGOTTEN = (
    ("My sister Marit lives in Bergen now and works at the aquarium.", "A fine place: rain, hills and the sea."),
    ("What could I bring Marit from Lisbon?", "Tinned sardines, a tile, or a book of poems by Pessoa."),
    ("How do I keep basil alive in winter?", "Bright, warm, and never wet at its feet."),
)


ATTENTION = (
    r"Each query $q_i$ is compared with every key $k_j$. Scores of later places are set to $-\infty$ before the "
    r"softmax, so that their weight is $e^{-\infty} = 0$:",
    r"$$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{QK^\top}{\sqrt{d_k}} + M\right) V$$",
    r"Dividing by $\sqrt{d_k}$ keeps the variance near 1; a sum like $\sum_{i=1}^{n} q_i k_i$ would grow with $n$, and "
    r"$\frac{1}{\sqrt{d_k}}$ takes that back. With $\int_0^1 x\,dx = \frac{1}{2}$ a line keeps its height, too.",
    "- the mask is $M_{ij} = -\\infty$ for $j > i$,\n- the rest is $0$.",
    r"$$M = \begin{pmatrix} 0 & -\infty & -\infty \\ 0 & 0 & -\infty \\ 0 & 0 & 0 \end{pmatrix}.$$",
    "All of it in one line is longer than the column:",
    r"$$y = \sum_{h=1}^{H} W_h \left( \mathrm{softmax}\left( \frac{Q_h K_h^\top}{\sqrt{d_k}} \right) V_h \right) "
    r"+ \sum_{h=1}^{H} b_h + \gamma \cdot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta + x_{t-1} + x_{t-2} "
    r"+ x_{t-3} + x_{t-4} + x_{t-5} + x_{t-6} + x_{t-7}$$",
    "That is all.",
)


RENT = (
    ToolStep("", "", "convert_currency\nread_calendar\nsend_message", LEFT_OUT),
    ToolStep(
        "search_documents", '{"query": "monthly rent"}', "[lease.pdf, page 2] The rent is 940 euros a month.", "done"
    ),
    ToolStep("calculate", '{"formula": "940 * 12 + 3 * 85"}', "940 * 12 + 3 * 85 = 11535", "done"),
    ToolStep("date_and_time", '{"date": "2026-13-01"}', "There is no month 13.", "failed"),
)


def tools_screen(frame: Frame, chat: ChatDesk) -> tuple[str, Step, Step]:
    """Name, step before and step after the picture of an answer with tools, one of its steps open."""
    made: list[int] = []

    def show() -> None:
        if not made:
            sampling = AssistantChoice(tools=True).stored_sampling
            made.append(chat.conversations.create(title="A year of rent").id)
            chat.conversations.update(made[0], sampling=sampling)
            question = chat.conversations.add_message(
                made[0], None, Role.USER, "What do I pay in a year, repairs included?"
            )
            text = "You pay **11,535 euros**: twelve rents of 940, and three repairs of 85."
            answer = chat.conversations.add_message(made[0], question.id, Role.ASSISTANT, text)
            chat.conversations.set_sources(answer.id, [step_to_fields(step) for step in RENT])
        frame.show_tab("chat")
        frame.show_chat(made[0])
        chat.wait(lambda: chat.is_settled)
        for line in chat.last.findChildren(StepLine)[:3:2]:
            line.set_open(True)

    def close() -> None:
        for line in chat.last.findChildren(StepLine):
            line.set_open(False)

    return "tools", show, close


def mark_waiting(frame: Frame, *chats: int) -> None:
    assert isinstance(frame.chats.root, ChatsColumn)
    frame.chats.root.show_asking(frozenset(chats))


SENT = (
    '{"path": "/home/ada/notes/groceries.md", "mode": "append", "content": "- milk\\n- bread, the dark one\\n'
    '- coffee (the usual, but only if it is on offer this week; otherwise the one from the corner shop)"}'
)


def card_screen(frame: Frame, chat: ChatDesk, waiting: int) -> tuple[str, Step, Step]:
    """Name, step before and step after the picture of the card that asks about a tool, and of another chat that
    waits.
    """
    made: list[int] = []
    call = ToolCall("write_file", "files", SENT, changes=True, reach=ToolReach((), ("/home/ada/notes",)))
    question = ToolQuestion(call, tuple(answer for answer in PermissionAnswer if answer is not PermissionAnswer.SERVER))

    def show() -> None:
        if not made:
            made.append(chat.conversations.create(title="Groceries").id)
            words = "Put milk, bread and coffee on my list."
            asked = chat.conversations.add_message(made[0], None, Role.USER, words)
            answer = chat.conversations.add_message(made[0], asked.id, Role.ASSISTANT, "I’ll add them to your list.")
            steps = [ToolStep("write_file", SENT, "", "asking", "files")]
            chat.conversations.set_sources(answer.id, [step_to_fields(step) for step in steps])
        frame.show_tab("chat")
        frame.show_chat(made[0])
        chat.wait(lambda: chat.is_settled)
        assert isinstance(chat.last, AnswerView)
        chat.last.evidence.show_question(question, lambda _answer: None)
        mark_waiting(frame, waiting)
        chat.transcript.jump_to_latest()

    def close() -> None:
        assert isinstance(chat.last, AnswerView)
        chat.last.evidence.show_question(None, lambda _answer: None)
        mark_waiting(frame)

    return "tool-card", show, close


def formula_screen(frame: Frame, chat: ChatDesk) -> tuple[str, Step, Step]:
    """Name, step before and step after the picture of a chat about mathematics."""
    made: list[int] = []

    def show() -> None:
        if not made:
            made.append(chat.conversations.create(title="How attention is computed").id)
            question = chat.conversations.add_message(made[0], None, Role.USER, "How is attention computed?")
            chat.conversations.add_message(made[0], question.id, Role.ASSISTANT, "\n\n".join(ATTENTION))
        frame.show_tab("chat")
        frame.show_chat(made[0])
        chat.wait(lambda: chat.is_settled)
        # Not only settled: until a formula is typeset, a bar keeps its room.
        texts = [text for turn in chat.turns for text in turn.findChildren(TextView)]
        found = [span.text for text in texts for span in text.spans() if span.formula]
        chat.wait(lambda: all(map(formula.is_known, found)), 60_000)
        chat.scroll_bar.setValue(0)

    return "formulas", show, lambda: None


def invent_forgotten(conversations: Conversations) -> int:
    """A chat whose first turns were shown again with its last question."""
    chat_id, parent, ids = conversations.create(title="My sister’s birthday").id, None, list[int]()
    for asked, answered in (*FORGOTTEN, ("What did I want to bring Marit?", "A tile, or tinned sardines.")):
        question = conversations.add_message(chat_id, parent, Role.USER, asked)
        parent = conversations.add_message(chat_id, question.id, Role.ASSISTANT, answered, model=SMALL).id
        ids += [question.id, parent]
    conversations.set_recalled(ids[-2], ids[:4])
    conversations.update(chat_id, first_kept_id=ids[4])
    return chat_id


def invent_versions(conversations: Conversations) -> int:
    """A chat in which versions part and part again; its id."""
    chat = conversations.create(title="A name for the cat")

    def say(parent: int | None, role: Role, text: str, model: str = "") -> int:
        return conversations.add_message(chat.id, parent, role, text, model=model).id

    question = say(None, Role.USER, "Give me a name for a small black cat.")
    shadow = say(question, Role.ASSISTANT, "Shadow: quiet, quick, and there when one looks for it least.", SMALL)
    funnier = say(shadow, Role.USER, "Something funnier, please")
    say(funnier, Role.ASSISTANT, "Sir Pounce. Lady Midnight. Inkblot.", SMALL)
    say(funnier, Role.ASSISTANT, "Professor Whiskers, retired, with a pension in tuna.", LARGE)
    onyx = say(question, Role.ASSISTANT, "Onyx, after the black stone.", LARGE)
    say(say(onyx, Role.USER, "Why a stone?"), Role.ASSISTANT, "It is black, and it shines.", LARGE)
    french = say(onyx, Role.USER, "And in French?")
    say(french, Role.ASSISTANT, "The same word, said more softly: *onyx*.", LARGE)
    return chat.id
