"""The `litellm` library."""

import json
import sys

import litellm

address, key, model, embedder = sys.argv[1:]
litellm.telemetry = False
where = {"api_base": address, "api_key": key, "model": f"openai/{model}", "max_tokens": 200}
question = [{"role": "user", "content": "Say hello."}]
seen = {"streamed": ""}
for piece in litellm.completion(messages=question, stream=True, **where | {"max_tokens": 12}):
    seen["streamed"] += piece.choices[0].delta.content or ""
schema = {"type": "object", "properties": {"rainy": {"type": "boolean"}}, "required": ["rainy"]}
tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}
choice = {"type": "function", "function": {"name": "weather"}}
message = litellm.completion(messages=question, tools=[tool], tool_choice=choice, **where).choices[0].message
seen["call"] = [message.tool_calls[0].function.name, json.loads(message.tool_calls[0].function.arguments)]
wished = {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema, "strict": True}}
text = litellm.completion(messages=question, response_format=wished, **where).choices[0].message.content
seen["parsed"] = list(json.loads(text))
made = litellm.embedding(input=["a dog", "a puppy", "the price of oil"], **where | {"model": f"openai/{embedder}"})
seen["vectors"] = [one["embedding"] for one in made.data]
stream = litellm.completion(messages=question, stream=True, **where | {"max_tokens": 4000})
next(iter(stream))
stream.completion_stream.close()
seen["aborted"] = True
print(json.dumps(seen))
