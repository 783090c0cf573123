"""Conversations as prompts: the model's own chat template, with a wall between its control tokens and people's text.

The template is rendered with marks in place of the texts and split at the marks. Only the template's own parts may
become control tokens; `<|im_end|>` typed by a person, or copied from a document, stays text.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from app.core.events import Media, Message
from app.core.gguf import GgufHeader
from app.core.lazy_dataclasses import dataclass
from app.engine.llama.template_process import TemplateAbandoned, TemplateProblem

log = logging.getLogger(__name__)


__all__ = ["ChatTemplate", "MediaMarks", "PromptPart", "TemplateProblem", "Turn"]

Turn = tuple[str, str]
BLANK_LINE = "\n\n"
# `tools is not none` is true of a name that is undefined, so that templates would write a list of no tools.
NOTHING: dict[str, Any] = dict.fromkeys(("tools", "tool_choice", "functions", "function_call"))
MOST_HEAD_CHARACTERS = 24  # of a control token's spelling; `<|end_header_id|>` has 17
# Templates take old thoughts out of earlier answers by these tags, so the tags have to stay visible to them.
THOUGHTS = re.compile(r"(</?think>)")

# TranslateGemma's template takes a list with language codes in place of a text. Its turns are those of Gemma, so a text
# that says what the template would have said is put into these.
WANTS_LANGUAGES = "source_lang_code"
GEMMA_TURNS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\n' }}"
    "{{ message['content'] | trim }}"
    "{% if not loop.last or add_generation_prompt %}{{ '<end_of_turn>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


def taking_text(source: str) -> str:
    """Return a template that takes plain texts as messages: the model's own, or a replacement for one that doesn't."""
    return GEMMA_TURNS if WANTS_LANGUAGES in source else source


def template_of(header: GgufHeader) -> str:
    """Return the template that a file's header names, as its model will be given it; "" without one."""
    source = header.metadata.get("tokenizer.chat_template")
    return taking_text(source) if isinstance(source, str) else ""


@dataclass(frozen=True)
class PromptPart:
    """A piece of a prompt. Only in a `trusted` one do special tokens count; one with `media` is that, and no text."""

    text: str
    trusted: bool
    media: Media | None = None


class MediaMarks:
    """Placeholders for images and sounds in texts while a template is rendered; no text contains them."""

    def __init__(self) -> None:
        self._key = secrets.token_hex(8)  # random, so that no text can contain a mark
        self._media: list[Media] = []
        # Private use area: neither letters nor white space, so that templates neither trim nor change them.
        self._pattern = re.compile(f"\ue002{self._key}:(\\d+)\ue003")

    def mark_turn(self, message: Message) -> Turn:
        """Return the turn with a mark at each place of a picture or a sound."""
        text, at, pieces = message.text, 0, []
        for media in sorted(message.media, key=lambda media: media.at):
            # Places are a client's numbers: beyond the end, or not in order, they are moved.
            until = min(max(media.at, at), len(text))
            pieces += [text[at:until], f"\ue002{self._key}:{len(self._media)}\ue003"]
            self._media.append(media)
            at = until
        return message.role.value, "".join(pieces) + text[at:]

    def split_marks(self, parts: Iterable[PromptPart]) -> list[PromptPart]:
        """Return the parts with pictures and sounds in the place of their marks; raises TemplateProblem where one is
        lost.
        """
        if not self._media:
            return list(parts)
        split: list[PromptPart] = []
        for part in parts:
            pieces = self._pattern.split(part.text)
            for index, piece in enumerate(pieces):
                # `split` with one group gives text and number in turn.
                if index % 2:
                    split.append(PromptPart("", False, self._media[int(piece)]))
                elif piece:
                    split.append(PromptPart(piece, part.trusted))
        # A template that drops or doubles a text would drop the picture without a word.
        if [part.media for part in split if part.media is not None] != self._media:
            raise TemplateProblem("a picture or a sound is lost in it")
        return split


