"""Backend that runs the worker's requests with llama.cpp on the loaded model."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from app.core.errors.engine_errors import OwnLibraryRefused
from app.core.errors.model_errors import ModelLoadFailed, NoModel
from app.core.errors.request_errors import (
    CheckingUnavailable,
    EmbeddingsUnavailable,
    PromptTooLong,
    TemplateFailed,
    TooLongToInspect,
)
from app.core.events import FinishReason, ModelLoaded, TokenSeen, TuningProgress
from app.core.freed_memory import give_back_memory
from app.core.gguf import GgufHeader, check_model
from app.core.wire import EventReply
from app.engine import computer, protocol
from app.engine.answer_decoder import HARMONY, NO_THINKING, AnswerDecoder, thinking_of
from app.engine.backend import EngineJob
from app.engine.computer import JsonCache, key_of
from app.engine.fit import LEAST_CHECKPOINT_BYTES
from app.engine.llama import devices
from app.engine.llama.call_grammar import grammar_of
from app.engine.llama.calling import call_syntax
from app.engine.llama.context import LlamaContext
from app.engine.llama.decoder import BatchDecoder
from app.engine.llama.embedding_context import (
    MOST_EMBEDDED_TOKENS,
    EmbeddingBrokenOff,
    EmbeddingContext,
    is_embedding_model,
)
from app.engine.llama.eyes import VisionEncoder
from app.engine.llama.grammars import gbnf_of_schema
from app.engine.llama.inspection import MOST_ATTENTION_TOKENS, WINDOW_TOKENS, InspectionContext, LookBrokenOff
from app.engine.llama.llama_library import LlamaLibrary, open_library
from app.engine.llama.loading import REMEMBERED_FILE, OpenedModel, open_model
from app.engine.llama.model import Model
from app.engine.llama.model_parameters import BorrowedDevices
from app.engine.llama.prediction_context import PredictionContext
from app.engine.llama.prompt_tokenizer import PromptTokenizer
from app.engine.llama.sampling import Grammar, choose_sampling, make_chain, open_grammar
from app.engine.llama.saved_states import SavedStates
from app.engine.llama.sequence_run import PromptTokens, SequenceRun
from app.engine.llama.speed_probe import tune_loaded
from app.engine.llama.template import template_of
from app.engine.llama.template_process import TemplateProblem, TemplateProcess
from app.engine.llama.token_classifier import ClassificationBrokenOff, TokenClassifier, classifies_tokens, spans_of
from app.engine.model_shape import shape_of, tokens_side_by_side
from app.engine.predicted_drafts import PredictedDrafts, PredictionGain
from app.engine.prompt_drafts import AnswerDrafts, DecodeTimes
from app.engine.scheduler import ParallelismPolicy
from app.engine.states import StateFolder, model_identity
from app.engine.tuning import ModelTuning, TuningTable

SPEEDS_FILE = "speeds.json"  # in the child's own working folder
TOGETHER_S = 0.03
"""Seconds of which words are told together: a message costs both processes nearly as much as all else of a token."""


class LoadedModel:
    """A model that answers: its weights, context, decoder and template. It owns them until `free`."""

    def __init__(self, library: LlamaLibrary, request: protocol.LoadModel, opened: OpenedModel) -> None:
        self.model = opened.model
        self._library = library
        self._opened = opened
        self._eyes = opened.eyes
        # Contexts of their own, made when they are first needed: most models are never looked into or asked for
        # vectors.
        self._inspection: InspectionContext | None = None
        self._embedding: EmbeddingContext | None = None
        self._cut: tuple[str, list[int]] = ("", [])
        """The text that was looked at last, and its tokens."""
        self._context = LlamaContext(
            library,
            opened.model.pointer,
            opened.context,
            threads=opened.plan.threads,
            fixed_threads=request.wish.threads > 0,  # a number chosen in the settings is never changed by measuring
            most_tokens=opened.model.most_tokens,
            batch_tokens=opened.plan.batch_tokens,
        )
        self._has_fixed_threads = request.wish.threads > 0
        self._use_threads(opened.tuning)
        self._drafts, self._decode_times, self._gain = request.wish.drafts, DecodeTimes(), PredictionGain(opened.rest)
        self._prediction: PredictionContext | None = None
        if opened.prediction:
            self._prediction = PredictionContext(library, opened.model, self._context, *opened.prediction)
        states = None
        if request.states_folder:
            folder = StateFolder(Path(request.states_folder), lambda: request.states_budget_bytes)
            # Another build or another type of the KV cache writes other bytes for the same tokens.
            identity_ = (library.version, opened.plan.kv_type)
            states = SavedStates(self._context, opened.tiles, folder, Path(request.path), identity_)
        identity, threads = model_identity(Path(request.path)), opened.plan.threads
        # The best number of answers side by side depends on all of these, so it is remembered for each combination.
        self._speed_key = key_of(identity, library.version, opened.plan.device, opened.plan.gpu_layers, threads)
        self._speeds, self._remembered = JsonCache(Path.cwd() / SPEEDS_FILE), JsonCache(Path.cwd() / REMEMBERED_FILE)
        tuned = opened.tuning.sequences if opened.tuning is not None else 0
        known = (self._speeds.find(self._speed_key) or {}).get("side_by_side", tuned)
        most_tokens = sys.maxsize
        # On a processor answers go side by side only while what each step reads of them is small beside the weights.
        if not opened.plan.gpu_layers:
            most_tokens = tokens_side_by_side(shape_of(opened.model.header), opened.plan.kv_type)
        best = known if isinstance(known, int) else 0  # the file can have been edited or cut off
        self._look_key = self._remember_looks() if self._eyes is not None else ""
        # One sequence is the open chat's own and never part of the answers in the background.
        self._side_by_side = ParallelismPolicy(self._context.most_sequences - 1, best, most_tokens)
        # At least some where the formula knows of none: a new kind of model may have what can't be rolled back.
        most_bytes = max(opened.plan.checkpoint_bytes, LEAST_CHECKPOINT_BYTES)
        self.decoder = BatchDecoder(
            self._context, states, self._side_by_side, opened.tiles, opened.eyes, checkpoint_bytes=most_bytes
        )
        self._prompts = PromptTokenizer(self.model, self._context, self._eyes)

    @property
    def needed_bytes(self) -> int:
        """Bytes that `free` releases: what a model that replaces this one may count on."""
        plan = self._opened.plan
        needed = plan.needed_bytes - plan.checkpoint_bytes + self.decoder.checkpoints.used_bytes
        if self._prediction is not None and self._prediction.is_resting:
            needed -= shape_of(self.model.header).prediction_context_bytes(plan.layout)
        return needed

    @property
    def held(self) -> set[str]:
        """Names of the devices that hold the model. Lent ones can't be asked again: each serves one connection."""
        return self._opened.held

    def loaded_reply(self, id_: int) -> protocol.Loaded:
        """Return the last reply to the request that loaded it."""
        model, plan = self.model, self._opened.plan
        described = ModelLoaded(
            model.path,
            model.name,
            os.path.getsize(model.path),  # noqa: PTH202
            self._context.size_tokens,
            model.trained_context_tokens,
            model.template is not None,
            model.layers,
            model.gpu_layers,
            plan.device,
            plan.threads,
            plan.kv_type,
            self._side_by_side.best,
            plan.needed_bytes,
            plan.free_bytes,
            plan.choice,
            plan.steps,
            plan.gpu_missed,
            thinking_of(model.template_source) if model.template else "none",
            model.header.weights,
            placement=self._opened.placement,
            machines_missed=self._opened.machines_missed,
            library=self._library.own_folder,
            **_senses_of(self._eyes),
        )
        return protocol.Loaded(id_, described)

    def _remember_looks(self) -> str:
        """Load the measured encoding times of this projector and return the key they are stored under."""
        assert self._eyes is not None
        plan = self._opened.plan
        identity = model_identity(Path(self._eyes.projector.path))
        key = key_of("look", identity, self._library.version, plan.device, plan.gpu_layers, plan.threads)
        known = (self._speeds.find(key) or {}).items()
        # Times are read from a file: a text, a truth value or a nonsense number must not reach the estimates.
        self._eyes.speeds.update({kind: took for kind, took in known if isinstance(took, float) and took > 0})
        return key

    def _use_threads(self, tuning: ModelTuning | None) -> None:
        """Use the threads that were measured; not where the user chose them, nor on battery, which halves them."""
        if tuning is None or not tuning.is_faster or (tuning.on_cpu and self._opened.plan.gpu_layers):
            return
        if not self._has_fixed_threads and not computer.on_battery():
            self._context.set_threads(tuning.answer_threads, tuning.prompt_threads)

    def find_tuning(self) -> ModelTuning | None:
        """Return what was measured earlier for this model, these devices and this build; None if nothing was."""
        return TuningTable(Path.cwd()).find(Path(self.model.path), self._library.version, self._opened.devices)

    def tune(
        self, is_needed: Callable[[], bool], on_progress: Callable[[float], object], budget_s: float
    ) -> ModelTuning | None:
        """Measure what is fastest here, and keep it; None if interrupted. Threads change at once, the rest with the
        next load.
        """
        if is_embedding_model(self.model.header) or classifies_tokens(self.model.header):
            return None
        self._look_away()
        plan, opened = self._opened.plan, self._opened
        left_out = opened.tuning is not None and opened.tuning.on_cpu
        found = tune_loaded(
            self._library,
            self.model,
            plan.layout,
            plan.threads,
            opened.integrated if plan.gpu_layers or left_out else "",
            is_needed=is_needed,
            on_progress=on_progress,
            budget_s=budget_s,
        )
        if found is None:
            return None
        found = replace(found, device=plan.device, build=self._library.version)
        TuningTable(Path.cwd()).store_tuning(Path(self.model.path), found.build, opened.devices, found)
        self._use_threads(found)
        return found

    def begin_answer(self, request: protocol.Generate, job: EngineJob) -> None:
        """Start an answer. Raises ChatUnavailable, TemplateFailed, PromptTooLong or GrammarInvalid."""
        begun_s = time.perf_counter()
        ask, model = request.ask, self.model
        self._look_away()  # its memory may be what the answer needs
        # A client's numbers: one outside the vocabulary would fail the batch that other answers share.
        model.check_tokens([*ask.tokens, *(token for token, _ in ask.logit_bias)])
        prompt, syntax = (
            self._prompts.answer_prompt(ask) if ask.messages else (PromptTokens(_raw_tokens(model, ask)), NO_THINKING)
        )
        forced = list(ask.forced)
        if ask.tells_last:
            prompt, forced = self._prompts.scored_prompt(ask)
        # A budget of nothing closes the thinking in the prompt, where the template has just opened it.
        if syntax.inside and ask.thinking_budget == 0:
            prompt.tokens.extend(self.model.tokenize(syntax.forced_end, special=True))
            syntax = replace(syntax, inside=False)
        if not prompt.tokens:  # nothing to decode, and nothing that could be answered
            raise TemplateFailed(self.model.path, "it wrote nothing")
        if len(prompt.tokens) >= self._context.size_tokens:
            raise PromptTooLong(len(prompt.tokens), self._context.size_tokens)
        # gpt-oss writes calls into a channel of its own, which has to count as text of the answer and not as thinking.
        if ask.calling is not None and syntax.kind == HARMONY:
            syntax = replace(syntax, calls=ask.calling.syntax.begins)
        # Each token is told by itself where its alternatives are.
        answer = AnswerDecoder(request, job.reply, begun_s, syntax, TOGETHER_S if ask.alternatives < 0 else 0.0)
        answer.media_tokens = prompt.media_tokens
        # Nothing is to be written, but the prompt still counts in the bill of whoever asked.
        if ask.max_tokens == 0 or (ask.tells_last and not forced):
            answer.begin_prompt(len(prompt.tokens), 0)
            job.reply(answer.finish(FinishReason.LENGTH))
            return
        grammar = _grammar_for(ask, self._library, model)
        # The grammar of another program is one of the whole answer; ours say what follows what was begun.
        if grammar is not None and ask.continue_last and ask.is_outside and not _waits_for_call(ask):
            grammar.begin_with(model.tokenize(ask.messages[-1].text, special=False))
        choice = choose_sampling(ask.sampling, ask.task_sampling, self.model.header.metadata)
        # The marks are control tokens, which are written as nothing otherwise; the parser needs them spelled out.
        piece = _piece_with(model, syntax.marks | set(ask.calling.syntax.marks if ask.calling else ()))
        chain = make_chain(
            self._library,
            choice,
            self.model,
            grammar,
            lambda token: answer.is_outside(piece(token)),
            logit_bias=dict(ask.logit_bias),
        )
        # A told answer is read, not written.
        drafts = None if ask.tells_last else self._make_drafts(prompt)
        self.decoder.add_run(SequenceRun(request, job, answer, self.model, prompt, chain, piece, drafts, forced))

    def _make_drafts(self, prompt: PromptTokens) -> AnswerDrafts | PredictedDrafts | None:
        """Return what guesses the words of one answer; None where nothing is guessed."""
        if not self._drafts:
            return None
        if self._prediction is None:
            self._gain.begin_answer()  # counted where the layer was left out until guesses have rested
            is_free = self._context.can_forget and self._context.most_draft_tokens
            return AnswerDrafts(self._decode_times) if is_free else None
        # Of a picture the layer would be handed no tokens.
        return None if prompt.media else PredictedDrafts(self._gain, self._prediction)

    def inspect(self, request: protocol.Inspect, job: EngineJob) -> protocol.Inspected:
        """Return tokens, layers or attention of a text. Raises ModelNotInspectable, TooLongToInspect or
        LookBrokenOff.
        """
        model, id_ = self.model, request.id
        tokens = self._tokens_of(request)
        total = len(tokens)
        # No context needed: llama.cpp only tokenizes here.
        if request.what == "tokens" or not total:
            return protocol.Inspected(
                id_, total, tuple(TokenSeen(token, *model.spell_token(token)) for token in tokens)
            )
        # A window slides over longer texts, so that any length can be looked at.
        if request.what == "probabilities":
            look = self._inspection_context(min(total, WINDOW_TOKENS), job)
            return protocol.Inspected(id_, total, tuple(look.read_tokens(tokens, request.start, request.most)))
        shown = tuple(TokenSeen(token, *model.spell_token(token)) for token in tokens)
        # Attention grows with the square of the text, and each layer is copied out.
        if total > MOST_ATTENTION_TOKENS:
            raise TooLongToInspect(total, MOST_ATTENTION_TOKENS)
        look = self._inspection_context(total, job)
        if request.what == "attention":
            layers = look.read_attention(tokens)
            for shares in layers.values():
                # A message for each layer: all of them would be one very long line.
                job.reply(protocol.Attended(id_, shares.tobytes()))
            return protocol.Inspected(id_, total, shown, (len(layers), *shares.shape), tuple(layers))
        said = tuple(map(tuple, look.read_layers(tokens, request.most, request.start)))
        # Cut to what was read, as the tokens and the layers have to be in step.
        return protocol.Inspected(id_, total, shown[request.start :][: len(said[0])], layers=said)

    def embed(self, request: protocol.Embed, job: EngineJob) -> protocol.Embedded:
        """Vectors of texts; raises EmbeddingsUnavailable, PromptTooLong, EmbeddingBrokenOff or ModelLoadFailed."""
        model, texts = self.model, list[list[int]]()
        if not is_embedding_model(model.header):
            raise EmbeddingsUnavailable(model.path)
        for text in request.texts:
            texts.append(model.tokenize(text, special=False, is_whole=True))
        longest, most = max(map(len, texts), default=0), min(model.trained_context_tokens, MOST_EMBEDDED_TOKENS)
        if longest > most:
            # Cut here silently, a vector would stand for the beginning of a text only.
            raise PromptTooLong(longest, most)
        embedding, threads = self._embedding, self.thread_counts()["batch"]
        # A context that is too short is made anew; a longer one serves shorter texts as well.
        if embedding is None or embedding.size_tokens < longest:
            self._forget_embedding()
            embedding = self._embedding = EmbeddingContext(self._library, model, threads=threads, size_tokens=longest)
        # Sent in parts as they come, so that no line of the wire has to hold all vectors.
        for vectors in embedding.embed_texts(texts, job.stop.is_set):
            job.reply(protocol.Vectors(request.id, vectors))
        return protocol.Embedded(request.id, embedding.width, sum(map(len, texts)))

    def classify_tokens(self, request: protocol.ClassifyTokens, job: EngineJob) -> protocol.TokensClassified:
        """Labels of each token of a text.

        Raises CheckingUnavailable, PromptTooLong, ClassificationBrokenOff or ModelLoadFailed.
        """
        model = self.model
        if not classifies_tokens(model.header):
            raise CheckingUnavailable(model.path)
        # An empty text tokenizes to the beginning and the end only, whatever the vocabulary calls them.
        first, *_, last = model.tokenize("", special=False, is_whole=True)
        source, text = (model.tokenize(text, special=False) for text in (request.source, request.text))
        # [CLS] source [SEP] answer [SEP]: the form in which the classifier was trained.
        tokens = [first, *source, last, *text, last]
        if len(tokens) > (most := min(model.trained_context_tokens, MOST_EMBEDDED_TOKENS)):
            raise PromptTooLong(len(tokens), most)
        threads = self.thread_counts()["batch"]
        classifier = TokenClassifier(
            self._library, model, threads=threads, size_tokens=len(tokens), is_cancelled=job.stop.is_set
        )
        try:
            # The answer only, without the marks around it.
            logits = classifier.label_logits(tokens)[len(source) + 2 : -1]
        finally:
            classifier.free()
        starts, ends = spans_of(request.text, [model.token_bytes(token) for token in text])
        return protocol.TokensClassified(request.id, logits.shape[1], starts, ends, logits.tobytes())

    def _forget_embedding(self) -> None:
        if self._embedding is not None:
            self._embedding.free()
            self._embedding = None

    def _tokens_of(self, request: protocol.Inspect) -> list[int]:
        """Return the tokens to inspect. Long texts are tokenized once, although they come with each part requested."""
        if request.messages:
            parts = self._prompts.prompt_parts(request.messages, False, request.template_variables)
            return self.model.prompt_tokens(parts)
        if request.tokens:
            self.model.check_tokens(request.tokens)
            return list(request.tokens)
        if request.parses_special or request.adds_special:
            return self.model.tokenize(request.text, special=request.parses_special, is_whole=request.adds_special)
        if request.text != self._cut[0]:
            self._cut = (request.text, self.model.tokenize(request.text, special=False))
        # The model sees this token first; shown as a list of tokens it would be one nobody typed.
        begin = [] if request.what == "tokens" else self.model.begin_of_text()
        return begin + self._cut[1]

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        parts = self._prompts.prompt_parts(request.messages, False, request.template_variables)
        return protocol.TokensCounted(request.id, len(self._prompts.tokenize_parts(parts)))

    def count_media(self, request: protocol.CountMedia) -> protocol.MediaCounted:
        """Count the tokens of each image and sound; 0 for those the model can't take."""
        none = protocol.MediaCount(0, 0, 0)
        eyes = self._eyes
        counts = [none if eyes is None else eyes.count_media(media) for media in request.media]
        return protocol.MediaCounted(request.id, tuple(counts))

    @cached_property
    def call_syntax(self) -> protocol.CallSyntax | None:
        """Function-call syntax of the model's template; None if it doesn't support that or isn't understood."""
        model = self.model
        # A template that never mentions tools can't have been taught to call any.
        if model.template is None or "tools" not in model.template_source:
            return None
        found = call_syntax(model.template.render_text, model.ends_with)
        if found is None:
            return None
        # Marks of calls may be control tokens, and those have no text of their own.
        literals = (found.opening, found.between, found.closing, found.joiner, found.value_closing, found.quote)
        return replace(found, marks=tuple(set(model.control_tokens_in(literals).values())))

    def thread_counts(self) -> dict[str, int]:
        """Threads found best so far, for writing and for reading."""
        decode, batch = self._context.thread_counts()
        return {"decode": decode, "batch": batch}

    def thread_policy(self) -> dict[str, Any]:
        """Return what was found about threads and guesses so far, for people."""
        policy = self.thread_counts() | {"lost_to_trials": f"{self._context.lost_share():.1%}"}
        guesses = self._prediction is not None or self._gain.rest.answers
        return policy | ({"guessed_ahead": self._gain.description} if guesses else {})

    def close(self) -> None:
        """Save the sessions, and the speeds measured with this model, projector and device."""
        self.decoder.pool.save_idle()
        if self._gain.rest != self._opened.rest:
            self._remembered.put(self._opened.rest_key, vars(self._gain.rest))
        if self._side_by_side.learnt:
            self._speeds.put(self._speed_key, {"side_by_side": self._side_by_side.best})
        if self._eyes is not None and self._eyes.speeds:
            self._speeds.put(self._look_key, dict(self._eyes.speeds))

    def free(self) -> None:
        """End background answers, save the sessions and free the memory."""
        self.decoder.give_up_background()
        self.close()
        self._look_away()
        self._forget_embedding()
        if self._prediction is not None:
            self._prediction.free()
        self._context.free()
        if self._eyes is not None:
            self._eyes.close()
        self.model.free()

    def _inspection_context(self, tokens: int, job: EngineJob) -> InspectionContext:
        """Return a separate context for inspecting `tokens` tokens. It is kept until an answer needs the memory."""
        # In steps of 64, so that a text that grows a little while somebody types needs no new context.
        size = min(WINDOW_TOKENS, -(-tokens // 64) * 64, self.model.most_tokens)
        if self._inspection is None or self._inspection.size_tokens != size:
            self._look_away()
            threads = self.thread_counts()["batch"]
            self._inspection = InspectionContext(self._library, self.model, threads=threads, size_tokens=size)
        self._inspection.is_cancelled = job.stop.is_set
        return self._inspection

    def forget_looks(self) -> None:
        """Forget the text that was inspected last, and what is guessed from: nobody knows what they were made of."""
        self._cut = ("", [])
        self._look_away()
        if self._prediction is not None:
            self._prediction.clear()

    def _look_away(self) -> None:
        if self._inspection is not None:
            self._inspection.free()
            self._inspection = None


def _senses_of(eyes: VisionEncoder | None) -> dict[str, Any]:
    if eyes is None:
        return {}
    it = eyes.projector
    return {"projector": it.path, "sees": it.sees, "hears": it.hears, "hearing_hz": it.hearing_hz}


def _waits_for_call(ask: protocol.Ask) -> bool:
    """Return whether the grammar is in force only from where a call begins."""
    return ask.calling is not None and not ask.calling.must_call and not ask.json_schema


def _raw_tokens(model: Model, ask: protocol.Ask) -> list[int]:
    return list(ask.tokens) or model.raw_tokens(ask.text, ask.suffix)


def _grammar_for(ask: protocol.Ask, library: LlamaLibrary, model: Model) -> Grammar | None:
    if ask.calling is None:
        return open_grammar(library, model, ask.grammar, ask.json_schema)
    rules = grammar_of(ask.calling, gbnf_of_schema, ask.json_schema)
    begins = ask.calling.syntax.begins if _waits_for_call(ask) else ""
    return open_grammar(library, model, rules, "", begins)


def _piece_with(model: Model, marks: Iterable[str]) -> Callable[[int], bytes]:
    """Return the text of a token; control tokens that mark thinking or calls are spelled out, others give nothing."""
    ids = {mark: model.tokenize(mark, special=True) for mark in marks}
    # A mark that takes several tokens is written as text anyway and needs nothing.
    spelled = {found[0]: mark.encode() for mark, found in ids.items() if len(found) == 1}
    plain = model.token_bytes
    return lambda token: spelled.get(token) or plain(token)


log = logging.getLogger(__name__)


class LlamaBackend:
    """Backend with at most one model and one context loaded."""

    name = "llama"

    def __init__(self) -> None:
        self._loaded: LoadedModel | None = None
        self._borrowed: BorrowedDevices | None = None
        self._renderer: TemplateProcess | None = None
        """Process of the last model's template, which stays while that sleeps: starting it took most of waking up."""

    @property
    def busy(self) -> bool:
        """True if answers are running or waiting, so that `step` has something to do."""
        return self._loaded is not None and self._loaded.decoder.busy

    @property
    def interactive(self) -> bool:
        """True if one of the answers is interactive: background work outside the model rests then."""
        return self._loaded is not None and self._loaded.decoder.interactive

    @property
    def waits_for_device(self) -> bool:
        """True if layers of the model are on a GPU."""
        return self._loaded is not None and self._loaded.model.gpu_layers > 0

    @property
    def unsaved(self) -> bool:
        """True if a session has content that isn't on disk."""
        return self._loaded is not None and self._loaded.decoder.pool.unsaved

    def prepare(self) -> None:
        """Load llama.cpp ahead of the first request, which reports any failure."""
        try:
            open_library()
        except (ImportError, OSError, OwnLibraryRefused) as error:
            log.info("llama.cpp could not be loaded: %s", error)

    def load(self, request: protocol.LoadModel, job: EngineJob) -> protocol.Loaded | protocol.Done:
        """Check the new file before the loaded model is freed, then load it."""
        header = check_model(Path(request.path))
        try:
            library = open_library()
        except (ImportError, OSError) as error:
            raise ModelLoadFailed(request.path, f"llama.cpp could not be loaded: {error}") from error
        # What the old model holds is free once it goes, so the plan for the new one may use it.
        freed = self._loaded.needed_bytes if self._loaded else 0
        before, renderer = self._renderer, _renderer_of(header, self._renderer)
        try:
            opened = open_model(
                library,
                request,
                header,
                job,
                freed_bytes=freed,
                give_up=self.unload,  # called by `open_model` once the new one is known to fit
                borrowed=self._borrowed_devices(library),
                held=self._held,
                renderer=renderer,
            )
            if opened is None:
                return protocol.Done(request.id)
            self._loaded, self._renderer = LoadedModel(library, request, opened), renderer
            return self._loaded.loaded_reply(request.id)
        finally:
            needless = before if self._renderer is renderer else renderer
            if needless is not None and needless is not self._renderer:
                needless.close()

    def unload(self) -> None:
        """Save the sessions and free context and model. Background answers fail."""
        if self._loaded is not None:
            self._loaded.free()
            self._loaded = None
            # A model's words are a hundred thousand small pieces: the next model's would come beside them.
            give_back_memory()

    def begin_answer(self, request: protocol.Generate, job: EngineJob) -> None:
        self._require_model().begin_answer(request, job)

    def step(self, urgent: Callable[[], bool]) -> None:
        """Run one decode for all answers that have a place; `urgent` tells when to end early."""
        self._require_model().decoder.step(urgent)

    def forget_session(self, session: str) -> None:
        if self._loaded is not None:
            self._loaded.decoder.pool.forget_session(session)
            self._loaded.forget_looks()

    def forget_texts(self, names: AbstractSet[str]) -> None:
        if self._loaded is not None:
            self._loaded.decoder.pool.forget_texts(names)
            self._loaded.forget_looks()

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        """Return the length of the prompt as an answer would make it."""
        return self._require_model().count_tokens(request)

    def count_texts(self, request: protocol.CountTexts) -> protocol.TextsCounted:
        model = self._require_model().model
        counts = (len(model.tokenize(text, special=False)) for text in request.texts)
        return protocol.TextsCounted(request.id, tuple(counts))

    def count_media(self, request: protocol.CountMedia) -> protocol.MediaCounted:
        """Return how much of a prompt pictures and sounds take."""
        return self._require_model().count_media(request)

    def call_syntax(self, request: protocol.FindCallSyntax) -> protocol.CallSyntaxFound:
        loaded = self._require_model()
        try:
            return protocol.CallSyntaxFound(request.id, loaded.call_syntax)
        except TemplateProblem as problem:
            raise TemplateFailed(loaded.model.path, str(problem)) from problem

    def embed(self, request: protocol.Embed, job: EngineJob) -> protocol.Embedded | protocol.Done:
        try:
            return self._require_model().embed(request, job)
        # Whoever asked is gone, so this is no error and needs no vectors.
        except EmbeddingBrokenOff:
            return protocol.Done(request.id)

    def classify_tokens(
        self, request: protocol.ClassifyTokens, job: EngineJob
    ) -> protocol.TokensClassified | protocol.Done:
        try:
            return self._require_model().classify_tokens(request, job)
        except ClassificationBrokenOff:
            return protocol.Done(request.id)

    def inspect(self, request: protocol.Inspect, job: EngineJob) -> protocol.Inspected | protocol.Done:
        try:
            return self._require_model().inspect(request, job)
        except LookBrokenOff:
            return protocol.Done(request.id)

    def tune(
        self, request: protocol.TuneModel, job: EngineJob, urgent: Callable[[], bool]
    ) -> protocol.TuningFound | protocol.Done:
        def report(fraction: float) -> None:
            job.reply(EventReply(request.id, TuningProgress(fraction)))

        # Background answers would stand still meanwhile.
        if self.busy:
            return protocol.Done(request.id)
        loaded = self._require_model()
        if request.only_new and (known := loaded.find_tuning()) is not None:
            return protocol.TuningFound(request.id, known)
        found = loaded.tune(lambda: job.cancelled or urgent(), report, request.budget_s)
        return protocol.Done(request.id) if found is None else protocol.TuningFound(request.id, found)

    def describe_devices(self, request: protocol.DescribeDevices) -> protocol.DevicesDescribed:
        """List the devices that ggml found.

        Don't infer them from installed libraries: ggml falls back silently when a GPU's library doesn't load.
        """
        library = open_library()
        loaded = self._loaded
        lent, missed = self._borrowed_devices(library).find_devices(request.machines, self._held)
        return protocol.DevicesDescribed(
            request.id,  # devices that hold the model can't be asked again
            library.version,
            devices.list_devices(library) + lent,
            devices.list_backends(library),
            computer.default_threads(),
            computer.thread_policy() | (loaded.thread_policy() if loaded else {}),
            missed,
            library.own_folder,
        )

    def close(self) -> None:
        if self._loaded is not None:
            self._loaded.close()
        if self._renderer is not None:
            self._renderer.close()

    @property
    def _held(self) -> set[str]:
        return self._loaded.held if self._loaded else set()

    def _borrowed_devices(self, library: LlamaLibrary) -> BorrowedDevices:
        if self._borrowed is None:
            self._borrowed = BorrowedDevices(library)
        return self._borrowed

    def _require_model(self) -> LoadedModel:
        if self._loaded is None:
            raise NoModel
        return self._loaded


def _renderer_of(header: GgufHeader, before: TemplateProcess | None) -> TemplateProcess | None:
    """Return the process of a file's template, started anew for another one, so that it starts while weights load.

    No template runs in a process that another file's has run in.
    """
    source = template_of(header)
    if before is not None and before.source == source:
        return before
    return TemplateProcess(source, Path.cwd()) if source else None
