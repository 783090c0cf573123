"""`chats …` in the terminal: which there are, to a file, and from the files of this and other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from app.cli import terminal
from app.core.catalogue import CountedTexts, tr, tr_count
from app.core.counted_units import count_units
from app.core.errors.app_error import AppError
from app.core.errors.exchange_errors import ChatsUnreadable
from app.core.events import CancelToken
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, field
from app.core.paths import AppPaths
from app.core.visible import settle_directions
from app.features.error_messages import sentence_for
from app.features.exchange import chat_import
from app.features.exchange.chat_export import ENDINGS, ExportFinished, export_chats
from app.features.exchange.chat_file import ChatArchive, build_shelf
from app.features.media import build_media
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.projects import Projects, Tags
from app.store.whole_conversations import WholeConversations

NO_TITLE = "(no title)"
CHOOSE_CHATS = "Choose chats by number (see `chats list`) or use --all."
NO_SUCH_CHAT = "There’s no chat {number}."
Work = Callable[[Database, CancelToken, argparse.Namespace], int]


WERE_HERE: CountedTexts = ("{count} chat was already here.", "{count} chats were already here.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, work: Work, text: str) -> argparse.ArgumentParser:
        part: argparse.ArgumentParser = parts.add_parser(name, help=text, description=text)
        terminal.add_json(part, lambda options: _run_work(work, options))
        return part

    listing = add("list", list_chats, tr("list chats with their numbers, most recently used first"))
    listing.add_argument("text", metavar="TEXT", nargs="*", help=tr("only chats with these words in the title"))
    export = add("export", export_to_file, tr("export chats to a file"))
    # Numbers are the chats' ids, as `list` prints them.
    export.add_argument(
        "number", metavar="NUMBER", nargs="*", type=int, help=tr("number of a chat, as shown by `chats list`")
    )
    export.add_argument("--all", action="store_true", help=tr("export all chats"))
    export.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        # Checked while options are parsed: no work is done for a file that cannot be written.
        type=_with_known_ending,
        required=True,
        help=tr(
            "the extension sets the format: .json keeps every branch and can be imported again; .md, "
            ".html and .docx hold the open branch"
        ),
    )
    export.add_argument("--thinking", action="store_true", help=tr("include thinking (.md, .html, .docx)"))
    bring = add(
        "import",
        import_from_files,
        tr(
            "import chats from Fireside, ChatGPT, Claude, LM Studio, Jan or Open WebUI: an export, zipped or not, or "
            "the program’s chat folder"
        ),
    )
    bring.add_argument("path", metavar="PATH", nargs="+", type=Path)
    bring.add_argument("--copies", action="store_true", help=tr("import existing chats again, as copies"))


def _with_known_ending(text: str) -> Path:
    path = Path(text)
    # Before a database is opened, so that a slip costs nothing.
    if path.suffix.lower() not in ENDINGS:
        raise argparse.ArgumentTypeError(tr(terminal.END_IN_ONE, endings=join_entries(ENDINGS)))
    return path


def _run_work(work: Work, options: argparse.Namespace) -> int:
    # Opening it brings it up to date, as the window does.
    path = AppPaths.from_environment().database
    with closing(Database.open(path)) as database, terminal.interruptible_token() as cancel:
        return work(database, cancel, options)


def list_chats(database: Database, _cancel: CancelToken, options: argparse.Namespace) -> int:
    whole, chats = WholeConversations(database), Conversations(database).find(" ".join(options.text))
    if options.json:
        around = _project_and_tags(database)
        counted = ((chat, {"messages": whole.message_count(chat.id)}) for chat in chats)
        terminal.print_json({"chats": [_chat_fields(chat) | around(chat) | messages for chat, messages in counted]})
        return 0
    for chat in chats:
        # Titles are other people's texts in imported chats: directions in them are closed, so that they stay in their
        # line.
        print(f"{chat.id}  {settle_directions(chat.title) or tr(NO_TITLE)}")
    if not chats:
        print(tr("No chats found.") if options.text else tr("No chats yet."))
    return 0


def _chat_fields(chat: Conversation) -> dict[str, Any]:
    return terminal.pick_fields(chat, "id", "title", "model", "created_at", "updated_at", "pinned")


def _project_and_tags(database: Database) -> Callable[[Conversation], dict[str, Any]]:
    """Return a function for a chat's project (null for none) and tags, by name."""
    projects = {project.id: project.name for project in Projects(database).all()}
    # All tags of all chats at once: one query, not one for each chat.
    tags = Tags(database)
    names, of_chats = {chat_tag.id: chat_tag.name for chat_tag in tags.all()}, tags.of_chats()
    return lambda chat: {
        "project": projects.get(chat.project_id or 0),
        "tags": [names[number] for number in of_chats.get(chat.id, ())],
    }


