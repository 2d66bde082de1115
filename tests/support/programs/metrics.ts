import assert from "node:assert/strict";
import type { Chain } from "./chain.ts";
import { curl } from "../clients/curl.ts";

/** Values of the server's `/metrics` by name and labels. */
export async function metrics(chain: Chain): Promise<Map<string, number>> {
  const { text, errors } = await curl([`http://127.0.0.1:${chain.healthPort}/metrics`]);
  const lines = text.split("\n").filter((line) => /^sallyport_/.test(line));
  assert.ok(lines.length > 0, errors + text);
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}
