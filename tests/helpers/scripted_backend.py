"""Scripted answers, delays, crashes and hangs inside the real engine child, so that tests meet the real wire.

``--scripted FILE`` names a JSON object; every key is optional::

    {
      "log": "prompts.jsonl",     each request is appended to this file, one JSON object a line (beside the script)
      "load": RULE,               what loading does; or a list of rules, of which the first that fits counts
      "answers": [RULE, ...],     the first rule that fits answers; without one, the last message is echoed
      "save_when": "go"           there is something to save at the end, which goes on until the file "go" is there
                                  (beside the script); "saved" is then written beside it
      "calls": {"opening": ...}   how the model calls functions, see `protocol.CallSyntax`
      "tune": {"until": "go", "fields": {...}}  what tuning finds, once the file is there (beside the script)
      "devices": [{"name": ...}]  what DescribeDevices lists; one CPU by default
    }

A rule fits when its "when" (a regular expression) is found in the last user message (for loading: in the path), or has
none,
and when it was used less than "times" times. Uses are counted in FILE.used, so a restarted child goes on counting.

Rules for answers:
    "text": "..."                 the answer; by default `You said: <last user message>`
    "delay_s": 0.05               before each token; "prompt_s": seconds for reading the prompt, with progress
    "unlikely": {"lift": 0.01}    how likely words of it were to come, "" all others; by default one half, or 0.95
                                  where no alternatives are asked for; of an answer's first word nothing is told
                                  that is not named
    "batch": "go"                 one batch of its prompt is computed until the file "go" is there (beside the script),
                                  as on a slow computer: the heart beats, and no cancel is heard
    "repeat": 1000                the text so many times
    "watched": true               it is ended where it repeats itself, if that is asked for; else it never is
    "thinking": "..."             the answer begins with this thought
    "clock": true                 each token is the moment it was made, in seconds of the monotonic clock
    "finish": "length"            the finish reason; by default stop, or what the limits say
    "error": "TemplateFailed", "fields": {...}      fails instead, with an error of app.core.errors
    "stall_after": 3              after 3 tokens nothing more happens, cancel or not
    "held_after": 3, "until": "go"    after 3 tokens it waits for the file "go" beside the script; cancel is heard
    "crash_after": 3              after 3 tokens the child ends: "crash": "abort" (default), or an exit code
    "garbage": "noise"            this is printed to file descriptor 1 before every token
Rules for loading:
    "seconds": 1.0                how long it takes, with progress; cancel is heard
    "until": "go"                 it waits for the file "go" beside the script; cancel is heard
    "error", "fields", "crash", "garbage", "stall": true    as above
    "steps": ["cpu"]              steps of the ladder: each is told as Loading with its name, and then in Loaded
    "name", "context_tokens", "trained_context_tokens", "can_chat", "size_bytes", "layers", "gpu_layers", "device",
    "kv_type", "sequences", "needed_bytes", "free_bytes", "choice", "gpu_missed", "thinking",
    "weights", "projector", "sees", "hears", "hearing_hz"
                                  what is loaded; what is loaded with a projector sees
    "picture_tokens": 256         what every picture takes; by default a token for each 32 × 32 pixels
    "sound_tokens": 25            what a second of sound takes
    "look_s": 1.0                 how long a picture or a sound is looked at when it is new, told in ten steps

A token is a word with the space before it. With a model file that does not exist, loading fails with ModelMissing
unless the rule says ``"any_path": true``.
A rule's uses are counted in a file, so that "the first load crashes, the second works" can be scripted.
"""

from __future__ import annotations

import array
import json
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.core.errors import request_errors
from app.core.errors.app_error import AppError
from app.core.errors.error_fields import from_fields
from app.core.errors.model_errors import ModelMissing, ModelReplaced, NoModel
from app.core.events import (
    FinishReason,
    Guess,
    LoadProgress,
    Media,
    ModelLoaded,
    TokenChosen,
    TokenSeen,
    TuningProgress,
    Waiting,
)
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.answer_decoder import AnswerDecoder
from app.engine.backend import EngineJob
from app.engine.tuning import ModelTuning, TuningTable