def call_told(id_: str, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call in the form of OpenAI's messages, which is the one templates are written for."""
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls_told(messages: Sequence[Message]) -> dict[int, dict[str, Any]]:
    """Return what templates need to know of calls and results, by message index."""
    told: dict[int, dict[str, Any]] = {}
    for place, message in enumerate(messages):
        if message.calls:
            calls = [
                call_told(_short_call_id(call.id), call.name, _argument_values(call.arguments))
                for call in message.calls
            ]
            told[place] = {"tool_calls": calls}
        elif message.result_of is not None:
            of = message.result_of
            told[place] = {"role": "tool", "tool_call_id": _short_call_id(of.id), "name": of.name}
    return told


def _short_call_id(id_: str) -> str:
    """Return a call id of nine letters and digits, as the strictest template requires: Mistral's."""
    return hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()[:9]


def _argument_values(arguments: str) -> dict[str, Any]:
    try:
        found = json.loads(arguments)
    # Models write arguments, so that they need not be JSON, nor an object.
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Renders(Protocol):
    """What renders templates: a process, or a stand-in in tests."""

    def render(self, variables: Mapping[str, Any]) -> str:
        """Return the text that the template writes. Raises TemplateProblem."""


class ChatTemplate:
    """A model's template. `control_texts` returns the spellings of its control tokens, called only when needed."""

    def __init__(self, renderer: Renders, bos: str, eos: str, control_texts: Callable[[], Iterable[str]]) -> None:
        self._renderer = renderer
        self._bos = bos
        self._eos = eos
        self._control_texts = control_texts

    def render(
        self,
        messages: Sequence[Turn],
        *,
        continue_last: bool,
        variables: Mapping[str, Any] | None = None,
        told: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> list[PromptPart]:
        """Return the prompt in parts. With `continue_last` it ends inside the last message. Raises TemplateProblem.

        `told` is what the template is told of a message beside its text, by its place: calls, or whose result it is.
        """
        if told or (variables or {}).get("tools"):
            # Descriptions and results are strangers' texts and can't be marked, as templates write them as JSON.
            harmless = self._without_control_tokens(told or {}), self._without_control_tokens(variables or {})
            return self._with_calls(messages, *harmless, continue_last=continue_last)
        problem: TemplateProblem | None = None
        rendered: Sequence[Turn] | None = None
        # Many templates refuse a system role, or two questions in a row, by raising an exception.
        for turns in _conversation_shapes(messages):
            marks = _Marks(continue_last)
            try:
                text = self._format_turns(marks.mark_turns(turns), continue_last, variables or {})
            except TemplateAbandoned:  # another shape would cost the same again
                raise
            except TemplateProblem as error:
                problem = problem or error  # the first shape is the conversation as it is: its error says the most
                continue
            if marks.all_in(text):
                return list(marks.split_rendered(text))
            # It renders, but changes texts, so that its own parts can't be told from people's.
            rendered = turns
        if rendered is None:
            raise problem or TemplateProblem("there are no messages")
        return self._without_marks(rendered, continue_last, variables or {})

    def render_text(self, variables: Mapping[str, Any]) -> str:
        """Return what the template makes of these variables, as a text. Raises TemplateProblem."""
        return self._renderer.render(NOTHING | {"bos_token": self._bos, "eos_token": self._eos, **variables})

    def _with_calls(
        self,
        turns: Sequence[Turn],
        told: Mapping[int, Mapping[str, Any]],
        variables: Mapping[str, Any],
        *,
        continue_last: bool,
    ) -> list[PromptPart]:
        problem: TemplateProblem | None = None
        for shape, more in _shapes_with_calls(turns, told):
            marks = _Marks(continue_last)
            # A message with calls and no text: templates test whether there is content.
            wordless = {
                place for place, fields in more.items() if "tool_calls" in fields and not shape[place][1].strip()
            }
            try:
                text = self._format_turns(marks.mark_turns(shape, wordless), continue_last, variables, more)
            except TemplateAbandoned:
                raise
            except TemplateProblem as error:
                problem = problem or error
                continue
            if marks.all_in(text):
                return list(marks.split_rendered(text))
            # Marks are lost: the spellings of control tokens are broken instead, and all of it is trusted.
            harmless = [(role, self._break_control_tokens(words)) for role, words in shape]
            return [
                PromptPart(
                    self._cut_after_last(
                        self._format_turns(harmless, continue_last, variables, more), harmless, continue_last
                    ),
                    True,
                )
            ]
        raise problem or TemplateProblem("there are no messages")

    def _format_turns(
        self,
        turns: Sequence[Turn],
        continue_last: bool,
        variables: Mapping[str, Any],
        told: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> str:
        more = told or {}
        messages = [{"role": role, "content": text, **more.get(at, {})} for at, (role, text) in enumerate(turns)]
        own: dict[str, Any] = {"messages": messages, "bos_token": self._bos, "eos_token": self._eos}
        own["add_generation_prompt"] = not continue_last
        # A client's variables must not replace the conversation.
        if taken := own.keys() & variables.keys():
            raise TemplateProblem(f"{', '.join(sorted(taken))}: not a variable that can be set")
        return self._renderer.render(NOTHING | dict(variables) | own)

    def _without_marks(
        self, turns: Sequence[Turn], continue_last: bool, variables: Mapping[str, Any]
    ) -> list[PromptPart]:
        """Render texts directly, with control tokens' spellings broken, for templates that change texts."""
        harmless = [(role, self._break_control_tokens(text)) for role, text in turns]
        prompt = self._format_turns(harmless, continue_last, variables)
        return [PromptPart(self._cut_after_last(prompt, harmless, continue_last), trusted=True)]

    @staticmethod
    def _cut_after_last(prompt: str, turns: Sequence[Turn], continue_last: bool) -> str:
        """Return the prompt up to the end of the last message, which is continued."""
        end = turns[-1][1].strip()
        at = prompt.rfind(end) if continue_last else -1  # the last: the same words can stand earlier in the chat
        return prompt[: at + len(end)] if at >= 0 else prompt

    def _without_control_tokens(self, value: Any) -> Any:
        """Return the same value, in whose texts no control token is spelled."""
        if isinstance(value, str):
            return self._break_control_tokens(value)
        if isinstance(value, Mapping):
            return {key: self._without_control_tokens(inner) for key, inner in value.items()}
        return [self._without_control_tokens(inner) for inner in value] if isinstance(value, list | tuple) else value

    def _break_control_tokens(self, text: str) -> str:
        """Insert a zero-width space after the first letter of each control token spelled in the text.

        One regular expression of all spellings could be arbitrarily slow for a hostile vocabulary.
        """
        heads, lengths = self._heads, sorted({len(head) for head in self._heads})

        def letter(found: re.Match[str]) -> str:
            at = found.start()
            return found[0] + "\u200b" * any(text[at : at + length] in heads for length in lengths)  # ZERO WIDTH SPACE

        return self._first_letters.sub(letter, text)

    @cached_property
    def _first_letters(self) -> re.Pattern[str]:
        """First letters of control tokens: few as a rule, so that most text needs no check."""
        # Matches nothing where there are no control tokens.
        return re.compile("|".join(map(re.escape, {head[0] for head in self._heads})) or "(?!)")

    @cached_property
    def _heads(self) -> frozenset[str]:
        """Beginnings of control tokens' spellings; most are no longer."""
        # One letter is ordinary text, and breaking it would change every word.
        return frozenset(text[:MOST_HEAD_CHARACTERS] for text in self._control_texts() if len(text) > 1)


class _Marks:
    """Placeholders for texts that no text contains and that trimming leaves alone."""

    def __init__(self, keep_end: bool) -> None:
        self._keep_end = keep_end
        self._key = secrets.token_hex(8)
        self._texts: list[str] = []
        self._needed: list[int] = []
        self._pattern = re.compile(f"\ue000{self._key}:(\\d+)\ue001")

    def mark_turns(self, turns: Sequence[Turn], wordless: Collection[int] = ()) -> list[Turn]:
        """Return the turns with marks for texts. White space around stays outside, for the template to trim or keep.

        Those that are `wordless` have none.
        """
        marked = []
        for number, (role, text) in enumerate(turns):
            if number in wordless:
                marked.append((role, ""))
                continue
            # What is continued keeps its white space at the end: the next token depends on it.
            open_end = self._keep_end and number == len(turns) - 1
            pieces = THOUGHTS.split(text) if role == "assistant" else [text]
            content = "".join(
                piece if index % 2 else self._mark_text(piece, open_end and index == len(pieces) - 1)
                for index, piece in enumerate(pieces)
            )
            self._needed.append(len(self._texts) - 1)  # earlier parts are thoughts, which templates may drop
            marked.append((role, content))
        return marked

    def _mark_text(self, text: str, open_end: bool) -> str:
        core = text.lstrip()
        before = text[: len(text) - len(core)]
        # Templates trim, so that a mark has to stand inside of the white space.
        core = core if open_end else core.rstrip()
        after = text[len(before) + len(core) :]
        self._texts.append(core)
        return f"{before}\ue000{self._key}:{len(self._texts) - 1}\ue001{after}"

    def all_in(self, rendered: str) -> bool:
        """Return whether every message occurs once. Earlier answers' thinking may be missing."""
        found = [int(match[1]) for match in self._pattern.finditer(rendered)]
        # The key without its brackets: the template has cut a mark, or escaped it.
        whole = rendered.count(self._key) == len(found) == len(set(found))
        return whole and set(self._needed) <= set(found) and (not self._keep_end or found[-1:] == self._needed[-1:])

    def split_rendered(self, rendered: str) -> Iterator[PromptPart]:
        """Yield template parts and texts in turn. A space before a text is joined to it: word tokens begin with their
        space.
        """
        pieces = self._pattern.split(rendered)
        for index in range(0, len(pieces), 2):
            template, text = pieces[index], self._texts[int(pieces[index + 1])] if index + 1 < len(pieces) else ""
            if index + 1 == len(pieces) and self._keep_end:
                return  # the closing tag of the message that goes on
            # "Assistant: Hello": the space belongs to the token " Hello", or the model reads something rare.
            if text and template.endswith(" "):
                template, text = template[:-1], " " + text
            yield PromptPart(template, trusted=True)
            yield PromptPart(text, trusted=False)


def _conversation_shapes(messages: Sequence[Turn]) -> Iterator[list[Turn]]:
    """Yield the conversation as it is, then in the shapes that pickier templates take."""
    # An empty system message makes some templates write a header with nothing in it.
    turns = [turn for turn in messages if turn[0] != "system" or turn[1].strip()]
    yield turns
    merged = _system_merged(turns)
    if merged != turns:
        yield merged
    joined: list[Turn] = []
    for role, text in merged:
        # Two of one role in a row: strict templates want them to alternate.
        if joined and joined[-1][0] == role:
            joined[-1] = (role, joined[-1][1] + BLANK_LINE + text)
        else:
            joined.append((role, text))
    if joined != merged:
        yield joined


def _shapes_with_calls(
    turns: Sequence[Turn], told: Mapping[int, Mapping[str, Any]]
) -> Iterator[tuple[list[Turn], dict[int, Mapping[str, Any]]]]:
    """Like `_conversation_shapes`, but messages with calls aren't merged and keep their data."""
    # Places are remembered beside each turn, as leaving one out moves all behind it.
    kept = [(turn, told.get(place, {})) for place, turn in enumerate(turns) if turn[0] != "system" or turn[1].strip()]
    shapes = [kept]
    system = BLANK_LINE.join(turn[1] for turn, _ in kept if turn[0] == "system")
    if system:
        others = [turn for turn in kept if turn[0][0] != "system"]
        if others and others[0][0][0] == "user":
            shapes.append([(("user", system + BLANK_LINE + others[0][0][1]), others[0][1]), *others[1:]])
        else:
            shapes.append([(("user", system), {}), *others])
    for shape in shapes:
        yield [turn for turn, _ in shape], {place: fields for place, (_, fields) in enumerate(shape) if fields}


def _system_merged(turns: list[Turn]) -> list[Turn]:
    """Move system text before the first question, for templates without a system role."""
    system = BLANK_LINE.join(text for role, text in turns if role == "system")
    others = [turn for turn in turns if turn[0] != "system"]
    if not system:
        return others
    if others and others[0][0] == "user":
        return [("user", system + BLANK_LINE + others[0][1]), *others[1:]]
    return [("user", system), *others]
