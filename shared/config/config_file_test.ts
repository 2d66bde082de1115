import assert from "node:assert/strict";
import { configFile, fileExists } from "./config_file.ts";

Deno.test("the configuration file is the given one, else the one in the folder, else none", async () => {
  const there = (path: string) => Promise.resolve(path === "agent.yaml");
  assert.equal(await configFile("other.yaml", "agent.yaml", there), "other.yaml");
  assert.equal(await configFile(undefined, "agent.yaml", there), "agent.yaml");
  assert.equal(await configFile(undefined, "server.yaml", there), undefined);
  assert.equal(await configFile(undefined, "no_such_file.yaml"), undefined);
});
Deno.test("fileExists is false for a file that is missing, also below what is not a folder", async () => {
  const here = import.meta.filename!;
  assert.equal(await fileExists(here), true);
  assert.equal(await fileExists(new URL(import.meta.url)), true);
  assert.equal(await fileExists(import.meta.dirname!), true);
  assert.equal(await fileExists(`${here}.no`), false);
  assert.equal(await fileExists(`${here}/no`), false);
});