MESSAGE_TOKENS = 4
STEP_S = 0.02
PIXELS_A_TOKEN = 32 * 32
SOUND_TOKENS_A_SECOND = 25
_TOLD = (
    "sequences",
    "needed_bytes",
    "free_bytes",
    "choice",
    "gpu_missed",
    "thinking",
    "weights",
    "hears",
    "hearing_hz",
)
WINDOW_TOKENS = 256
LENS_TOKENS = 16
OTHER = " other"
"""Alternative to every word, and the text of forced tokens."""
NEARLY_SURE = 0.95
"""Probability of each replayed word, as of a model that knows the text."""
Rule = dict[str, Any]


@dataclass(eq=False)
class ScriptedRun:
    """A running answer: its request, the generator that writes it, and whether it was told to wait."""

    request: protocol.Generate
    job: EngineJob
    steps: Iterator[bool] = field(init=False)
    waits: bool = False
    answer: AnswerDecoder = field(init=False)

    def __post_init__(self) -> None:
        self.answer = AnswerDecoder(self.request, self.job.reply, time.perf_counter())

    def let_repeat(self) -> None:
        """Watch no longer for repetition, for the script writes it on purpose."""
        self.request = replace(self.request, ask=replace(self.request.ask, stop_on_repetition=False))
        self.answer = AnswerDecoder(self.request, self.job.reply, time.perf_counter())


class Script:
    """Rules of a script file and how often each was used, which is stored next to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rules: Rule = json.loads(path.read_text("utf-8"))

    def file_beside(self, name: str) -> Path:
        return self._path.parent / name

    def choose_rule(self, kind: str, rules: list[Rule], text: str) -> Rule:
        """Return the first rule that serves for a text; it is used now."""
        counts = self.file_beside(self._path.name + ".used")
        used: dict[str, int] = json.loads(counts.read_text()) if counts.exists() else {}
        # Kind and number together: a rule for loading and one for answers may have the same place in their lists.
        for number, rule in enumerate(rules):
            key = f"{kind}[{number}]"
            if used.get(key, 0) >= rule.get("times", float("inf")) or not re.search(rule.get("when", ""), text):
                continue
            if "times" in rule:
                counts.write_text(json.dumps(used | {key: used.get(key, 0) + 1}))
            return rule
        return {}

    def log_request(self, request: protocol.Request) -> None:
        """Append the request to the script's log, if it has one."""
        if "log" in self.rules:
            with self.file_beside(self.rules["log"]).open("ab") as file:
                file.write(protocol.WIRE.encode_message(request))


