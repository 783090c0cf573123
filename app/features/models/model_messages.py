"""Messages about a model: why it was loaded as it was, what is being tried, what it runs with.

Pure functions of `ModelLoaded`. Texts and values stay separate, so that the window translates a text before filling
it.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.core.catalogue import CountedTexts, Translatable, fill_value, tr, tr_count
from app.core.errors.model_errors import ProjectorRefused
from app.core.events import PROJECTOR_REFUSED, ModelElsewhere, ModelLoaded
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, field
from app.features.error_messages import PersonMessage, sentence_for


@dataclass(frozen=True)
class MessageTemplate:
    """A text, or two with a count, with the values for its `{names}`."""

    text: Translatable = ""
    values: Mapping[str, str] = field(default_factory=dict)
    counted: CountedTexts | None = None
    count: int = 0

    def __str__(self) -> str:
        if self.counted is not None:
            return tr_count(*self.counted, self.count, **self.values)
        return tr(self.text, **self.values)


def format_gigabytes(size_bytes: int) -> str:
    """Format a size in GB with one decimal; anything above zero is at least 0.1."""
    return fill_value(max(0.1, size_bytes / 1e9), ".1f") if size_bytes > 0 else "0"


def short_count(tokens: int) -> str:
    """Format a number of tokens briefly: 950, 1.2k, 8k."""
    if tokens < 1000:
        return str(tokens)
    if tokens % 1024 == 0:
        return f"{tokens // 1024}k"
    thousands = round(tokens / 1000, 1)
    return fill_value(thousands, ".0f" if thousands.is_integer() else ".1f") + "k"


_CHOICES = {
    "fits": "Fits: needs {needed} GB of {free} GB free, context {context}.",
    "context_reduced": "Context limited to {context}, because more doesn’t fit in the {free} GB free.",
    "kv_reduced": "Context precision is 8-bit, because {context} in 16-bit doesn’t fit in the {free} GB free.",
    "experts_apart": "Some experts are on the CPU, because they don’t all fit in the GPU’s free memory.",
    "layers_reduced": "{some} of {all} layers are on the GPU, because more don’t fit in its free memory.",
    "cpu_only": "On the CPU only: needs {needed} GB of {free} GB free, context {context}.",
    "remembered": "Same settings as last time: needs {needed} GB of {free} GB free, context {context}.",
    "asked": "With your settings: needs {needed} GB of {free} GB free, context {context}.",
    "tight": "Needs {needed} GB, more than the {free} GB free, so parts are read from disk repeatedly.",
}
# Where nobody could say how much is needed or free.
_CHOICES_WITHOUT_SIZES = {
    "context_reduced": "Context limited to {context}, because more doesn’t fit in memory.",
    "kv_reduced": "Context precision is 8-bit, because {context} in 16-bit doesn’t fit in memory.",
    "experts_apart": _CHOICES["experts_apart"],
    "layers_reduced": _CHOICES["layers_reduced"],
    "cpu_only": "On the CPU only, context {context}.",
    "remembered": "Same settings as last time, context {context}.",
    "asked": "With your settings, context {context}.",
    "elsewhere": "Runs on {host}. What you write is sent there.",
    "other_program": "Runs in another program on this computer, at {host}.",
    "tight": "Larger than the free memory, so parts are read from disk repeatedly.",
}


def choice_words(model: ModelLoaded) -> MessageTemplate | None:
    """Explain in a sentence why the model was loaded this way; None if there is nothing to explain."""
    is_known = model.needed_bytes > 0 and model.free_bytes > 0
    text = (_CHOICES if is_known else _CHOICES_WITHOUT_SIZES).get(model.choice)
    return None if text is None else MessageTemplate(text, _fit_values(model))


_TRYING = {
    "fewer_layers": "Trying with fewer layers on the GPU…",
    "smaller_context": "Trying with a smaller context…",
    "cpu": "Trying on the CPU…",
    "projector": "Preparing picture support…",
    "engine_build": "Setting up the engine. This takes a few minutes, once; you can already add and read documents.",
}


def trying_words(step: str) -> MessageTemplate:
    """Say what is tried after a failed attempt; `step` as in `LoadProgress`."""
    return MessageTemplate(_TRYING.get(step, "Trying another way…"))


GPU_NOT_FOUND = "The GPU chosen in Settings wasn’t found, so the model runs on the CPU."
LOADED_ON_CPU = "Loaded on the CPU because loading on the GPU failed."
_MISSED = {
    "no_device": GPU_NOT_FOUND,
    "no_memory": "No layer fits in the GPU’s free memory, so the model runs on the CPU.",
    "load_failed": "Loaded on the CPU, because loading on the GPU failed.",
}
_STEPPED = (
    ({"cpu"}, LOADED_ON_CPU),
    (
        {"fewer_layers", "smaller_context"},
        "Loaded with {some} of {all} layers on the GPU and a context of {context}, because more didn’t fit in memory.",
    ),
    ({"fewer_layers"}, "Loaded with {some} of {all} layers on the GPU, because more didn’t fit in its memory."),
    ({"smaller_context"}, "Loaded with a context of {context}, because more didn’t fit in memory."),
)


def surprise_words(model: ModelLoaded) -> MessageTemplate | None:
    """Say once that a model was loaded with less than was wanted; None if not."""
    if model.machines_missed:
        text = "{addresses} didn’t respond, so the model was loaded without it."
        if len(model.machines_missed) > 1:
            text = "{addresses} didn’t respond, so the model was loaded without them."
        return MessageTemplate(text, {"addresses": join_entries(model.machines_missed)})
    if model.gpu_missed:
        text = _MISSED.get(model.gpu_missed, "Loaded on the CPU, because the GPU isn’t used: {reason}")
        return MessageTemplate(text, {"reason": model.gpu_missed})
    refused = next((step for step in model.steps if step.startswith(PROJECTOR_REFUSED)), "")
    if refused:
        sentence = sentence_for(ProjectorRefused(model.projector, model.path, refused.removeprefix(PROJECTOR_REFUSED)))
        return MessageTemplate("{refusal}", {"refusal": f"{sentence.text} {sentence.kept}"})
    for needed, text in _STEPPED:
        if needed <= set(model.steps):
            return MessageTemplate(text, _fit_values(model))
    if model.choice == "tight":
        return MessageTemplate(
            "The model is larger than the free memory, so it’s slow: parts are read from disk repeatedly."
        )
    return None


_ON_A_DEVICE: dict[str, Translatable] = {
    _CHOICES["layers_reduced"]: "{some} of {all} layers are on {device}, because more don’t fit in its free memory.",
    _STEPPED[1][1]: "Loaded with {some} of {all} layers on {device} and a context of {context}, "
    "because more didn’t fit in memory.",
    _STEPPED[2][1]: "Loaded with {some} of {all} layers on {device}, because more didn’t fit in its memory.",
}
"""What is said of layers on other computers, whose device has a name."""


def why_words(model: ModelLoaded) -> MessageTemplate | None:
    """Return the sentence that explains how a model was loaded."""
    words = surprise_words(model) or choice_words(model)
    if words is None or not model.computers:
        return words
    return MessageTemplate(_ON_A_DEVICE.get(words.text, words.text), {**words.values, "device": model.device})


_KV_TYPES: dict[str, Translatable] = {"f16": "16-bit, exact", "q8_0": "8-bit, half the memory"}
_THINKING: dict[str, Translatable] = {
    "none": "no",
    "switch": "can be turned on and off",
    "switch_off": "can be turned on and off",
    "effort": "low, medium or high",
    "always": "always",
}


def _known_word(words: Mapping[str, Translatable], name: str) -> MessageTemplate:
    return MessageTemplate(words[name]) if name in words else MessageTemplate("{name}", {"name": name})


def model_facts(model: ModelLoaded) -> list[tuple[MessageTemplate, MessageTemplate]]:
    """List what a loaded model runs with: names and values, in display order."""
    if isinstance(model, ModelElsewhere):
        return _facts_elsewhere(model)
    found = [(MessageTemplate("Context"), _context_fact(model)), (MessageTemplate("Runs on"), _device_fact(model))]
    if model.gpu_layers > 0:
        where = "{some} of {all} there, the rest here" if model.computers else "{some} of {all} on the GPU"
        found.append((MessageTemplate("Layers"), MessageTemplate(where, _fit_values(model))))
    else:
        found.append((MessageTemplate("Layers"), MessageTemplate("all {all} on the CPU", _fit_values(model))))
    if model.needed_bytes > 0:
        text = "needs {needed} GB, {free} GB were free" if model.free_bytes > 0 else "needs {needed} GB"
        found.append((MessageTemplate("Memory"), MessageTemplate(text, _fit_values(model))))
    found.append((MessageTemplate("Context precision"), _known_word(_KV_TYPES, model.kv_type)))
    if model.sequences > 1:
        found.append((MessageTemplate("In parallel"), MessageTemplate(counted=_ANSWERS, count=model.sequences)))
    found.append((MessageTemplate("Thinking"), _known_word(_THINKING, model.thinking)))
    if model.library:
        found.append((MessageTemplate("llama.cpp"), MessageTemplate("yours, in {folder}", {"folder": model.library})))
    return found


_ANSWERS: CountedTexts = ("up to {count} answer", "up to {count} answers")
_AS_MANY_AS_HELP = "as many answers as help"


def _facts_elsewhere(model: ModelElsewhere) -> list[tuple[MessageTemplate, MessageTemplate]]:
    counted = "counted by its server" if model.counts_exactly else "estimated"
    is_most = model.sequences == model.most_at_once
    many = MessageTemplate(counted=_ANSWERS, count=model.sequences) if is_most else MessageTemplate(_AS_MANY_AS_HELP)
    return [
        (MessageTemplate("Runs on"), MessageTemplate("{host}", _fit_values(model))),
        (MessageTemplate("Context"), MessageTemplate("{context}", _fit_values(model))),
        (MessageTemplate("Tokens"), MessageTemplate(counted)),
        (MessageTemplate("In parallel"), many),
        (MessageTemplate("Thinking"), _known_word(_THINKING, model.thinking)),
        (MessageTemplate("Saved state"), MessageTemplate("none, only the chat itself")),
        (MessageTemplate("Inside"), MessageTemplate("not available for models on a server")),
    ]


def _context_fact(model: ModelLoaded) -> MessageTemplate:
    if 0 < model.context_tokens < model.trained_context_tokens:
        return MessageTemplate("{context} of the {trained} it was trained for", _fit_values(model))
    return MessageTemplate("{context}, all it was trained for", _fit_values(model))


def _device_fact(model: ModelLoaded) -> MessageTemplate:
    if model.gpu_layers > 0:
        return MessageTemplate("{device}", {"device": model.device})
    return MessageTemplate(counted=("CPU, 1 thread", "CPU, {count} threads"), count=model.threads)


def _fit_values(model: ModelLoaded) -> dict[str, str]:
    return {
        "needed": format_gigabytes(model.needed_bytes),
        "free": format_gigabytes(model.free_bytes),
        "context": short_count(model.context_tokens),
        "trained": short_count(model.trained_context_tokens),
        "some": str(min(model.gpu_layers, model.layers)),  # llama.cpp counts the output as one more
        "all": str(model.layers),
        "host": model.host if isinstance(model, ModelElsewhere) else "",
    }


SLEEPS_FOR_MEMORY = PersonMessage(
    "Memory was low, so the model was put to sleep.", "It wakes up when you send a message.", "settings"
)
NOT_REACHED = PersonMessage(
    "The file of {name}, your chat model, can’t be reached.", "{starter} answers until it’s back.", "models"
)
WAITS_FOR_ANSWER = PersonMessage("Memory is low. The model will be put to sleep after its answer.")
WAITS_FOR_SUMMARY = PersonMessage(
    "Memory is low. The model will be put to sleep when its work is done.", action="settings"
)
ASLEEP = MessageTemplate("Asleep. It wakes up when you send a message.")
