"""`chat` in the terminal: one question, or a conversation.

Ctrl+C stops an answer; what was written stays.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from app import APP_NAME, __version__
from app.cli import terminal
from app.cli.passage_model import add_model_argument
from app.core.catalogue import tr
from app.core.errors.app_error import AppError
from app.core.errors.request_errors import ChatUnavailable, MediaRefused
from app.core.events import (
    AnswerStats,
    CancelToken,
    Finished,
    FinishReason,
    LookProgress,
    Media,
    Message,
    ModelLoaded,
    Role,
    TextDelta,
)
from app.core.joined_texts import join_clauses, join_entries
from app.core.lazy_dataclasses import asdict, dataclass, replace
from app.core.paths import AppPaths, runs_elsewhere
from app.core.settings import Settings
from app.core.visible import clean_text
from app.engine.contract import Engine, ensure_loaded
from app.engine.protocol import OPEN
from app.features.assistants import conversation_of
from app.features.chat.chat_options import options_for
from app.features.document_frames import page_mark
from app.features.document_library import build_documents
from app.features.error_messages import sentence_for
from app.features.models.model_engines import build_engine
from app.features.models.model_names import display_name
from app.features.retrieval.support_messages import unsupported_words
from app.store.assistant_store import Assistant, AssistantStore
from app.store.database import Database

if TYPE_CHECKING:
    from app.cli.chat_tools import LentTools
    from app.features.chat.document_question import CitedSentence
    from app.features.retrieval.support import AnswerSupport

NO_SUCH_ASSISTANT = "There’s no assistant named {name}."
POSSIBLE_SOURCES = "Possible sources: {places}."


def add_arguments(chat: argparse.ArgumentParser) -> None:
    chat.add_argument("-p", "--prompt", metavar="TEXT", help=tr("the question; default: standard input"))
    chat.add_argument(
        "--image", metavar="FILE", nargs="+", type=Path, default=[], help=tr("pictures to send with the question")
    )
    chat.add_argument(
        "--document", metavar="FILE", nargs="+", action="extend", type=Path, default=[],
        help=tr("documents or folders to ask about; the answer names its sources"),
    )  # fmt: skip
    add_model_argument(chat)
    terminal.add_password(chat)
    chat.add_argument(
        "--checker", metavar="PATH", type=Path,
        help=tr("report which parts of an answer the documents don’t support; see summarize --help"),
    )  # fmt: skip
    terminal.add_model_option(chat)
    chat.add_argument("--system", metavar="TEXT", help=tr("instructions for the whole chat"))
    chat.add_argument(
        "--assistant",
        metavar="NAME",
        help=tr("use the instructions, model and settings of this assistant; other options override them"),
    )
    chat.add_argument(
        "--tools",
        action="store_true",
        help=tr(
            "let the model calculate, check dates, read what you name, and use tool servers and the web if they’re on"
        ),
    )
    chat.add_argument(
        "--allow", metavar="TOOL", action="append", default=[],
        help=tr(
            "a tool or website that needn’t ask; can be given several times. Without a terminal "
            "others are refused"
        ),
    )  # fmt: skip
    chat.add_argument(
        "--folder", metavar="FOLDER", action="append", type=Path, default=[],
        help=tr("a folder that the tools read files from; can be given several times"),
    )  # fmt: skip
    chat.add_argument("--max-tokens", metavar="N", type=terminal.parse_positive, help=tr("longest answer, in tokens"))
    terminal.add_sampling(chat)
    terminal.add_json(chat, run_chat)


@dataclass
class ChatRun:
    """A terminal chat: the parts it needs and its options."""

    engine: Engine
    settings: Settings
    options: argparse.Namespace
    model: ModelLoaded
    assistant: Assistant | None = None
    tools: LentTools | None = None

    def answer(self, messages: list[Message], out: TextIO | None) -> tuple[str, AnswerStats]:
        """Answer a conversation, streaming text without thinking to `out`; Ctrl+C stops it."""
        text: list[str] = []
        # A token of its own for each answer: Ctrl+C stops that answer, not the conversation.
        with terminal.interruptible_token() as cancel:
            for event in self._answer_events(messages, cancel):
                # Thinking would not be told from the answer in a pipe.
                if isinstance(event, TextDelta) and not event.thinking:
                    text.append(event.text)
                    if out is not None:
                        out.write(event.text)
                        # Standard output is buffered by lines; words are to be seen as they come.
                        out.flush()
                elif isinstance(event, LookProgress) and event.fraction == 0:
                    print(
                        tr("Looking at picture {number} of {total}…", number=event.number, total=event.total),
                        file=sys.stderr,
                    )
                elif isinstance(event, Finished):
                    if event.stats.finish_reason is FinishReason.REPEATED:
                        print("\n" + tr("The answer repeated itself and was stopped."), file=sys.stderr)
                    return "".join(text), event.stats
        # Cancelled, too, it finishes, so what was written is always returned.
        raise AssertionError("an answer always finishes or raises")

    def _answer_events(self, messages: list[Message], cancel: CancelToken) -> Iterator[object]:
        if self.tools is not None:
            return self.tools.answer(self.engine, messages, self._answer_options(), cancel)
        return self.engine.generate(messages, cancel=cancel, **self._answer_options())

    def used_settings(self) -> Settings:
        """Return the settings with the command line's answer length, for which a prompt leaves room."""
        longest = self.options.max_tokens
        chat = replace(self.settings.chat, max_tokens=longest) if longest else self.settings.chat
        return replace(self.settings, chat=chat)

    def _answer_options(self) -> dict[str, Any]:
        """Merge options: command line over assistant over settings."""
        # The same function as the window's chat, so that both answer alike.
        options = options_for(conversation_of(self.assistant), self.settings, self.model)
        asked = terminal.pick_fields(self.options, "temperature", "seed")
        given = {name: value for name, value in asked.items() if value is not None}
        options["sampling"] = replace(options["sampling"], **given)
        if self.options.max_tokens:
            options["max_tokens"] = self.options.max_tokens
        return options


