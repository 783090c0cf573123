"""Answers of a chat whose tools are switched on: the rounds, and the steps as they are kept with the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.events import CancelToken, Message, TextDelta, TokenChosen
from app.features.chat.answer_service import DocumentsShown
from app.features.chat.tool_steps import RUNNING, AnswerSteps, StepsChanged, ToolStep
from app.features.retrieval.source_places import SourcePlace
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import CallWay
from app.features.tools.permissions import OWN_SERVER, ToolGrants, ToolPermissions
from app.features.tools.round_events import RoundsEnded, StepBegan, StepEnded, ToolsChosen
from app.features.tools.rounds import ToolRounds
from app.features.tools.tool import Tool
from app.features.tools.tool_offer import chat_tools
from app.features.tools.tool_scores import ToolScores
from app.features.write_pages import GREEDY

if TYPE_CHECKING:
    from app.engine.contract import AnswerEvent, Engine
    from app.engine.protocol import Ask
    from app.features.chat.answer_service import AnswerService
    from app.hub.web_fetcher import WebFetcher

LIKELIEST = replace(GREEDY, temperature=0.0)
PARAGRAPH = "\n\n"


def answer_in_chat(
    chat: AnswerService,
    messages: Sequence[Message],
    asked: Mapping[str, Any],
    steps: AnswerSteps,
    cancel: CancelToken,
    *,
    cache: Path,
    web: WebFetcher | None = None,
) -> Iterator[AnswerEvent | StepsChanged | DocumentsShown]:
    """Answer in a chat whose tools are on, in the model's best way of calling where `cache` holds its score.

    The steps fill while the events are iterated.
    """
    loaded = chat.engine.loaded
    score = ToolScores(cache).find_score(Path(loaded.path)) if loaded is not None else None
    way = score.best if score is not None else CallWay.LAZY
    tools = chat_tools(chat, steps.conversation_id, web, steps.question_id)
    return answer_with_tools(chat.engine, tools, messages, asked, cancel, steps=steps, way=way)


def own_tool_rounds(engine: Engine, tools: Sequence[Tool], asked: Mapping[str, Any]) -> ToolRounds:
    """Build rounds of the program's own tools, for which nobody is asked. `asked` are other fields of `Ask`."""

    def shape_ask(ask: Ask) -> Ask:
        variables = {**ask.template_variables, **asked.get("template_variables", {})}
        # Unless the chat says otherwise, the likeliest call: at a usual temperature a model of 1.5 billion weights
        # called in vain, again and again, where it was right so.
        # As without tools each word comes by itself, behind its token.
        own = {"template_variables": variables, "task_sampling": LIKELIEST, "together_s": 0.0}
        return replace(ask, **{**asked, **own})

    # They change nothing: switching them on is the permission.
    permissions = ToolPermissions(ToolGrants(servers=frozenset({OWN_SERVER})), lambda *_: None)
    return ToolRounds(engine, tools, permissions, shape_ask=shape_ask)


def answer_with_tools(
    engine: Engine,
    tools: Sequence[Tool],
    messages: Sequence[Message],
    asked: Mapping[str, Any],
    cancel: CancelToken,
    *,
    steps: AnswerSteps,
    way: CallWay = CallWay.LAZY,
) -> Iterator[AnswerEvent | StepsChanged | DocumentsShown]:
    """Answer a conversation with tools and note their steps. `asked` are the other fields of `Ask`.

    Words before a call and after it are paragraphs of one answer.
    """
    rounds = own_tool_rounds(engine, tools, asked)
    has_text = is_parted = False
    tokens: list[TokenChosen] = []
    for event in rounds.answer(GenerationRequest(tuple(messages), way=way), cancel):
        if isinstance(event, StepBegan):
            is_parted = has_text
            tokens = []  # those of the call are none of the answer's
            running = ToolStep(event.call.name, event.call.arguments, "", RUNNING)
            yield StepsChanged((*steps.steps, running))
        elif isinstance(event, StepEnded):
            call, result = event.call, event.result
            steps.steps.append(ToolStep(call.name, call.arguments, result.text, event.state.value))
            steps.document_ids += [place.document_id for place in result.places if isinstance(place, SourcePlace)]
            yield StepsChanged(tuple(steps.steps))
            # A page of the web is attached to the question by now.
            if result.has_pages and steps.question_id is not None:
                yield DocumentsShown(steps.question_id)
        elif isinstance(event, TokenChosen):
            tokens.append(event)
        elif not isinstance(event, ToolsChosen | RoundsEnded):
            if isinstance(event, TextDelta) and not event.thinking and event.text.strip():
                if is_parted:
                    yield TextDelta(PARAGRAPH, used_tokens=event.used_tokens)
                has_text, is_parted = True, False
            if isinstance(event, TextDelta):
                yield from tokens
                tokens = []
            yield event
