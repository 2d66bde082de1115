import assert from "node:assert/strict";
import { SessionHistory } from "./session_use.ts";

Deno.test("session use lists the address of a stream's only connection with its port", () => {
  const history = new SessionHistory(() => 0);
  history.arrived(["192.0.2.1:1"]);
  history.arrived(["192.0.2.1:2"]);
  assert.deepEqual(history.use(["192.0.2.1:2"]).from, ["192.0.2.1:2"]);
});

Deno.test("session use lists each address once, without its port, once there were several connections", () => {
  const history = new SessionHistory(() => 0);
  history.arrived(["192.0.2.1:1"]);
  const [first, second] = [history.use(["192.0.2.1:1"]), history.use(["192.0.2.1:1", "192.0.2.1:2"])];
  assert.deepEqual([first.from, second.from], [["192.0.2.1:1"], ["192.0.2.1"]]);
  for (let port = 2; port < 2_000; port++) history.arrived([`192.0.2.1:${port}`]);
  history.arrived(["[2001:db8::7]:443"]);
  assert.deepEqual([first.from, second.from], Array(2).fill(["192.0.2.1", "2001:db8::7"]));
  assert.deepEqual(history.use(["[2001:db8::7]:443"]).from, ["[2001:db8::7]:443"], "of before it lists none");
});

Deno.test("session use lists the addresses from a stream's beginning, and of later ones the latest 16", () => {
  const history = new SessionHistory(() => 0);
  history.arrived(["192.0.2.1:1"]);
  const use = history.use(["192.0.2.1:1"]);
  for (let host = 1; host <= 2_000; host++) history.arrived([`[2001:db8::${host}]:443`]);
  assert.deepEqual(use.from.length, 17);
  assert.deepEqual([use.from[0], use.from[1], use.from[16]], [
    "192.0.2.1",
    "2001:db8::1985",
    "2001:db8::2000",
  ]);
});

Deno.test("session use keeps an address that comes again among the latest", () => {
  const history = new SessionHistory(() => 0);
  const use = history.use([]);
  for (let host = 1; host <= 16; host++) history.arrived([`192.0.2.${host}:1`]);
  history.arrived(["192.0.2.1:2"]);
  history.arrived(["192.0.2.17:1"]);
  assert.deepEqual([use.from.length, use.from[0], use.from[14]], [16, "192.0.2.3", "192.0.2.1"]);
});

Deno.test("session use counts the resumptions since a stream began", () => {
  let resumptions = 3;
  const history = new SessionHistory(() => resumptions);
  const use = history.use([]);
  assert.equal(use.resumptions, 0);
  resumptions++;
  assert.equal(use.resumptions, 1);
});
