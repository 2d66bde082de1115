import assert from "node:assert/strict";
import { fewAtATime } from "./few_at_a_time.ts";

type Answer = PromiseWithResolvers<{ address: string }[]>;

/** Look-ups whose answers are given by hand. */
function scene(limit: number) {
  const asked: { name: string; answer: Answer }[] = [];
  const lookup = fewAtATime((name) => {
    const answer: Answer = Promise.withResolvers();
    asked.push({ name, answer });
    return answer.promise;
  }, limit);
  return { lookup, asked, names: () => asked.map(({ name }) => name) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("fewAtATime asks for few names at a time, in order", async () => {
  const { lookup, asked, names } = scene(2);
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => lookup(name));
  assert.deepEqual(names(), ["a", "b"]);
  asked[0]!.answer.resolve([{ address: "192.0.2.1" }]);
  assert.deepEqual(await a, [{ address: "192.0.2.1" }]);
  asked[1]!.answer.reject(new Error("no such name"));
  await assert.rejects(b!, /no such name/);
  await settle();
  assert.deepEqual(names(), ["a", "b", "c", "d"]);
  asked[2]!.answer.resolve([]);
  asked[3]!.answer.resolve([]);
  assert.deepEqual(await Promise.all([c, d]), [[], []]);
});

Deno.test("fewAtATime asks once for those who want the same name", async () => {
  const { lookup, asked, names } = scene(2);
  const [first, second] = [new AbortController(), new AbortController()];
  const answers = [lookup("a", first.signal), lookup("a", second.signal)];
  first.abort();
  answers.push(lookup("a"));
  assert.deepEqual(names(), ["a"]);
  asked[0]!.answer.resolve([{ address: "192.0.2.1" }]);
  for (const answer of answers) assert.deepEqual(await answer, [{ address: "192.0.2.1" }]);
  await settle();
  asked.length = 0;
  lookup("a");
  assert.deepEqual(names(), ["a"], "an answer is not kept");
});

Deno.test("fewAtATime asks anew for a name that everybody gave up", async () => {
  const { lookup, asked, names } = scene(2);
  const gone = new AbortController();
  const givenUp = lookup("a", gone.signal);
  gone.abort();
  const again = lookup("a");
  assert.deepEqual(names(), ["a", "a"]);
  asked[0]!.answer.resolve([]);
  asked[1]!.answer.resolve([{ address: "192.0.2.2" }]);
  assert.deepEqual(await Promise.all([givenUp, again]), [[], [{ address: "192.0.2.2" }]]);
});

Deno.test("fewAtATime does not ask for a name that nobody waits for any more, and lets the next one in", async () => {
  const { lookup, asked, names } = scene(1);
  const gone = new AbortController();
  const first = lookup("a");
  const never = assert.rejects(lookup("b", gone.signal), /nobody wants it/);
  const last = lookup("c");
  gone.abort();
  await never;
  asked[0]!.answer.resolve([]);
  await first;
  await settle();
  assert.deepEqual(names(), ["a", "c"]);
  asked[1]!.answer.resolve([]);
  await last;
});
