import assert from "node:assert/strict";
import { createCoalescedLookup } from "./coalesced_lookup.ts";

type Answer = PromiseWithResolvers<{ address: string }[]>;

/** Lookups that a test answers. */
function scene(limit: number, isShared = false) {
  const asked: { name: string; answer: Answer }[] = [];
  const lookup = createCoalescedLookup((name) => {
    const answer: Answer = Promise.withResolvers();
    asked.push({ name, answer });
    return answer.promise;
  }, { limit, isShared });
  return { lookup, asked, names: () => asked.map(({ name }) => name) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("coalesced lookup runs few lookups at a time, in order", async () => {
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

Deno.test("coalesced lookup shares one lookup between requests for the same name", async () => {
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

Deno.test("coalesced lookup starts a new lookup for a name that all requests gave up", async () => {
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

Deno.test("coalesced lookup skips a name that no request waits for, and starts the next one", async () => {
  const { lookup, asked, names } = scene(1);
  const gone = new AbortController();
  const first = lookup("a");
  const never = assert.rejects(lookup("b", gone.signal), /no longer needed/);
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

Deno.test("coalesced lookup keeps lookups for other clients when one asks for names without an answer", async () => {
  const { lookup, asked, names } = scene(8, true);
  const ask = (client: string, count: number) =>
    Array.from({ length: count }, (_, i) => lookup(`${client}${i}`, undefined, client));
  const greedy = ask("a", 100);
  assert.deepEqual(names(), ["a0", "a1", "a2", "a3"]);
  const honest = ask("b", 1);
  const shared = lookup("a99", undefined, "c");
  assert.deepEqual(names().slice(4), ["b0", "a99"], "also what the greedy one asks for too");
  asked[4]!.answer.resolve([{ address: "192.0.2.1" }]);
  asked[5]!.answer.resolve([{ address: "192.0.2.2" }]);
  assert.deepEqual(await honest[0], [{ address: "192.0.2.1" }]);
  assert.deepEqual([await shared, await greedy[99]], [[{ address: "192.0.2.2" }], [{
    address: "192.0.2.2",
  }]]);
  await settle();
  assert.equal(asked.length, 6, "its share is taken");
  for (let next = 0; next < asked.length; next++) {
    asked[next]!.answer.resolve([]);
    await settle();
  }
  await Promise.all(greedy);
});

Deno.test("coalesced lookup serves clients in turn", async () => {
  const { lookup, asked, names } = scene(1, true);
  const answers = ["a1", "a2", "a3", "b1", "b2", "c1"].map((name) => lookup(name, undefined, name[0]));
  for (let next = 0; next < answers.length; next++) {
    asked[next]!.answer.resolve([]);
    await settle();
  }
  assert.deepEqual(names(), ["a1", "a2", "b1", "c1", "a3", "b2"]);
  await Promise.all(answers);
});

Deno.test("coalesced lookup spends no turn of a client on a name that only others still wait for", async () => {
  const { lookup, asked, names } = scene(4, true);
  const slow = ["1", "2"].map((name) => lookup(name, undefined, "a"));
  const gone = new AbortController();
  const wanted = lookup("x", gone.signal, "a");
  const others = ["3", "4", "5"].map((name) => lookup(name, undefined, "b"));
  const shared = lookup("x", undefined, "b");
  assert.deepEqual(names(), ["1", "2", "3"]);
  gone.abort();
  asked[0]!.answer.resolve([]);
  await settle();
  assert.deepEqual(names().slice(3), ["4"], "it is not a's turn to ask for x");
  for (let next = 0; next < asked.length; next++) {
    asked[next]!.answer.resolve([]);
    await settle();
  }
  await Promise.all([...slow, ...others, shared, wanted]);
  assert.deepEqual(names(), ["1", "2", "3", "4", "5", "x"]);
});

Deno.test("coalesced lookup leaves no listener on a signal after the answer", async () => {
  const { lookup, asked } = scene(1);
  const gone = new AbortController();
  let listeners = 0;
  const { signal } = gone;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
  const answer = lookup("a", signal);
  assert.equal(listeners, 1);
  asked[0]!.answer.resolve([]);
  await answer;
  await settle();
  assert.equal(listeners, 0);
});
