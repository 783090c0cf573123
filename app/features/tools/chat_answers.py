"""Answers of a chat whose tools are switched on: the rounds, and the steps as they are kept with the answer."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.events import CANCELLED, CancelToken, Finished, FunctionCall, Message, TextDelta, TokenChosen
from app.core.lazy_dataclasses import dataclass, replace
from app.features.chat.answer_service import DocumentsShown
from app.features.chat.tool_questions import ToolAsks, ToolQuestion
from app.features.chat.tool_steps import ASKING, LEFT_OUT, RUNNING, AnswerSteps, StepsChanged, ToolStep, failed_step
from app.features.retrieval.source_places import SourcePlace
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import CallWay
from app.features.tools.permissions import GrantBook, PermissionAnswer, ToolPermissions, describe_call, offer_answers
from app.features.tools.round_events import RoundsEnded, StepBegan, StepEnded, StepState, ToolsChosen
from app.features.tools.rounds import MOST_ROUNDS, ToolRounds
from app.features.tools.stored_grants import ChatGrants
from app.features.tools.tool import IsStopped, Tool
from app.features.tools.tool_offer import AddedServers, chat_tools
from app.features.tools.tool_scores import ToolScores
from app.features.write_pages import GREEDY

if TYPE_CHECKING:
    from app.engine.contract import AnswerEvent, Engine
    from app.engine.protocol import Ask
    from app.features.chat.answer_service import AnswerService
    from app.hub.web_fetcher import WebFetcher

ToolEvent = StepsChanged | DocumentsShown | ToolAsks
LIKELIEST = replace(GREEDY, temperature=0.0)
PARAGRAPH = "\n\n"


@dataclass(frozen=True)
class ChatToolSettings:
    """What answers with tools need besides a chat: `cache` holds the scores of models; None for no servers."""

    cache: Path
    servers: AddedServers | None
    grants: ChatGrants
    web: WebFetcher | None = None
    most_rounds: int = MOST_ROUNDS
    folders: Sequence[Path] = ()
    """Those whose files the program's own tools read."""


def answer_in_chat(
    chat: AnswerService,
    messages: Sequence[Message],
    asked: Mapping[str, Any],
    steps: AnswerSteps,
    cancel: CancelToken,
    *,
    settings: ChatToolSettings,
) -> Iterator[AnswerEvent | ToolEvent]:
    """Answer in a chat whose tools are on, in the model's best way of calling where its score is known.

    The steps fill while the events are iterated.
    """
    loaded = chat.engine.loaded
    score = ToolScores(settings.cache).find_score(Path(loaded.path)) if loaded is not None else None
    way = score.best if score is not None else CallWay.LAZY
    web = settings.web
    own = chat_tools(chat, steps.conversation_id, web, steps.question_id, folders=settings.folders)
    tools, is_temporary = list(own), chat.is_temporary
    if settings.servers is not None:
        added = yield from _connect_servers(settings.servers, [tool.name for tool in tools], steps, cancel)
        if cancel.cancelled:  # sent with a cancel behind it, a short answer might still come
            yield Finished(CANCELLED)
            return
        tools += added
    book = settings.grants.of_chat(chat.conversations, steps.conversation_id, is_temporary=is_temporary)
    # A model would only call in vain what is refused.
    tools = [tool for tool in tools if book.grants.allow_call(tool) is not False]
    asking = PersonAsking(book, is_temporary=is_temporary)
    yield from answer_with_tools(
        chat.engine, tools, messages, asked, cancel, steps=steps, way=way, asking=asking, rounds=settings.most_rounds
    )


def _connect_servers(
    servers: AddedServers, taken: Sequence[str], steps: AnswerSteps, cancel: CancelToken
) -> Generator[ToolEvent, None, Sequence[Tool]]:
    """Return the tools of the servers that are on; a line tells of each that doesn't work."""
    unknown = [ToolStep("", "", "", RUNNING, name) for name in servers.unknown_names]
    if unknown:
        yield StepsChanged(tuple(unknown))
    found = servers.offer_tools(taken, lambda: cancel.cancelled)
    steps.steps += map(failed_step, found.problems)
    if unknown or found.problems:
        yield StepsChanged(tuple(steps.steps))
    return found.tools


