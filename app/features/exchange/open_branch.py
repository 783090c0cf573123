"""Export open branches of chats for reading: turns with names, as Markdown or one HTML page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

from app import APP_NAME
from app.core.catalogue import Translatable, fill_value, language_in_use, tr
from app.core.events import Role
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass
from app.core.visible import Moment, visible_name
from app.features.document_frames import page_mark
from app.features.exchange import markup
from app.features.exchange.chat_file import ChatArchive, Written
from app.features.retrieval.support import is_marked_not_found, quote_parts, unsupported_parts
from app.features.retrieval.support_messages import unsupported_words
from app.features.summarize.export import escape_markdown
from app.features.work.web_page import page_style, web_page
from app.language.scripts import is_right_to_left
from app.store.attachments import DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import MessageState, TreeMessage
from app.store.media_store import MediaUse

YOU = "You"
INSTRUCTIONS = "Instructions"
PICTURE = "Picture: {name}"
_ENDED: dict[MessageState, Translatable] = {
    MessageState.STOPPED: "Stopped before the end.",
    MessageState.INTERRUPTED: "Interrupted before the end.",
    MessageState.WRITING: "Still being written.",
    MessageState.FAILED: "No answer.",
}


@dataclass(frozen=True)
class ExportedTurn:
    """A message.

    Questions are plain text, answers Markdown. `thinking` is "" if not wanted. `facts` are lines about it:
    attachments, how it ended, citations.
    """

    is_question: bool
    name: str
    at: str
    text: str
    thinking: str
    thinking_words: str
    facts: tuple[str, ...]
    pictures: tuple[MediaUse, ...] = ()


@dataclass(frozen=True)
class OpenBranch:
    """A chat. Turns are read from the store on iteration, once."""

    title: str
    facts: tuple[str, ...]
    instructions: str
    turns: Iterator[ExportedTurn]


def open_branches(chats: Sequence[Conversation], shelf: ChatArchive, *, with_thinking: bool) -> Iterator[OpenBranch]:
    """Yield the branches in the chats' order."""
    # Read turn by turn while writing, so that a long chat is never held whole.
    for chat in chats:
        yield OpenBranch(
            visible_name(chat.title) or tr("Chat"),
            (_origin_words(chat),),
            chat.system_prompt.strip(),
            (
                _export_turn(tree_message, shelf, with_thinking=with_thinking)
                for tree_message in shelf.whole.iterate_branch(chat.id)
            ),
        )


def _origin_words(chat: Conversation) -> str:
    began, now = Moment(chat.created_at), Moment(time.time())
    return tr("Started on {began}. Exported from {app} on {now}.", began=began, app=APP_NAME, now=now)


def _export_turn(message: TreeMessage, shelf: ChatArchive, *, with_thinking: bool) -> ExportedTurn:
    is_question = message.role is Role.USER
    model = visible_name(message.model.removesuffix(".gguf"))
    thinking = tr("Thinking")
    if message.thinking_s is not None:
        thinking = tr("Thinking ({seconds:,.1f} s)", seconds=message.thinking_s)
    return ExportedTurn(
        is_question,
        tr(YOU) if is_question else model or tr("Answer"),
        fill_value(Moment(message.created_at), ""),
        message.text,
        message.thinking if with_thinking else "",
        thinking,
        tuple(_message_facts(message, shelf)),
        tuple(shelf.list_pictures(message.id)),
    )


def _message_facts(message: TreeMessage, shelf: ChatArchive) -> Iterator[str]:
    attached = shelf.attachments.of_messages([message.id]).get(message.id, [])
    documents = [
        shelf.documents.get(attachment.document_id)
        for attachment in attached
        # Passages are of what is attached anyway.
        if attachment.use is not DocumentUse.PASSAGES
    ]
    if names := [visible_name(document.name) for document in documents if document is not None]:
        yield tr("Attached: {names}", names=join_entries(names))
    if message.state in _ENDED:
        yield tr(_ENDED[message.state])
    if is_marked_not_found(message.sources):
        yield tr("Not found in the document")
    parts = unsupported_parts(message.sources)
    quoted, more = quote_parts(message.text, parts) if parts is not None else ([], 0)
    if quoted:
        yield unsupported_words(quoted, more)
    # Several sentences from one page are one source.
    if places := list(dict.fromkeys(_message_places(message, shelf))):
        yield tr("Sources: {places}", places=join_entries(places))


def _message_places(message: TreeMessage, shelf: ChatArchive) -> Iterator[str]:
    for source in message.sources:
        document = shelf.documents.get(int(source.get("document_id", 0)))  # marks have none
        if document is not None:
            # A name of a file may hold signs that turn the line around.
            page, name = source.get("page"), visible_name(document.name)
            yield f"{name}, {page_mark(document.unit, page)}" if page else name


Place = Callable[[MediaUse], str]
"""Returns a picture's path or address as the file's reader sees it; "" if there is none."""


def as_markdown(branches: Iterable[OpenBranch], place: Place = lambda _use: "") -> Iterator[Written]:
    """Yield the Markdown file turn by turn. Answers stay Markdown; questions stay verbatim."""
    answers = 0
    for number, branch in enumerate(branches):
        head = [f"# {escape_markdown(branch.title)}", *(f"*{escape_markdown(fact)}*" for fact in branch.facts)]
        if branch.instructions:
            head.append(f"**{escape_markdown(tr(INSTRUCTIONS))}**\n\n{_quote_lines(branch.instructions)}")
        # A rule between two chats, none before the first.
        yield ("\n\n---\n\n" if number else "") + "\n\n".join(head) + "\n", 0
        for turn in branch.turns:
            answers += not turn.is_question
            yield "\n" + "\n\n".join(_markdown_of(turn, answers, place)) + "\n", 1