class ScriptedBackend:
    """Carries out a script; see the file's docstring for its format."""

    name = "scripted"

    def __init__(self, script: Path) -> None:
        self._script = Script(script)
        self._loaded: protocol.Loaded | None = None
        self._rule: Rule = {}
        self._seen: list[str] = []
        self._looked: set[str] = set()
        self._runs: list[ScriptedRun] = []

    def prepare(self) -> None:
        """Do nothing, for nothing here takes long; the real backend imports llama.cpp."""

    def load(self, request: protocol.LoadModel, job: EngineJob) -> protocol.Loaded | protocol.Done:
        """Load by the first rule that fits: with its time, its steps and its faults."""
        self._script.log_request(request)
        self._give_up_background()
        rules = self._script.rules.get("load", {})
        rule = self._script.choose_rule("load", rules if isinstance(rules, list) else [rules], request.path)
        if not rule.get("any_path") and not Path(request.path).exists():
            raise ModelMissing(request.path)
        _raise_scripted_error(rule, {"path": request.path})
        # From here on the former model is gone, as with the real engine.
        self._loaded = None
        ends_s = time.monotonic() + rule.get("seconds", 0)
        begun_s = time.monotonic()
        job.reply(EventReply(request.id, LoadProgress(0.0)))
        _misbehave_as_scripted(rule)
        tries = ["", *rule.get("steps", ())]
        for step in tries[1:] if ends_s <= begun_s else ():
            job.reply(EventReply(request.id, LoadProgress(0.0, step)))
        while (now_s := time.monotonic()) < ends_s:
            if job.stop.wait(min(STEP_S, ends_s - now_s)):
                return protocol.Done(request.id)
            fraction = min(1.0, (time.monotonic() - begun_s) / (ends_s - begun_s))
            step = tries[min(len(tries) - 1, int(fraction * len(tries)))]
            job.reply(EventReply(request.id, LoadProgress(fraction, step)))
        while "until" in rule and not self._script.file_beside(rule["until"]).exists():
            if job.stop.wait(STEP_S):
                return protocol.Done(request.id)
        self._loaded, self._rule = _loaded_reply(request, rule), rule
        self._seen, self._looked = [], set()
        return self._loaded

    def unload(self) -> None:
        """Forget the model; answers in the background end with `ModelReplaced`, as the real one's do."""
        self._give_up_background()
        self._loaded = None

    @property
    def busy(self) -> bool:
        """True if answers are running; a script lets none wait."""
        return bool(self._runs)

    @property
    def interactive(self) -> bool:
        """True if one of the answers is interactive; background ones rest meanwhile."""
        return any(not run.request.ask.background for run in self._runs)

    @property
    def waits_for_device(self) -> bool:
        """False, since a script has no device and its waits are sleeps."""
        return False

    @property
    def unsaved(self) -> bool:
        """True if the script has a rule for saving."""
        return "save_when" in self._script.rules

    def begin_answer(self, request: protocol.Generate, job: EngineJob) -> None:
        """Start an answer by the first rule that fits its last user message."""
        self._script.log_request(request)
        run = ScriptedRun(request, job)
        run.steps = self._run_steps(run)
        self._runs.append(run)

    def step(self, urgent: Callable[[], bool]) -> None:
        """Write one token of each interactive answer, or of each background one if there are none."""
        waited_for = [run for run in self._runs if not run.request.ask.background]
        # A cancel is heard also by those that rest.
        resting = [run for run in self._runs if run.job.cancelled and run not in waited_for]
        for run in [*waited_for, *resting] if waited_for else list(self._runs):
            if next(run.steps, None) is None:
                self._runs.remove(run)
        for run in self._runs if waited_for else ():
            if run.request.ask.background and not run.waits:
                run.waits = True
                run.job.reply(EventReply(run.request.id, Waiting("interactive")))

    def forget_session(self, session: str) -> None:
        """Log the request; there is no session to forget."""
        self._script.log_request(protocol.ForgetSession(0, session))

    def forget_texts(self, names: AbstractSet[str]) -> None:
        """Log the request, sorted as it came; there is nothing to forget."""
        self._script.log_request(protocol.ForgetTexts(0, tuple(sorted(names))))

    def close(self) -> None:
        """Wait for the file that the script names, as if saving took that long."""
        if self.unsaved:
            while not self._script.file_beside(self._script.rules["save_when"]).exists():
                time.sleep(STEP_S)
            self._script.file_beside("saved").touch()

    def _run_steps(self, run: ScriptedRun) -> Iterator[bool]:
        """Answer, pausing after each token; yields True while the answer continues."""
        try:
            reason = yield from self._answer_request(run)
        except AppError as error:
            run.job.reply(protocol.Failed(run.request.id, error))
            return
        run.job.reply(run.answer.finish(reason))

    def _answer_request(self, run: ScriptedRun) -> Generator[bool, None, FinishReason]:
        request, job = run.request, run.job
        if job.cancelled:
            return FinishReason.CANCELLED
        loaded = self._require_model(chats=bool(request.ask.messages))
        turns = request.ask.turns or [("user", request.ask.text or _text_of(request.ask.tokens))]
        media = [message.media for message in request.ask.messages]
        last = next((text for role, text in reversed(turns) if role == "user"), "")
        rule = self._script.choose_rule("answers", self._script.rules.get("answers", []), last)
        _raise_scripted_error(rule, {})
        if not rule.get("watched"):
            run.let_repeat()
        answer = run.answer
        # Counted like the real engine's prompts, so that a full context can be scripted.
        words = _prompt_words(turns, media, self._rule)
        if len(words) >= loaded.model.context_tokens:
            raise request_errors.PromptTooLong(len(words), loaded.model.context_tokens)
        # What the last prompt shared with this one counts as read before.
        same = next((i for i, (a, b) in enumerate(zip(words, self._seen, strict=False)) if a != b), None)
        answer.begin_prompt(len(words), min(len(words) - 1, len(self._seen)) if same is None else same)
        self._seen = words
        if not self._encode_media(answer, [picture for medium in media for picture in medium], job):
            return FinishReason.CANCELLED
        if "batch" in rule:
            self._compute_batch(answer, rule["batch"])
        if not _read_prompt(answer, rule.get("prompt_s", 0), job):
            return FinishReason.CANCELLED
        text = rule.get("text", f"You said: {last}") * rule.get("repeat", 1)
        if "thinking" in rule:
            text = f"<think>{rule['thinking']}</think>{text}"
        return (yield from self._write_tokens(run, rule, text, loaded.model.context_tokens - len(words)))

    def _compute_batch(self, answer: AnswerDecoder, until: str) -> None:
        answer.report_prompt(answer.reused_tokens)
        while not self._script.file_beside(until).exists():
            # Computes, so that the child shows signs of life, and hears nothing.
            sum(range(20_000))
            time.sleep(0.001)

    def _write_tokens(self, run: ScriptedRun, rule: Rule, text: str, room: int) -> Generator[bool, None, FinishReason]:
        answer, job = run.answer, run.job
        ask = run.request.ask
        if ask.max_tokens == 0:
            return FinishReason.LENGTH
        pieces = _split_words(ask.turns[-1][1]) if ask.tells_last else [OTHER] * len(ask.forced) + _split_words(text)
        for number, piece in enumerate(pieces):
            if number and rule.get("crash_after") == number:
                # What is no text is waited for, so that the words before it have left.
                job.reply(EventReply(run.request.id, Waiting("")))
            _misbehave_as_scripted(rule, number)
            while rule.get("held_after") == number and not self._script.file_beside(rule["until"]).exists():
                if job.stop.wait(STEP_S):
                    return FinishReason.CANCELLED
                yield True
            if job.stop.wait(rule["delay_s"]) if rule.get("delay_s") else job.cancelled:
                return FinishReason.CANCELLED
            if number >= room:
                return FinishReason.CONTEXT
            token = f" {time.monotonic():.3f}" if rule.get("clock") else piece
            if ask.alternatives >= 0:
                likely = 0.5 if ask.alternatives else NEARLY_SURE
                seen = _token_seen(token, number, {"": likely} | rule.get("unlikely", {}))
                job.reply(EventReply(run.request.id, TokenChosen(seen)))
            reason = answer.add_token(token.encode())
            self._seen.append(token)
            if reason is not None:
                return reason
            yield True
        _misbehave_as_scripted(rule, len(_split_words(text)))
        return FinishReason(rule.get("finish", "stop"))

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        """Count the words of all messages, plus `MESSAGE_TOKENS` for each."""
        self._script.log_request(request)
        self._require_model()
        media = [message.media for message in request.messages]
        return protocol.TokensCounted(
            request.id, len(_prompt_words(protocol.turns_of(request.messages), media, self._rule))
        )

    def count_texts(self, request: protocol.CountTexts) -> protocol.TextsCounted:
        """Count the words of each text, which are a script's tokens."""
        self._require_model()
        return protocol.TextsCounted(request.id, tuple(len(_split_words(text)) for text in request.texts))

    def count_media(self, request: protocol.CountMedia) -> protocol.MediaCounted:
        """Count by the rule's numbers; 0 for media the model can't take."""
        self._script.log_request(request)
        model = self._require_model().model
        counts = []
        for medium in request.media:
            is_shown = model.sees if medium.kind == "picture" else model.hears
            tokens = _tokens_of(medium, self._rule) if is_shown else 0
            counts.append(
                protocol.MediaCount(tokens, tokens, 1, medium.width, medium.height, self._rule.get("look_s", 0.0))
            )
        return protocol.MediaCounted(request.id, tuple(counts))

    def _encode_media(self, answer: AnswerDecoder, media: Sequence[Media], job: EngineJob) -> bool:
        """Report the encoding of new media in ten steps; False if cancelled. Raises MediaRefused."""
        for medium in media:
            if not (
                self._require_model().model.sees if medium.kind == "picture" else self._require_model().model.hears
            ):
                raise request_errors.MediaRefused(
                    medium.path, medium.kind, "blind" if medium.kind == "picture" else "deaf"
                )
        answer.media_tokens = sum(_tokens_of(medium, self._rule) for medium in media)
        new = [medium for medium in {medium.id: medium for medium in media}.values() if medium.id not in self._looked]
        for number, medium in enumerate(new, 1):
            for step in range(11):
                answer.report_encoding(number, len(new), step / 10)
                if job.stop.wait(self._rule.get("look_s", 0) / 10) if step < 10 else job.cancelled:
                    return False
            self._looked.add(medium.id)
            answer.encoded_media += 1
        return True

    def call_syntax(self, request: protocol.FindCallSyntax) -> protocol.CallSyntaxFound:
        told = self._script.rules.get("calls")
        return protocol.CallSyntaxFound(request.id, protocol.CallSyntax(**told) if told else None)

    def embed(self, request: protocol.Embed, job: EngineJob) -> protocol.Embedded:
        """Return counts of eight letters as each text's vector."""
        self._script.log_request(request)
        loaded = self._require_model(chats=False)
        if loaded.model.can_chat:
            raise request_errors.EmbeddingsUnavailable(loaded.model.path)
        # Vectors of length 1 that are alike for texts with the same letters.
        rows = ([float(text.count(letter)) for letter in "etaoinsh"] for text in request.texts)
        numbers = [number / (math.hypot(*row) or 1.0) for row in rows for number in row]
        job.reply(protocol.Vectors(request.id, array.array("f", numbers).tobytes()))
        return protocol.Embedded(request.id, 8, sum(len(_split_words(text)) for text in request.texts))

    def classify_tokens(self, request: protocol.ClassifyTokens, _job: EngineJob) -> protocol.TokensClassified:
        """Words that the source does not have are not supported."""
        self._script.log_request(request)
        loaded = self._require_model(chats=False)
        if loaded.model.can_chat:
            raise request_errors.CheckingUnavailable(loaded.model.path)
        words = list(re.finditer(r"\s*\S+", request.text))
        known = set(re.findall(r"\w+", request.source))
        logits = [1.0 if set(re.findall(r"\w+", word[0])) <= known else -1.0 for word in words]
        numbers = array.array("f", [number for logit in logits for number in (logit, -logit)]).tobytes()
        starts, ends = (tuple(place(word) for word in words) for place in (re.Match.start, re.Match.end))
        return protocol.TokensClassified(request.id, 2, starts, ends, numbers)

    def tune(
        self, request: protocol.TuneModel, job: EngineJob, urgent: Callable[[], bool]
    ) -> protocol.TuningFound | protocol.Done:
        """Report what the script's rule for tuning says, after its file is there, unless something else is asked."""
        self._script.log_request(request)
        loaded = self._require_model(chats=False)
        rule = self._script.rules.get("tune", {})
        job.reply(EventReply(request.id, TuningProgress(0.5)))
        while "until" in rule and not self._script.file_beside(rule["until"]).exists():
            if urgent() or job.stop.wait(STEP_S):
                return protocol.Done(request.id)
        tuning = replace(ModelTuning(2, 2, 256, device="scripted", build="scripted"), **rule.get("fields", {}))
        TuningTable(Path.cwd()).store_tuning(Path(loaded.model.path), tuning.build, (), tuning)
        return protocol.TuningFound(request.id, tuning)

    def inspect(self, request: protocol.Inspect, job: EngineJob) -> protocol.Inspected:
        """Return words with probability one half, and two layers of two heads with uniform attention."""
        self._script.log_request(request)
        self._require_model(chats=bool(request.messages))
        turns = protocol.turns_of(request.messages)
        words = (
            _prompt_words(turns, (), self._rule) if turns else _split_words(request.text or _text_of(request.tokens))
        )
        if request.what == "probabilities":
            window = words[request.start : request.start + WINDOW_TOKENS]
            seen = tuple(_token_seen(word, number + request.start) for number, word in enumerate(window))
            return protocol.Inspected(request.id, len(words), seen)
        shown = tuple(replace(_token_seen(word, 0), alternatives=()) for word in words)
        if request.what == "tokens":
            return protocol.Inspected(request.id, len(words), shown)
        if len(words) > WINDOW_TOKENS:
            raise request_errors.TooLongToInspect(len(words), WINDOW_TOKENS)
        if request.what == "layers":
            told = slice(request.start, request.start + LENS_TOKENS)
            row = tuple((Guess(word.encode(), 0.5),) for word in words[told])
            return protocol.Inspected(request.id, len(words), shown[told], layers=(row, row))
        rows = (
            1 / (looking + 1) if looked <= looking else 0.0
            for looking in range(len(words))
            for looked in range(len(words))
        )
        layer_shares = array.array("f", rows).tobytes()
        for _layer in range(2):
            job.reply(protocol.Attended(request.id, layer_shares * 2))
        return protocol.Inspected(request.id, len(words), shown, (2, 2, len(words), len(words)), (0, 1))

    def describe_devices(self, request: protocol.DescribeDevices) -> protocol.DevicesDescribed:
        self._script.log_request(request)
        default = [{"name": "CPU", "description": "Scripted", "type": "cpu", "free_bytes": 0, "total_bytes": 0}]
        devices = tuple(protocol.Device(**device) for device in self._script.rules.get("devices", default))
        return protocol.DevicesDescribed(request.id, "scripted", devices, ("scripted",), 1)

    def _give_up_background(self) -> None:
        for run in [run for run in self._runs if run.request.ask.background]:
            self._runs.remove(run)
            run.job.reply(protocol.Failed(run.request.id, ModelReplaced()))

    def _require_model(self, *, chats: bool = True) -> protocol.Loaded:
        if self._loaded is None:
            raise NoModel
        if chats and not self._loaded.model.can_chat:
            raise request_errors.ChatUnavailable(self._loaded.model.path)
        return self._loaded