def export_to_file(database: Database, cancel: CancelToken, options: argparse.Namespace) -> int:
    """`export`: nothing is left of one that is interrupted."""
    # Neither or both.
    if bool(options.number) == options.all:
        print(tr(CHOOSE_CHATS), file=sys.stderr)
        return 2
    conversations = Conversations(database)
    chats = conversations.find() if options.all else [conversations.get(number) for number in options.number]
    found = [chat for chat in chats if chat is not None]
    # Nothing is exported of an incomplete choice: a script would take the file for whole.
    if len(found) < len(chats):
        missing = next(number for number, chat in zip(options.number, chats, strict=True) if chat is None)
        print(tr(NO_SUCH_CHAT, number=missing), file=sys.stderr)
        return 1
    path, line = options.output.expanduser().absolute(), terminal.TerminalProgress()
    done = None
    shelf = build_shelf(database, build_media(AppPaths.from_environment(), database))
    for event in export_chats(path, found, shelf, cancel, with_thinking=options.thinking):
        if isinstance(event, ExportFinished):
            done = event
        else:
            line.show(
                tr("Writing"),
                tr_count("{done:,} of {count} message", "{done:,} of {count} messages", event.total, done=event.done),
            )
    line.end()
    if done is None or done.is_cancelled:
        return terminal.INTERRUPTED
    if options.json:
        body = {"path": str(path), "format": path.suffix[1:].lower()}
        terminal.print_json(body | terminal.pick_fields(done, "chats", "messages"))
    else:
        print(path)
    return 0


@dataclass
class _ImportTotals:
    """Counts of what was imported so far."""

    chats: list[dict[str, Any]] = field(default_factory=list)
    continued: list[dict[str, Any]] = field(default_factory=list)
    already_here: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    not_read: int = 0


def import_from_files(database: Database, cancel: CancelToken, options: argparse.Namespace) -> int:
    """`import`: whole chats stay of one that is interrupted."""
    came, line = _ImportTotals(), terminal.TerminalProgress()
    shelf = build_shelf(database, build_media(AppPaths.from_environment(), database))
    # A file that fails does not stop the others.
    failures: list[AppError] = []
    for path in options.path:
        if cancel.cancelled:
            break
        try:
            _import_file(path.expanduser().absolute(), shelf, cancel, options, came=came, line=line)
        except ChatsUnreadable as error:
            line.end()
            failures.append(error)
            came.errors.append({"file": str(path), "chat": None, "reason": error.reason})
            print(sentence_for(error).text, file=sys.stderr)
    line.end()
    if options.json:
        terminal.print_json(terminal.pick_fields(came, "chats", "continued", "already_here", "errors"))
    else:
        _print_totals(came)
    if cancel.cancelled:
        return terminal.INTERRUPTED
    # A file in which all is here already was read well. A failure is told by the exit code only where nothing came.
    return 0 if came.chats or came.continued or came.already_here or not (failures or came.not_read) else 1


def _import_file(
    path: Path,
    shelf: ChatArchive,
    cancel: CancelToken,
    options: argparse.Namespace,
    *,
    came: _ImportTotals,
    line: terminal.TerminalProgress,
) -> None:
    for event in chat_import.import_chats(path, shelf, cancel, with_copies=options.copies):
        match event:
            case chat_import.ImportProgress() if event.total_bytes:
                line.show(tr("Reading {name}", name=path.name), f"{event.done_bytes / event.total_bytes:.0%}")
            case chat_import.ChatImported():
                fields = {"id": event.conversation_id, "title": event.title, "program": chat_import.KINDS[event.kind]}
                came.chats.append(fields | {"messages": event.messages, "left_out": dict(event.left_out)})
                # Pictures and other parts that this program has no place for.
                if words := chat_import.left_out_words(event.left_out):
                    line.end()
                    print(f"{settle_directions(event.title)}: {words}.", file=sys.stderr)
            case chat_import.ChatContinued():
                fields = {"id": event.conversation_id, "title": event.title, "program": chat_import.KINDS[event.kind]}
                came.continued.append(fields | {"messages": event.messages, "left_out": dict(event.left_out)})
            case chat_import.ChatIsHere():
                came.already_here.append({"id": event.conversation_id, "title": event.title})
            case chat_import.ChatNotRead():
                # The progress line is ended before a sentence, or they would share a line.
                line.end()
                name = settle_directions(event.title or event.file)
                came.errors.append({"file": event.file, "chat": event.title or None, "reason": event.reason})
                print(
                    tr(
                        "Couldn’t read a chat ({name}): {reason}.",
                        name=name,
                        reason=chat_import.not_read_words(event.reason),
                    ),
                    file=sys.stderr,
                )
            case chat_import.ImportFinished():
                came.not_read += event.not_read


def _print_totals(came: _ImportTotals) -> None:
    if came.chats or came.already_here or came.not_read:
        print(tr_count("{count} chat imported.", "{count} chats imported.", len(came.chats)))
    if came.continued:
        new = sum(fields["messages"] for fields in came.continued)
        print(
            tr(
                "Added {messages} to {chats}.",
                messages=count_units("message", new),
                chats=count_units("existing chat", len(came.continued)),
            )
        )
    if came.already_here:
        print(tr_count(*WERE_HERE, len(came.already_here)), tr("Use --copies to import copies."))
    if came.not_read:
        print(tr_count("{count} chat couldn’t be read.", "{count} chats couldn’t be read.", came.not_read))
