import assert from "node:assert/strict";
import { writeAgentFile } from "./agent_file.ts";

const KEYS = {
  wake_endpoint: "https://wake.example/",
  query_endpoint: "https://query.example/",
  kill_endpoint: "https://kill.example/",
};

/** Writes into a file that holds `before`; returns what changed and what it holds then. */
async function write(before: string | undefined, { times = 1, hasCrl = false } = {}) {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/agent.yaml`;
    if (before !== undefined) await Deno.writeTextFile(path, before);
    let changed: string[] = [];
    const client = { folder: `${dir}/certs`, hasCrl };
    for (let time = 0; time < times; time++) changed = await writeAgentFile(path, client, KEYS);
    return { changed, text: await Deno.readTextFile(path) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a new file gets the endpoints, and certificates relative to itself", async () => {
  const { text } = await write(undefined);
  assert.match(text, /^wake_endpoint: https:\/\/wake\.example\/$/m);
  assert.match(text, /^key_file: certs\/client\.key$/m);
  assert.doesNotMatch(text, /crl_file/);
});

Deno.test("a new file has the revocation list if there is one", async () => {
  assert.match((await write(undefined, { hasCrl: true })).text, /^crl_file: certs\/crl\.pem$/m);
  assert.doesNotMatch((await write("local_proxy_port: 9999\n", { hasCrl: true })).text, /crl_file/);
});

Deno.test("an existing file keeps everything else, also comments, and a fixed address is emptied", async () => {
  const { changed, text } = await write("# mine\nlocal_proxy_port: 9999 # because\nserver_ip: 192.0.2.7\n");
  assert.deepEqual(changed, ["server_ip", "wake_endpoint", "query_endpoint", "kill_endpoint"]);
  assert.match(text, /^# mine\nlocal_proxy_port: 9999 # because\nserver_ip: ""\n/);
  assert.doesNotMatch(text, /key_file/);
});

Deno.test("an up-to-date file is not written", async () => {
  assert.deepEqual((await write(undefined, { times: 2 })).changed, []);
});

Deno.test("a file that is not a configuration is left alone, and the error has its path", async () => {
  for (const before of ["- a list\n", "a: [", "just text"]) {
    await assert.rejects(write(before), /Cannot write \S+agent\.yaml: it exists and is not a configuration/);
  }
});
