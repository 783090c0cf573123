"""The `openai` library."""

import json
import sys

import openai
from pydantic import BaseModel

address, key, model, embedder = sys.argv[1:]
client = openai.OpenAI(base_url=address, api_key=key, max_retries=0)
question = [{"role": "user", "content": "Say hello."}]
story = [{"role": "user", "content": "Write a very long story about a river."}]  # a greeting may end before 12 tokens
seen = {"models": [one.id for one in client.models.list()]}

text, usage = "", None
for piece in client.chat.completions.create(
    model=model, messages=story, max_tokens=12, stream=True, stream_options={"include_usage": True}
):
    text += "".join(choice.delta.content or "" for choice in piece.choices)
    usage = piece.usage or usage
seen["streamed"] = [text, usage.completion_tokens]


class Leg(BaseModel):
    """Nested, so that the schema has a `$ref`."""

    side: bool


class Animal(BaseModel):
    """What is asked for."""

    first: Leg
    second: Leg


parsed = client.chat.completions.parse(model=model, messages=question, response_format=Animal, max_tokens=400, seed=1)
seen["parsed"] = parsed.choices[0].message.parsed is not None or parsed.choices[0].finish_reason

tool = openai.pydantic_function_tool(Leg, name="move_leg")
call = {"name": "", "arguments": ""}
for piece in client.chat.completions.create(
    model=model, messages=question, tools=[tool], tool_choice="required", parallel_tool_calls=False, stream=True
):
    for told in piece.choices[0].delta.tool_calls or ():
        call["id"] = told.id or call.get("id")
        call["name"] += told.function.name or ""
        call["arguments"] += told.function.arguments or ""
seen["call"] = [call["name"], json.loads(call["arguments"])]
history = [
    *question,
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call["id"], "type": "function", "function": {k: call[k] for k in ("name", "arguments")}}],
    },
    {"role": "tool", "tool_call_id": call["id"], "content": "done"},
]
answered = client.chat.completions.create(model=model, messages=history, tools=[tool], tool_choice="none", max_tokens=4)
seen["answered"] = answered.choices[0].finish_reason

vectors = client.embeddings.create(model=embedder, input=["a dog", "a puppy", "the price of oil"])
seen["vectors"] = [one.embedding for one in vectors.data]
seen["short"] = len(client.embeddings.create(model=embedder, input="x", dimensions=8).data[0].embedding)

with client.chat.completions.create(model=model, messages=question, max_tokens=4000, stream=True) as stream:
    next(iter(stream))
seen["aborted"] = True

kinds = []
with client.responses.stream(model=model, input="Say hello.", max_output_tokens=400) as events:
    kinds = [event.type for event in events]
    seen["response"] = events.get_final_response().output_text
seen["kinds"] = sorted(set(kinds))
flat = {"type": "function", "name": "move_leg", "parameters": Leg.model_json_schema(), "strict": False}
response = client.responses.create(
    model=model, input="Move.", tools=[flat], tool_choice="required", parallel_tool_calls=False
)
seen["response_call"] = [item.name for item in response.output if item.type == "function_call"]

schema = {"type": "object", "properties": {"legs": {"enum": [2, 4]}}, "required": ["legs"]}
begun = [{"role": "user", "content": "A dog has how many legs?"}, {"role": "assistant", "content": '{"legs":'}]
form = {"type": "json_schema", "json_schema": {"name": "animal", "schema": schema}}
gone_on = client.chat.completions.create(model=model, messages=begun, response_format=form, max_tokens=20)
seen["gone_on"] = gone_on.choices[0].message.content
seen["errors"] = []
for wrong in (
    lambda: client.chat.completions.create(model="gpt-9", messages=question),
    lambda: client.chat.completions.create(model=model, messages=[{"role": "user", "content": "word " * 9000}]),
    openai.OpenAI(base_url=address, api_key="wrong", max_retries=0).models.list,
):
    try:
        wrong()
    except openai.APIStatusError as error:
        seen["errors"].append([type(error).__name__, error.code])
print(json.dumps(seen))
