import assert from "node:assert/strict";
import type { Chain } from "./chain.ts";
import { eventually } from "../eventually.ts";

/** A line of the server's audit. */
export type AuditLine = Readonly<Record<string, unknown>>;

/** Waits until the server has written `count` audit lines, and returns them. */
export function auditLines(chain: Chain, count: number): Promise<AuditLine[]> {
  return eventually(`${count} audit lines`, () => {
    const { lines } = chain.server.out;
    assert.equal(lines.length, count, chain.server.out.text);
    return lines.map(({ fields }) => fields);
  });
}