def run_chat(options: argparse.Namespace) -> int:
    """`chat`: one question, or a conversation on a terminal."""
    prompt = options.prompt
    # A pipe with text is a question; a terminal without one begins a conversation.
    if prompt is None and not sys.stdin.isatty():
        prompt = sys.stdin.read().strip()
    wrong = _wrong_usage(options, prompt)
    if wrong:
        print(wrong, file=sys.stderr)
        return 2
    paths = AppPaths.from_environment()
    settings = terminal.stored_settings()
    assistant = None
    if options.assistant is not None and (assistant := _find_assistant(paths, options.assistant)) is None:
        print(tr(NO_SUCH_ASSISTANT, name=options.assistant), file=sys.stderr)
        return 2
    # Without pictures the projector beside the model is not loaded: it would only take memory.
    own = Path(assistant.model) if assistant is not None and assistant.model else None
    with closing(build_engine(paths, sees=bool(options.image))) as engine:
        with terminal.interruptible_token() as cancel:
            model = terminal.load_chosen(engine, options.model or own, settings, cancel)
        if not model.can_chat:
            raise ChatUnavailable(model.path)  # now, not after somebody has typed a question
        chat = ChatRun(engine, settings, options, model, assistant)
        usual = assistant.instructions if assistant is not None else settings.chat.system_prompt
        # `--system ""` means no instructions, so None is told from an empty text.
        system = options.system if options.system is not None else usual
        if options.tools:
            return _run_with_tools(chat, paths, system, prompt)
        return _run_plain(chat, paths, system, prompt)


def _run_plain(chat: ChatRun, paths: AppPaths, system: str, prompt: str | None) -> int:
    """Ask with documents, pictures or neither, or run a conversation."""
    messages = _instruct_model(system)
    if prompt is None:
        return _run_conversation(chat, messages)
    if chat.options.document:
        return _ask_about_documents(chat, paths, system, clean_text(prompt))
    if chat.options.image:
        return _ask_with_pictures(chat, paths, messages, clean_text(prompt))
    return _ask_once(chat, [*messages, Message(Role.USER, clean_text(prompt))])


def _instruct_model(system: str) -> list[Message]:
    return [Message(Role.SYSTEM, clean_text(system))] if system.strip() else []


def _run_with_tools(chat: ChatRun, paths: AppPaths, system: str, prompt: str | None) -> int:
    """Ask, or run a conversation, with the own tools; documents are read by them in place of being shown."""
    from app.cli.chat_tools import lend_tools, unknown_tools

    options, model = chat.options, Path(chat.model.path)
    with ExitStack() as stack:
        # Its token ends before the first answer: each has its own, and Ctrl+C at the prompt quits.
        with terminal.interruptible_token() as cancel:
            lent = lend_tools(
                paths, options.document, options.password, cancel, folders=options.folder, model=model,
                settings=chat.settings, allowed=options.allow,
            )  # fmt: skip
            chat.tools = tools = stack.enter_context(lent)
            if cancel.cancelled:
                return terminal.INTERRUPTED
        if unknown := unknown_tools(tools.tools, options.allow):
            print(unknown, file=sys.stderr)
            return 2
        messages = _instruct_model("\n\n".join(filter(str.strip, (system, tools.instructions))))
        if prompt is None:
            return _run_conversation(chat, messages)
        question = Message(Role.USER, clean_text(prompt))
        text, stats = chat.answer([*messages, question], None if options.json else sys.stdout)
        return _print_answer(chat, text, stats, tools.to_fields())