def _markdown_of(turn: ExportedTurn, number: int, place: Place) -> Iterator[str]:
    yield f"## {escape_markdown(turn.name)}, {turn.at}"
    if turn.thinking.strip():
        yield f"> **{escape_markdown(turn.thinking_words)}**\n>\n{_quote_lines(turn.thinking)}"
    for use in turn.pictures:
        at = place(use)
        yield f"![{escape_markdown(use.name)}](<{at}>)" if at else f"*{escape_markdown(_picture_line(use))}*"
    if turn.text.strip():
        yield _typed_lines(turn.text) if turn.is_question else markup.as_markdown(turn.text, number)
    yield from (f"*{escape_markdown(fact)}*" for fact in turn.facts)


def _picture_line(use: MediaUse) -> str:
    return tr(PICTURE, name=use.name)


def _typed_lines(text: str) -> str:
    """Escape a typed text so that its lines are kept; text with a code fence is taken as Markdown."""
    # Typed Markdown with code is meant as Markdown.
    if "```" in text:
        return markup.as_markdown(text)
    # Each line is kept as it was typed: a backslash before the break.
    lines = [f"{_indent_line(line)}{escape_markdown(line.strip())}" for line in markup.split_lines(text.strip("\n"))]
    return "\n".join(f"{line}\\" if line.strip() and after.strip() else line for line, after in _line_pairs(lines))


def _indent_line(line: str) -> str:
    # Blanks at a line's start would make code, or vanish.
    return "\u00a0" * (len(line) - len(line.lstrip()))


def _line_pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    yield from zip(lines, [*lines[1:], ""], strict=True)


def _quote_lines(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _typed_lines(text).split("\n"))


_STYLE = page_style(
    """h2 { font-size: 1em; margin: 2em 0 .3em }
.at, .fact, .language { color: #6B645D; font-size: .85em; font-weight: normal }
.question { background-color: #F1EDE8; border-radius: .6em; padding: .6em .9em; white-space: pre-wrap }
.thinking { color: #6B645D; border-left: .2em solid #CFC8C0; padding-left: .8em; white-space: pre-wrap }
pre { background-color: #F1EDE8; padding: .6em .9em; overflow-x: auto }
.formula { white-space: pre-wrap }
code { font-family: "JetBrains Mono", monospace; font-size: .92em }
img { max-width: 100%; max-height: 30em; border-radius: .5em }
table { border-collapse: collapse }
th, td { border: 1px solid #CFC8C0; padding: .2em .6em }
blockquote { border-left: .2em solid #CFC8C0; margin-left: 0; padding-left: .8em }
a { color: #B23F12 }
""",
    """  .at, .fact, .language, .thinking { color: #A8A098 }
  .question, pre { background-color: #2A2623 }
  th, td, blockquote, .thinking { border-color: #4A443E }
  a { color: #F08A5D }
""",
    width=48,
    is_tinted=True,
    ending="""@media print {
  body { color: #23201D; background-color: #FFFFFF }
  .question, pre { background-color: #F1EDE8 }
}
""",
)


def as_html(branches: Iterable[OpenBranch], title: str, place: Place = lambda _use: "") -> Iterator[Written]:
    """Yield one HTML page without scripts or network, turn by turn."""
    # Split at a sign that no page holds, so that head and end come from one place.
    before, after = "\n".join(web_page(["\0"], title, _STYLE, language=language_in_use())).split("\0")
    yield before, 0
    for branch in branches:
        yield "\n".join(_html_head(branch)), 0
        for turn in branch.turns:
            yield "\n".join(_html_of(turn, place)), 1
    yield after + "\n", 0


def _html_head(branch: OpenBranch) -> Iterator[str]:
    yield f'<h1 dir="auto">{escape(branch.title)}</h1>'
    yield from (f'<p class="fact">{escape(fact)}</p>' for fact in branch.facts)
    if branch.instructions:
        yield f'<p class="fact">{escape(tr(INSTRUCTIONS))}</p>'
        yield _marked_text("thinking", branch.instructions)


def _html_of(turn: ExportedTurn, place: Place) -> Iterator[str]:
    yield f'\n<h2><span dir="auto">{escape(turn.name)}</span> <span class="at">{escape(turn.at)}</span></h2>'
    if turn.thinking.strip():
        yield f'<details><summary><span class="fact">{escape(turn.thinking_words)}</span></summary>'
        yield f"{_marked_text('thinking', turn.thinking)}</details>"
    for use in turn.pictures:
        at, name = place(use), escape(use.name)
        yield f'<p><img src="{at}" alt="{name}"></p>' if at else f'<p class="fact">{escape(_picture_line(use))}</p>'
    if turn.text.strip():
        yield _marked_text("question", turn.text) if turn.is_question else markup.as_html(turn.text)
    yield from (f'<p class="fact" dir="auto">{escape(fact)}</p>' for fact in turn.facts)


def _marked_text(kind: str, text: str) -> str:
    """Return a text as HTML.

    Line breaks are kept by the style and also marked for readers without it, such as printing.
    """
    # The printer doesn't look for the direction itself.
    side = "rtl" if is_right_to_left(text[:2_000]) else "auto"
    return f'<div class="{kind}" dir="{side}">{escape(text.strip(chr(10))).replace(chr(10), "<br>")}</div>'
