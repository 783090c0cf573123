"""The `anthropic` library."""

import json
import sys

import anthropic

address, key, model, _embedder = sys.argv[1:]
client = anthropic.Anthropic(base_url=address.removesuffix("/v1"), api_key=key, max_retries=0)
question = [{"role": "user", "content": "Say hello."}]
tool = {
    "name": "weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"rainy": {"type": "boolean"}}, "required": ["rainy"]},
}
seen = {}
story = [{"role": "user", "content": "Write a very long story about a river."}]  # a greeting may end before 12 tokens
with client.messages.stream(model=model, max_tokens=12, messages=story, system="Be lengthy.") as stream:
    seen["streamed"] = "".join(stream.text_stream)
    seen["stopped"] = stream.get_final_message().stop_reason
with client.messages.stream(
    model=model,
    max_tokens=200,
    messages=question,
    tools=[tool],
    tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
) as stream:
    message = stream.get_final_message()
(use,) = [block for block in message.content if block.type == "tool_use"]
seen["call"] = [use.name, use.input, message.stop_reason]
history = [
    *question,
    {"role": "assistant", "content": message.model_dump()["content"]},
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": use.id, "content": [{"type": "text", "text": "sun"}]}],
    },
]
answered = client.messages.create(
    model=model, max_tokens=1, messages=history, tools=[tool], tool_choice={"type": "none"}
)
seen["answered"] = answered.stop_reason
seen["counted"] = client.messages.count_tokens(model=model, messages=question).input_tokens
with client.messages.stream(model=model, max_tokens=4000, messages=question) as stream:
    next(iter(stream.text_stream))
seen["aborted"] = True
schema = {"type": "object", "properties": {"legs": {"enum": [2, 4]}}, "required": ["legs"]}
begun = [{"role": "user", "content": "A dog has how many legs?"}, {"role": "assistant", "content": '{"legs":'}]
form = {"format": {"type": "json_schema", "schema": schema}}
gone_on = client.messages.create(model=model, messages=begun, output_config=form, max_tokens=20)
seen["gone_on"] = gone_on.content[0].text
seen["errors"] = []
for wrong in (
    lambda: client.messages.create(model="gone", max_tokens=1, messages=question),
    lambda: client.messages.create(model=model, max_tokens=1, messages=[{"role": "user", "content": "word " * 9000}]),
    lambda: anthropic.Anthropic(base_url=address.removesuffix("/v1"), api_key="x", max_retries=0).messages.create(
        model=model, max_tokens=1, messages=question
    ),
):
    try:
        wrong()
    except anthropic.APIStatusError as error:
        seen["errors"].append(type(error).__name__)
print(json.dumps(seen))
