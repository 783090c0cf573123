"""The known fields of each contract, and what is made of them: honoured, harmless, or refused by name.

A field that changes an answer is never dropped without a word. One that nobody has named here is left alone: clients
send many that mean something to another server only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.server.json_body import BadRequest, JsonBody


@dataclass(frozen=True)
class HonouredField:
    """Field with the contract's meaning."""


@dataclass(frozen=True)
class HarmlessField:
    """Ignored field that doesn't change the text: prices, remote storage, hints about speed."""


@dataclass(frozen=True)
class RefusedField:
    """Refused field: it would change the answer and isn't supported. `neutral` values ask for what is done anyway."""

    reason: str = "this server has no such thing: leave it out"
    neutral: tuple[Any, ...] = ()


Treatment = HonouredField | HarmlessField | RefusedField
HONOURED, HARMLESS = HonouredField(), HarmlessField()
_NO_SAMPLER = "this sampler is not used here: leave it out"
_NO_SOUND = "answers are text only"
_NOTHING_KEPT = "nothing is kept here: send the whole conversation"
_USE_SCHEMA = "send the schema in response_format"

# `neutral` values are what is done here anyway, so clients that send their defaults are not refused.
SAMPLING: Mapping[str, Treatment] = {
    **dict.fromkeys(
        (
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "seed",
            "repeat_penalty",
            "repetition_penalty",
            "presence_penalty",
            "frequency_penalty",
            "dry_multiplier",
            "logit_bias",
        ),
        HONOURED,
    ),
    "typical_p": RefusedField(_NO_SAMPLER, (1,)),
    "top_a": RefusedField(_NO_SAMPLER, (0,)),
    "tfs_z": RefusedField(_NO_SAMPLER, (1,)),
    "top_n_sigma": RefusedField(_NO_SAMPLER, (-1, 0)),
    "dynatemp_range": RefusedField(_NO_SAMPLER, (0,)),
    "mirostat": RefusedField(_NO_SAMPLER, (0,)),
    "xtc_probability": RefusedField(_NO_SAMPLER, (0,)),
    # The child of the engine builds the samplers in llama.cpp's order.
    "samplers": RefusedField("the order of samplers is llama.cpp's own: leave it out"),
    "repeat_last_n": RefusedField("penalties look at the last 64 tokens", (64,)),
    "dry_base": RefusedField("DRY's base is 1.75", (1.75,)),
    "dry_allowed_length": RefusedField("DRY allows 2 tokens", (2,)),
    "dry_penalty_last_n": RefusedField("DRY looks at the last 4,096 tokens", (-1, 4096)),
    "dry_sequence_breakers": RefusedField("DRY's sequence breakers are llama.cpp's own"),
    "length_penalty": RefusedField(_NO_SAMPLER, (1,)),
    "use_beam_search": RefusedField(_NO_SAMPLER, (False,)),
    "ignore_eos": RefusedField("an answer ends where the model ends it", (False,)),
    "min_tokens": RefusedField("an answer ends where the model ends it", (0,)),
    "stop_token_ids": RefusedField("send texts in stop", ([],)),
    "bad_words": RefusedField("send tokens in logit_bias", ([],)),
    "include_stop_str_in_output": RefusedField("what stops an answer is not a part of it", (False,)),
    **dict.fromkeys(("guided_json", "guided_choice", "guided_regex"), RefusedField(_USE_SCHEMA)),
    "guided_grammar": RefusedField("send it in grammar"),
}
_OF_NO_MATTER = ("user", "metadata", "service_tier", "store", "safety_identifier", "prompt_cache_key")
_FOR_OPENAI: Mapping[str, Treatment] = {
    "stop_on_repetition": HONOURED,  # our own
    **SAMPLING,
    **dict.fromkeys(_OF_NO_MATTER, HARMLESS),
    **dict.fromkeys(("prompt_cache_retention", "cache_prompt", "n_keep", "id_slot", "timings_per_token"), HARMLESS),
    **dict.fromkeys(("model", "stream", "stream_options", "n", "max_tokens", "stop"), HONOURED),
    **dict.fromkeys(("response_format", "json_schema", "grammar"), HONOURED),
}
CHAT: Mapping[str, Treatment] = {
    **_FOR_OPENAI,
    **dict.fromkeys(("messages", "max_completion_tokens", "logprobs", "top_logprobs"), HONOURED),
    **dict.fromkeys(("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"), HONOURED),
    **dict.fromkeys(("reasoning_effort", "chat_template_kwargs", "continue_final_message"), HONOURED),
    "prediction": HARMLESS,  # it makes an answer come sooner, not another one
    "modalities": RefusedField(_NO_SOUND, (["text"],)),
    "audio": RefusedField(_NO_SOUND),
    "web_search_options": RefusedField("nothing is searched for here"),
    "verbosity": RefusedField("say in the instructions how long an answer should be", ("medium",)),
    "best_of": RefusedField("ask for n answers and choose", (1,)),
    "echo": RefusedField("the question is not said again", (False,)),
    "suffix": RefusedField("only /v1/completions fills in a middle", ("",)),
    "reasoning_format": RefusedField("thinking comes in reasoning_content", ("auto", "deepseek")),
}
COMPLETION: Mapping[str, Treatment] = {
    **_FOR_OPENAI,
    **dict.fromkeys(("prompt", "suffix", "echo", "logprobs", "n_predict"), HONOURED),
    "best_of": RefusedField("ask for n answers and choose", (1,)),
    "prompt_logprobs": RefusedField("ask for echo with logprobs", (0,)),
}
RESPONSES: Mapping[str, Treatment] = {
    **SAMPLING,
    **dict.fromkeys(_OF_NO_MATTER, HARMLESS),
    **dict.fromkeys(("prompt_cache_retention", "stream_options", "max_tool_calls"), HARMLESS),
    **dict.fromkeys(("model", "input", "instructions", "stream", "max_output_tokens", "text", "reasoning"), HONOURED),
    **dict.fromkeys(("tools", "tool_choice", "parallel_tool_calls"), HONOURED),
    "include": HARMLESS,  # of what it names nothing comes up here but log-probabilities, which top_logprobs asks for
    "truncation": HARMLESS,  # what is too long is refused with the numbers, never cut
    "metadata": HONOURED,
    "top_logprobs": RefusedField("log-probabilities come with /v1/chat/completions", (0,)),
    # Responses continue by an id at OpenAI, which keeps each answer; here nothing is kept.
    "previous_response_id": RefusedField(_NOTHING_KEPT),
    "conversation": RefusedField(_NOTHING_KEPT),
    "prompt": RefusedField("no prompts are kept here: send the text"),
    "background": RefusedField(_NOTHING_KEPT, (False,)),
}
ANTHROPIC: Mapping[str, Treatment] = {
    **SAMPLING,
    **dict.fromkeys(("model", "messages", "system", "max_tokens", "stop_sequences", "stream"), HONOURED),
    **dict.fromkeys(("tools", "tool_choice", "thinking", "output_config", "output_format"), HONOURED),
    **dict.fromkeys(("metadata", "service_tier", "inference_geo", "betas", "cache_control"), HARMLESS),
    "speed": HARMLESS,
    "context_management": HARMLESS,  # it clears what grows too long there; here nothing is cleared by itself
    "mcp_servers": RefusedField("no servers of tools are asked from here: send the tools", ([],)),
    "container": RefusedField("nothing is run here"),
}


def refuse_unsupported(body: JsonBody, fields: Mapping[str, Treatment]) -> None:
    """Raise BadRequest for the first field that would change the answer and cannot."""
    for name, treatment in fields.items():
        if (
            isinstance(treatment, RefusedField)
            and body.has_field(name)
            # Compared by value, so 0 and 0.0 are the same.
            and body.raw_value(name) not in treatment.neutral
        ):
            raise BadRequest(f"{body.name_of(name)}: {treatment.reason}", body.name_of(name))
