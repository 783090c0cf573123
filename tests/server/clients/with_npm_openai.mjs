// npm's `openai`.

import OpenAI from "openai";

const [address, key, model, embedder] = process.argv.slice(2);
const client = new OpenAI({ baseURL: address, apiKey: key, maxRetries: 0 });
const messages = [{ role: "user", content: "Say hello." }];
const schema = { type: "object", properties: { rainy: { type: "boolean" } }, required: ["rainy"], additionalProperties: false };
const seen = { streamed: "" };
for await (const piece of await client.chat.completions.create({ model, messages, max_tokens: 12, stream: true }))
  seen.streamed += piece.choices[0]?.delta?.content ?? "";
const runner = client.chat.completions.stream({
  model, messages, tools: [{ type: "function", function: { name: "weather", parameters: schema } }], tool_choice: "required", parallel_tool_calls: false,
});
const [call] = (await runner.finalChatCompletion()).choices[0].message.tool_calls;
seen.call = [call.function.name, JSON.parse(call.function.arguments)];
const format = { type: "json_schema", json_schema: { name: "weather", schema, strict: true } };
const whole = await client.chat.completions.create({ model, messages, response_format: format, max_tokens: 200 });
seen.parsed = Object.keys(JSON.parse(whole.choices[0].message.content));
const vectors = await client.embeddings.create({ model: embedder, input: ["a dog", "a puppy", "the price of oil"] });
seen.vectors = vectors.data.map((one) => Array.from(one.embedding));
const response = await client.responses.create({ model, input: "Say hello.", max_output_tokens: 8 });
seen.response = response.output_text;
const stream = await client.chat.completions.create({ model, messages, max_tokens: 4000, stream: true });
for await (const _piece of stream) break;
stream.controller.abort();
seen.aborted = true;
seen.errors = [];
for (const body of [{ model: "gpt-9", messages }, { model, messages: [{ role: "user", content: "word ".repeat(9000) }] }])
  try {
    await client.chat.completions.create(body);
  } catch (error) {
    seen.errors.push([error.constructor.name, error.code]);
  }
console.log(JSON.stringify(seen));
