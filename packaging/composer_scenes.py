"""What helps to write and to choose, in pictures: assistants, prompts behind a slash, spelling, two answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QLinearGradient, QPainter, QTextCursor
from PySide6.QtWidgets import QApplication, QMenu

from app.core.catalogue import tr
from app.core.events import AnswerStats, FinishReason, Role
from app.features.assistants import AssistantChoice, in_assistant
from app.features.chat import session_messages as m
from app.store.conversations import Conversations, MessageState
from app.ui.chat.answer_view import SHOW_TWO_VERSIONS
from app.ui.chat.assistant_dialog import AssistantDialog
from app.ui.chat.large_picture import LargePicture
from app.ui.chat.prompt_dialog import PromptDialog
from app.ui.chat.sent_pictures import SentPicture
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame
from tests.helpers.dictionaries import lines

ASSISTANTS = (
    ("Plain words", "lightbulb", "Explain so that somebody of twelve understands it. Short sentences, one example."),
    ("Editor", "pen-nib", "Improve style and grammar. Keep the meaning and the language; say what you changed."),
    ("Cook", "cooking-pot", "Suggest what can be cooked from what is there. Metric units, times in minutes."),
)
PROMPTS = (
    ("Letter to an office", "Write a short, polite letter to {office} about {matter}. Ask for an answer by {date}."),
    ("Pros and cons", "List what speaks for and against {plan}, three points each, and say what you would do."),
)
MISTAKE = "The tenant recieves the keys on the first day of the month."
WORD = "recieves"
TIMEOUT_MS = 60_000
SMALL, LARGE = "SmolLM2 135M", "Qwen3 4B Instruct"
QUESTION = "What is the difference between weather and climate?"
FIRST = "Weather is what happens outside **today**. Climate is what is usual there over *thirty years* and more."
SECOND = """**Weather** is the state of the air at one place and time: rain this afternoon, wind tonight.

**Climate** is what one can expect there:

- the average of decades, and how far single years differ from it,
- which extremes belong to it, and how often.

A cold week says nothing about it; thirty cold winters do."""
Step = Callable[[], object]


def screens(frame: Frame, chat: ChatDesk, told: int) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it; `told` is a chat that stands behind dialogs."""
    made: dict[str, int] = {}

    def begin(number: int | None) -> None:
        """The assistants and prompts, the first time; then a chat."""
        if not made:
            for name, glyph, words in ASSISTANTS:
                made[name] = frame.app.assistants.create(name, glyph, **in_assistant(AssistantChoice(words))).id
            for name, words in PROMPTS:
                frame.app.chats.prompts().store.create(name, words)
            made["pair"] = invent_pair(chat.conversations)
        frame.show_tab("chat")
        frame.show_chat(number)

    def assistants() -> None:
        begin(told)
        frame.chat.models.assistants.open_all(made["Editor"])

    def assistant() -> None:
        begin(None)
        frame.chat.models.assistants.begin(made["Cook"])
        chat.put_message("Two eggs, half a cabbage, rice from yesterday")

    def no_assistant() -> None:
        chat.put_message("")
        frame.chat.models.assistants.choose_assistant(0)

    def composer_menu() -> None:
        begin(told)
        QApplication.processEvents()  # the button is elsewhere in a window of another size
        chat.composer_menu()

    def slash() -> None:
        begin(told)
        chat.type("/")

    def prompts() -> None:
        begin(told)
        frame.chat.session.send_request(m.OpenPrompts())

    def spelling() -> None:
        begin(told)
        frame.activate()  # a dialog may have been there before
        chat.put_message(MISTAKE)
        chat.type(" ")
        chat.wait(lambda: bool(chat.field.extraSelections()), TIMEOUT_MS)
        open_menu_on(chat, WORD)

    def pair() -> None:
        begin(None)
        frame.show_chat(made["pair"])
        chat.click_action(chat.last, tr(SHOW_TWO_VERSIONS))

    def close_popup() -> None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        chat.put_message("")

    return [
        ("assistants", assistants, lambda: frame.find_step(AssistantDialog).close()),
        ("assistant-chat", assistant, no_assistant),
        ("composer-menu", composer_menu, close_popup),
        ("prompt-list", slash, close_popup),
        ("prompts", prompts, lambda: frame.find_step(PromptDialog).close()),
        ("spelling", spelling, close_popup),
        ("side-by-side", pair, lambda: frame.show_chat(told)),
        *picture_screens(frame, chat, told),
    ]