def _tokens_of(one: Media, rule: Rule) -> int:
    if one.kind != "picture":
        a_second: int = rule.get("sound_tokens", SOUND_TOKENS_A_SECOND)
        return max(1, math.ceil(one.seconds * a_second))
    tokens: int = rule.get("picture_tokens", math.ceil(one.width * one.height / PIXELS_A_TOKEN))
    return min(max(1, tokens), one.most_tokens or sys.maxsize)


def _prompt_words(messages: Sequence[tuple[str, str]], media: Sequence[Sequence[Media]], rule: Rule) -> list[str]:
    """Return the prompt's words; an image's tokens are words before the text of its turn."""
    words = []
    for number, (role, text) in enumerate(messages):
        words += [f"<{role}>"] * MESSAGE_TOKENS
        for medium in media[number] if number < len(media) else ():
            words += [f"<{medium.kind} {medium.id}>"] * _tokens_of(medium, rule)
        words += _split_words(text)
    return words


def _raise_scripted_error(rule: Rule, fields: dict[str, Any]) -> None:
    if "error" in rule:
        raise from_fields(rule["error"], fields | rule.get("fields", {}))


def _misbehave_as_scripted(rule: Rule, number: int = 0) -> None:
    """Print garbage, crash or hang if the rule says so."""
    if "garbage" in rule:
        os.write(1, rule["garbage"].encode() + b"\n")
    if rule.get("stall") or rule.get("stall_after") == number:
        # An event that nobody sets: no cancel is heard, as in a hang inside of llama.cpp.
        threading.Event().wait()
    if rule.get("crash_after", 0 if "crash" in rule else None) == number:
        if rule.get("crash", "abort") == "abort":
            os.abort()
        os._exit(rule["crash"])