def _wrong_usage(options: argparse.Namespace, prompt: str | None) -> str:
    """Return a message about options that don't go together; "" if all is well."""
    if prompt is None and (options.json or options.image or options.document):
        option = "--json" if options.json else "--image" if options.image else "--document"
        return tr("{option} needs -p TEXT or text on standard input.", option=option)
    if options.prompt is None and prompt == "":
        return tr("No text on standard input. Use -p TEXT.")
    if (options.folder or options.allow) and not options.tools:
        return tr("{option} needs --tools.", option="--folder" if options.folder else "--allow")
    if options.tools and (options.image or options.checker):
        return tr("Use --tools or {option}, not both.", option="--image" if options.image else "--checker")
    return tr("Use --document or {option}, not both.", option="--image") if options.image and options.document else ""


def _find_assistant(paths: AppPaths, name: str) -> Assistant | None:
    """Return the last used assistant of that name; None if there is none."""
    if not paths.database.exists():
        return None
    with closing(Database.open(paths.database)) as database:
        # Names are compared as a person writes them; the store has them last used first.
        wanted = name.strip().casefold()
        return next(
            (assistant for assistant in AssistantStore(database).all() if assistant.name.casefold() == wanted), None
        )


def _ask_with_pictures(chat: ChatRun, paths: AppPaths, messages: list[Message], prompt: str) -> int:
    """Ask with pictures.

    Unreadable ones are reported and left out; if none is left, nothing is asked. No copies are kept.
    """
    from app.features.media import PICTURE, MediumAdded, PassingLibrary
    from app.store.media_store import MediaStore

    media: dict[Path, Media] = {}
    errors: list[dict[str, str]] = []
    # Nothing that is asked here is kept, so the pictures' store is in memory.
    with closing(Database.in_memory()) as database, terminal.interruptible_token() as cancel:
        library = PassingLibrary(MediaStore(database), paths.decoded, paths.documents)
        try:
            for added in library.add_several(chat.options.image, cancel):
                if isinstance(added, MediumAdded):
                    media[added.path] = library.decode_media(added.media)
                    continue
                sentence = sentence_for(added.error)
                errors.append({"file": str(added.path), "reason": sentence.text})
                print(sentence, file=sys.stderr)
            # Each unreadable one was reported above.
            if cancel.cancelled or not media:
                return terminal.INTERRUPTED if cancel.cancelled else 1
            # After reading, so that a file which is none is told first, and before the model computes.
            if not chat.model.sees:
                raise MediaRefused(str(next(iter(media))), PICTURE, "blind")
            more: dict[str, Any] = {"images": _count_media(chat.engine, media)} | ({"errors": errors} if errors else {})
            return _ask_once(chat, [*messages, Message(Role.USER, prompt, tuple(media.values()))], more)
        finally:
            # The decoded copies are on disk, in the cache.
            library.remove_all()


def _count_media(engine: Engine, media: dict[Path, Media]) -> list[dict[str, Any]]:
    """Return each file with its size as the model sees it, and its tokens."""
    found = zip(media.items(), engine.count_media(list(media.values())), strict=True)
    return [
        {"file": str(path), "width": count.width or media.width, "height": count.height or media.height}
        | {"tokens": count.tokens}
        for (path, media), count in found
    ]


def _ask_about_documents(chat: ChatRun, paths: AppPaths, system: str, prompt: str) -> int:
    """Ask about documents.

    Unreadable ones are reported and left out; if none is left, nothing is asked. Nothing of them is stored.
    """
    from app.cli.input_files import InputFiles, files_of
    from app.cli.passage_model import passage_model
    from app.features.chat.document_question import DocumentQuestion
    from app.features.claim_checker.conversion import open_checker

    # Opened before anything is read: a wrong path is told at once, not after the answer.
    checker = open_checker(chat.options.checker.expanduser().absolute()) if chat.options.checker is not None else None
    with closing(Database.in_memory()) as database:
        with (
            terminal.interruptible_token() as cancel,
            passage_model(paths, chat.options.passage_model, cancel) as model,
        ):
            # The vectors are made when a question first ranks, for the documents that could be read alone.
            documents = build_documents(paths, database, rank_by_model=model.rank_prepared)
            inputs = InputFiles(documents, chat.options.password, cancel)
            inputs.read_all(files_of(chat.options.document))
            if cancel.cancelled or not inputs.documents:
                return terminal.INTERRUPTED if cancel.cancelled else 1
            question = DocumentQuestion(database, documents, chat.engine, chat.used_settings)
            ids = [document.id for document in inputs.documents]
            messages = question.build_prompt(prompt, ids, system, cancel, conversation_of(chat.assistant))
            if cancel.cancelled:
                return terminal.INTERRUPTED
        # With `--json` nothing is streamed: standard output carries one object.
        text, stats = chat.answer(messages, None if chat.options.json else sys.stdout)
        # Looked up in the answer after it is whole: a citation is of a whole sentence.
        cited, support = question.find_grounds(text)
        shown = question.shown_passages()
        doubted = None
        if checker is not None:
            # The checker gets the passages as the model saw them.
            doubted = _find_unsupported(checker, paths, prompt, [passage.text for passage in shown], text)
        if chat.options.json:
            passages = [
                {"file": passage.document.name, "page": passage.page, "text": passage.text} for passage in shown
            ]
            places = [
                {"file": cited_sentence.document.name, "page": cited_sentence.page, "sentence": cited_sentence.text}
                # The JSON's names are a contract with scripts; they are not those of the classes.
                for cited_sentence in cited
            ]
            more: dict[str, Any] = {"passages": passages, "places": places, "support": support.value}
            more |= {} if doubted is None else {"unsupported": doubted}
            return _print_answer(chat, text, stats, more | ({"errors": inputs.errors} if inputs.errors else {}))
        code = _print_answer(chat, text, stats)
        print(_grounds_words(cited, support), file=sys.stderr)
        if doubted:
            print(unsupported_words(doubted), file=sys.stderr)
        return code