def open_menu_on(chat: ChatDesk, word: str) -> None:
    """The menu of a misspelled word, once it says what may be meant; the word itself stays in sight."""
    cursor = chat.field.document().find(word)
    chat.field.setTextCursor(QTextCursor(cursor.block()))
    cursor.setPosition(cursor.selectionStart() + 3)
    place = chat.field.cursorRect(cursor).center()
    where = chat.field.viewport().mapToGlobal(place + QPoint(0, 8))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, where)
    QApplication.sendEvent(chat.field.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    chat.wait(lambda: "receives" in lines(menu), TIMEOUT_MS)
    menu.move(where.x() + 60, where.y() - menu.sizeHint().height() + 40)  # the word is to be seen


def invent_pair(conversations: Conversations) -> int:
    """A chat with two answers to its question, by two models; its id."""
    chat = conversations.create(title="Weather and climate")
    question = conversations.add_message(chat.id, None, Role.USER, QUESTION)
    for text, model in ((FIRST, SMALL), (SECOND, LARGE)):
        conversations.add_message(chat.id, question.id, Role.ASSISTANT, text, model=model)
    return chat.id


def picture_screens(frame: Frame, chat: ChatDesk, told: int) -> list[tuple[str, Step, Step]]:
    """A question with pictures, and one of them large."""
    made: list[int] = []

    def sent() -> None:
        if not made:
            made.append(invent_pictures(frame))
        frame.show_tab("chat")
        frame.show_chat(made[0])
        chat.wait(lambda: all(one.has_picture for one in chat.root.findChildren(SentPicture)), TIMEOUT_MS)

    def large() -> None:
        sent()
        chat.click(chat.root.findChildren(SentPicture)[0])
        chat.wait(lambda: not frame.find_step(LargePicture).canvas.image.isNull(), TIMEOUT_MS)

    return [
        ("pictures-sent", sent, lambda: frame.show_chat(told)),
        ("picture-large", large, lambda: frame.find_step(LargePicture).close()),
    ]


def invent_pictures(frame: Frame) -> int:
    """A chat about two pictures; its id."""
    conversations, library = frame.app.conversations, frame.app.media
    chat = conversations.create(title="Which evening was it?")
    question = conversations.add_message(chat.id, None, Role.USER, "Which of these was taken later in the day?")
    with TemporaryDirectory() as folder:
        for name, sky in (("harbour.jpg", ("#7FB2D9", "#F4E3C1")), ("lake.jpg", ("#1B2A49", "#E07A3F"))):
            path = Path(folder) / name
            draw_evening(*sky).save(str(path), quality=92)
            conversations.media.add_uses(question.id, [(library.add_picture(path).sha256, name, 0)])
    answer = conversations.add_message(
        chat.id,
        question.id,
        Role.ASSISTANT,
        "The second: its sky is dark above and still red at the lake.",
        model=LARGE,
    )
    stats = AnswerStats(571, 0, 14, 2.1, 9.4, FinishReason.STOP, media_tokens=512, encoded_media=2)
    conversations.finish_message(answer.id, answer.text, MessageState.COMPLETE, stats)
    return chat.id


def draw_evening(high: str, low: str) -> QImage:
    """A sky over water."""
    image = QImage(1200, 800, QImage.Format.Format_RGB32)
    painter, sky = QPainter(image), QLinearGradient(0, 0, 0, 800)
    for at, colour in ((0.0, high), (0.5, low), (0.52, "#34506B"), (1.0, "#0E1A2B")):
        sky.setColorAt(at, QColor(colour))
    painter.fillRect(image.rect(), sky)
    painter.setBrush(QColor("#FFE9B0"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(720, 300, 96, 96)
    painter.end()
    return image