class PersonAsking:
    """Asks about calls by events: each is told before the rounds wait for its answer."""

    def __init__(self, book: GrantBook, *, is_temporary: bool = False) -> None:
        self.permissions = ToolPermissions(book, self._wait_for_answer)
        self._is_temporary = is_temporary
        self._questions: dict[str, ToolQuestion] = {}

    def begin_question(self, tool: Tool, call: FunctionCall) -> ToolQuestion:
        """Return the question about a call that is carried out next."""
        asked = describe_call(tool, call, is_temporary=self._is_temporary)
        question = ToolQuestion(asked, offer_answers(tool, is_temporary=self._is_temporary))
        self._questions[call.id] = question
        return question

    def _wait_for_answer(self, _tool: Tool, call: FunctionCall, is_stopped: IsStopped) -> PermissionAnswer | None:
        question = self._questions.pop(call.id, None)
        answer = question.wait_for_answer(is_stopped) if question is not None else None
        return PermissionAnswer(answer) if answer is not None else None


def build_rounds(
    engine: Engine,
    tools: Sequence[Tool],
    asked: Mapping[str, Any],
    permissions: ToolPermissions,
    most_rounds: int = MOST_ROUNDS,
) -> ToolRounds:
    """Build rounds that ask the model as a chat does. `asked` are other fields of `Ask`."""

    def shape_ask(ask: Ask) -> Ask:
        variables = {**ask.template_variables, **asked.get("template_variables", {})}
        # Unless the chat says otherwise, the likeliest call: at a usual temperature a model of 1.5 billion weights
        # called in vain, again and again, where it was right so.
        # As without tools each word comes by itself, behind its token.
        own = {"template_variables": variables, "task_sampling": LIKELIEST, "together_s": 0.0}
        return replace(ask, **{**asked, **own})

    return ToolRounds(engine, tools, permissions, most_rounds=most_rounds, shape_ask=shape_ask)


def answer_with_tools(
    engine: Engine,
    tools: Sequence[Tool],
    messages: Sequence[Message],
    asked: Mapping[str, Any],
    cancel: CancelToken,
    *,
    steps: AnswerSteps,
    asking: PersonAsking,
    way: CallWay = CallWay.LAZY,
    rounds: int = MOST_ROUNDS,
) -> Iterator[AnswerEvent | ToolEvent]:
    """Answer a conversation with tools and note their steps. `asked` are the other fields of `Ask`.

    Words before a call and after it are paragraphs of one answer.
    """
    servers = {tool.name: tool.server for tool in tools}
    running = build_rounds(engine, tools, asked, asking.permissions, rounds)
    has_text = is_parted = False
    tokens: list[TokenChosen] = []
    for event in running.answer(GenerationRequest(tuple(messages), way=way), cancel):
        if isinstance(event, StepBegan):
            is_parted = has_text
            tokens = []  # those of the call are none of the answer's
            state = ASKING if event.asks else RUNNING
            began = ToolStep(event.call.name, event.call.arguments, "", state, servers.get(event.call.name, ""))
            yield StepsChanged((*steps.steps, began))
            if event.asks and event.tool is not None:
                yield ToolAsks(asking.begin_question(event.tool, event.call))
        elif isinstance(event, StepEnded):
            call, result = event.call, event.result
            server = servers.get(call.name, "")
            ended = ToolStep(call.name, call.arguments, result.text, event.state.value, server)
            failure = result.failure if event.state is StepState.FAILED else None
            steps.steps.append(failed_step(failure, call.name, call.arguments) if failure is not None else ended)
            steps.document_ids += [place.document_id for place in result.places if isinstance(place, SourcePlace)]
            yield StepsChanged(tuple(steps.steps))
            # A page of the web is attached to the question by now.
            if result.has_pages and steps.question_id is not None:
                yield DocumentsShown(steps.question_id)
        elif isinstance(event, TokenChosen):
            tokens.append(event)
        elif isinstance(event, ToolsChosen):
            steps.steps.append(ToolStep("", "", "\n".join(event.left_out), LEFT_OUT))
            yield StepsChanged(tuple(steps.steps))
        elif not isinstance(event, RoundsEnded):
            if isinstance(event, TextDelta) and not event.thinking and event.text.strip():
                if is_parted:
                    yield TextDelta(PARAGRAPH, used_tokens=event.used_tokens)
                has_text, is_parted = True, False
            if isinstance(event, TextDelta):
                yield from tokens
                tokens = []
            yield event