def _read_prompt(answer: AnswerDecoder, seconds: float, job: EngineJob) -> bool:
    """Report the prompt in ten steps; False if cancelled."""
    for step in range(1, 11) if seconds else ():
        if job.stop.wait(seconds / 10):
            return False
        new = answer.prompt_tokens - answer.reused_tokens
        answer.report_prompt(answer.reused_tokens + new * step // 10)
    return True


def _loaded_reply(request: protocol.LoadModel, rule: Rule) -> protocol.Loaded:
    trained: int = rule.get("trained_context_tokens", 8192)
    path = Path(request.path)
    size: int = rule.get("size_bytes", path.stat().st_size if path.exists() else 0)
    context: int = rule.get("context_tokens", trained)
    model = ModelLoaded(
        request.path,
        rule.get("name", path.stem),
        size,
        request.wish.context_tokens or context,
        trained,
        rule.get("can_chat", True),
        layers=rule.get("layers", 1),
        gpu_layers=rule.get("gpu_layers", 0),
        device=rule.get("device", "Scripted"),
        threads=request.wish.threads or 1,
        kv_type=rule.get("kv_type", request.wish.kv_type or "f16"),
        steps=tuple(rule.get("steps", ())),
        projector=rule.get("projector", request.wish.projector),
        sees=rule.get("sees", bool(request.wish.projector)),
        **{name: rule[name] for name in _TOLD if name in rule},
    )
    return protocol.Loaded(request.id, model)


def _token_seen(word: str, number: int, unlikely: Mapping[str, float] | None = None) -> TokenSeen:
    """Return a word as a token, with how likely it was; of the first only what a script says of that word."""
    told = unlikely or {}
    if not number and word.strip(" .,") not in told:
        return TokenSeen(len(word), word.encode())
    likely = told.get(word.strip(" .,"), told.get("", 0.5))
    guesses = (Guess(word.encode(), likely, len(word)), Guess(OTHER.encode(), min(likely / 2, 1 - likely), len(OTHER)))
    return TokenSeen(len(word), word.encode(), False, math.log(likely), 0, guesses)


def _text_of(tokens: Sequence[int]) -> str:
    """Return a text of one word for each token id."""
    return "".join(f" t{token}" for token in tokens)


def _split_words(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)