def _find_unsupported(checker: Path, paths: AppPaths, question: str, passages: Sequence[str], answer: str) -> list[str]:
    """Return the parts of an answer that a claim checker doubts; empty when interrupted."""
    # Imported here: only an answer with `--checker` needs it.
    from app.features.claim_checker.checker import find_unsupported, question_prompt

    # An engine of its own: the chat's holds the chat's model.
    with terminal.interruptible_token() as cancel, closing(build_engine(paths)) as engine:
        is_loaded = ensure_loaded(engine, checker, OPEN, cancel=cancel)
        asked = question_prompt(question, passages)
        spans = find_unsupported(engine, asked, answer, cancel) if is_loaded else ()
    return [answer[start:end] for start, end in spans]


def _grounds_words(cited: Sequence[CitedSentence], support: AnswerSupport) -> str:
    """Format an answer's citations, or that the documents don't say it."""
    places = [
        join_entries(
            filter(None, [cited_sentence.document.name, page_mark(cited_sentence.document.unit, cited_sentence.page)])
        )
        for cited_sentence in cited
    ]
    if support == "not_found" or not places:
        return tr("Not found in the documents.")
    # "May": a citation is what resembles the sentence, not what the model had in mind.
    words = tr(POSSIBLE_SOURCES, places=join_clauses(dict.fromkeys(places)))
    return words if support == "supported" else f"{words} {tr('Parts of the answer weren’t found in the documents.')}"


def _ask_once(chat: ChatRun, messages: list[Message], more: dict[str, Any] | None = None) -> int:
    text, stats = chat.answer(messages, None if chat.options.json else sys.stdout)
    return _print_answer(chat, text, stats, more)


def _print_answer(chat: ChatRun, text: str, stats: AnswerStats, more: dict[str, Any] | None = None) -> int:
    """Print the JSON object, or end the text; return the exit code."""
    if chat.options.json:
        told = asdict(stats)
        # Nobody gives stop strings here, and other programs know the other fields.
        for name in ("stop", "drafted_tokens", "kept_tokens", "drafts_ended"):
            del told[name]
        if not chat.options.image:  # who asks without pictures knows nothing of them
            told = {name: value for name, value in told.items() if "media" not in name}
        terminal.print_json({"text": text, "model": Path(chat.model.path).name} | told | (more or {}))
    else:
        print()
    return terminal.INTERRUPTED if stats.finish_reason is FinishReason.CANCELLED else 0


def _run_conversation(chat: ChatRun, messages: list[Message]) -> int:
    """Run the interactive chat: Ctrl+C stops an answer, Ctrl+D or /quit ends."""
    path = Path(chat.model.path)
    name = chat.model.name if runs_elsewhere(path) else display_name(path)
    print(
        tr(
            "{app} {version}, {model}. Press Ctrl+C to stop an answer, Ctrl+D to quit.",
            app=APP_NAME,
            version=__version__,
            model=name,
        ),
        file=sys.stderr,
    )
    while True:
        try:
            line = input("› ").strip()
        except (EOFError, KeyboardInterrupt):
            # The shell's next prompt begins on its own line.
            print(file=sys.stderr)
            return 0
        if line == "/quit":
            return 0
        if not line:
            continue
        messages.append(Message(Role.USER, clean_text(line)))
        try:
            text, _ = chat.answer(messages, sys.stdout)
            messages.append(Message(Role.ASSISTANT, text))
        except AppError as error:
            # The question that failed is not sent again with the next one.
            messages.pop()
            print(sentence_for(error), file=sys.stderr)
        print()
