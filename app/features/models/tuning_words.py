"""What tuning a model found out, in sentences with its figures."""

from __future__ import annotations

from app.core.catalogue import fill_value
from app.engine.tuning import FLASH_OFF, ModelTuning
from app.features.models.model_messages import MessageTemplate

TUNED = (
    "Tuned on {day}: answers {answers} instead of {default_answers} tokens a second, "
    "prompts {prompts} instead of {default_prompts}."
)
NOTHING_FASTER = (
    "Tuned on {day}: nothing was faster than the defaults, with {answers} tokens a second for answers "
    "and {prompts} for prompts."
)
THREADS_USED = "Threads: {answers} for answers, {prompts} for prompts."
ON_PROCESSOR = "The model runs on the processor, which is faster here than the integrated graphics."
FLASH_IS_OFF = "Flash attention is off, because prompts and answers together take less time without it."


def tuning_words(tuning: ModelTuning, day: str) -> list[MessageTemplate]:
    """Return the sentences about a tuning; `day` is its date as people here write it."""
    values = {
        "day": day,
        "answers": _format_speed(tuning.answer_speed),
        "default_answers": _format_speed(tuning.answer_default_speed),
        "prompts": _format_speed(tuning.prompt_speed),
        "default_prompts": _format_speed(tuning.prompt_default_speed),
    }
    if not tuning.is_faster:
        return [MessageTemplate(NOTHING_FASTER, values)]
    threads = {"answers": str(tuning.answer_threads), "prompts": str(tuning.prompt_threads)}
    sentences = [MessageTemplate(TUNED, values), MessageTemplate(THREADS_USED, threads)]
    if tuning.on_cpu:
        sentences.append(MessageTemplate(ON_PROCESSOR))
    if tuning.flash == FLASH_OFF:
        sentences.append(MessageTemplate(FLASH_IS_OFF))
    return sentences


def _format_speed(tokens_per_s: float) -> str:
    return fill_value(tokens_per_s, ".0f" if tokens_per_s >= 10 else ".1f")
