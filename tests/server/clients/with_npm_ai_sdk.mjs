// npm's `ai` with `@ai-sdk/openai-compatible`.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateObject, generateText, streamText, tool } from "ai";
import { z } from "zod";

const [address, apiKey, model, embedder] = process.argv.slice(2);
const provider = createOpenAICompatible({ name: "fireside", baseURL: address, apiKey, includeUsage: true, supportsStructuredOutputs: true });
const weather = tool({ description: "The weather of a city", inputSchema: z.object({ rainy: z.boolean() }) });
const asked = { model: provider(model), prompt: "Say hello.", maxRetries: 0, maxOutputTokens: 200 };
const seen = { streamed: "" };
const streamed = streamText({ ...asked, maxOutputTokens: 12 });
for await (const piece of streamed.textStream) seen.streamed += piece;
seen.usage = (await streamed.usage).outputTokens;
const called = streamText({ ...asked, tools: { weather }, toolChoice: "required" });
const [call] = await called.toolCalls;
seen.call = [call.toolName, call.input];
const object = await generateObject({ ...asked, schema: z.object({ rainy: z.boolean() }) });
seen.parsed = Object.keys(object.object);
const { embeddings } = await embedMany({ model: provider.embeddingModel(embedder), values: ["a dog", "a puppy", "the price of oil"] });
seen.vectors = embeddings;
const control = new AbortController();
const long = streamText({ ...asked, maxOutputTokens: 4000, abortSignal: control.signal, onError: () => {} });
for await (const _piece of long.textStream) { control.abort(); break; }
seen.aborted = true;
seen.errors = [];
try {
  await generateText({ ...asked, model: provider("gpt-9") });
} catch (error) {
  seen.errors.push([error.name, error.statusCode]);
}
console.log(JSON.stringify(seen));
