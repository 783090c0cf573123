"""The known fields of each contract, and what is made of them: honoured, harmless, or refused by name.

A field that changes an answer is never dropped without a word. One that nobody has named here is left alone: clients
send many that mean something to another server only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.lazy_dataclasses import dataclass
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

    reason: str = "not supported: leave it out"
    neutral: tuple[Any, ...] = ()


Treatment = HonouredField | HarmlessField | RefusedField
HONOURED, HARMLESS = HonouredField(), HarmlessField()
_NO_SAMPLER = "this sampler is not supported: leave it out"
_NO_SOUND = "answers are text only"
_NOTHING_KEPT = "the server keeps no state: send the whole conversation"
_USE_SCHEMA = "use response_format"

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
    "samplers": RefusedField("the order of samplers is fixed: leave it out"),
    "repeat_last_n": RefusedField("penalties always look at the last 64 tokens", (64,)),
    "dry_base": RefusedField("the DRY base is always 1.75", (1.75,)),
    "dry_allowed_length": RefusedField("the allowed DRY length is always 2", (2,)),
    "dry_penalty_last_n": RefusedField("DRY always looks at the last 4,096 tokens", (-1, 4096)),
    "dry_sequence_breakers": RefusedField("the DRY sequence breakers are fixed"),
    "length_penalty": RefusedField(_NO_SAMPLER, (1,)),
    "use_beam_search": RefusedField(_NO_SAMPLER, (False,)),
    "ignore_eos": RefusedField("the end of an answer can't be suppressed", (False,)),
    "min_tokens": RefusedField("the end of an answer can't be suppressed", (0,)),
    "stop_token_ids": RefusedField("use stop with strings", ([],)),
    "bad_words": RefusedField("use logit_bias", ([],)),
    "include_stop_str_in_output": RefusedField("stop strings are never included in the answer", (False,)),
    **dict.fromkeys(("guided_json", "guided_choice", "guided_regex"), RefusedField(_USE_SCHEMA)),
    "guided_grammar": RefusedField("use grammar"),
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
    "web_search_options": RefusedField("web search is not supported"),
    "verbosity": RefusedField("state the length you want in the instructions", ("medium",)),
    "best_of": RefusedField("use n and choose yourself", (1,)),
    "echo": RefusedField("the prompt is never repeated", (False,)),
    "suffix": RefusedField("only /v1/completions supports infill", ("",)),
    "reasoning_format": RefusedField("thinking is always returned in reasoning_content", ("auto", "deepseek")),
}
COMPLETION: Mapping[str, Treatment] = {
    **_FOR_OPENAI,
    **dict.fromkeys(("prompt", "suffix", "echo", "logprobs", "n_predict"), HONOURED),
    "best_of": RefusedField("use n and choose yourself", (1,)),
    "prompt_logprobs": RefusedField("use echo with logprobs", (0,)),
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
    "top_logprobs": RefusedField("log probabilities are only available from /v1/chat/completions", (0,)),
    # Responses continue by an id at OpenAI, which keeps each answer; here nothing is kept.
    "previous_response_id": RefusedField(_NOTHING_KEPT),
    "conversation": RefusedField(_NOTHING_KEPT),
    "prompt": RefusedField("stored prompts are not supported: send the text"),
    "background": RefusedField(_NOTHING_KEPT, (False,)),
}
ANTHROPIC: Mapping[str, Treatment] = {
    **SAMPLING,
    **dict.fromkeys(("model", "messages", "system", "max_tokens", "stop_sequences", "stream"), HONOURED),
    **dict.fromkeys(("tools", "tool_choice", "thinking", "output_config", "output_format"), HONOURED),
    **dict.fromkeys(("metadata", "service_tier", "inference_geo", "betas", "cache_control"), HARMLESS),
    "speed": HARMLESS,
    "context_management": HARMLESS,  # it clears what grows too long there; here nothing is cleared by itself
    "mcp_servers": RefusedField("MCP servers are not supported: send the tools", ([],)),
    "container": RefusedField("code execution is not supported"),
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
