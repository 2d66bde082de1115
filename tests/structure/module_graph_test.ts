import assert from "node:assert/strict";
import { parseModule } from "./module_graph.ts";

function importsOf(code: string): Record<string, string[]> {
  const { imports } = parseModule("agent/cli/cli.ts", code);
  return Object.fromEntries([...imports].map(([path, names]) => [path, [...names].sort()]));
}

function exportsOf(code: string): Record<string, boolean> {
  const { exports } = parseModule("agent/cli/cli.ts", code);
  return Object.fromEntries(exports.map(({ name, isInSignature }) => [name, isInSignature]));
}

Deno.test("parseModule sees every form of import from the project, and no library", () => {
  const code = `
    import a, { b, type C as D } from "./a.ts";
    import type { E } from "../../shared/e.ts";
    import * as f from "./f.ts";
    export { g as h } from "./g.ts";
    export * from "./i.ts";
    import "./j.ts";
    const k = await import("./k.ts");
    import { z } from "zod";
    import { b2 } from "./a.ts";
    /** import { l } from "./l.ts"; */
  `;
  assert.deepEqual(importsOf(code), {
    "agent/cli/a.ts": ["C", "b", "b2", "default"],
    "shared/e.ts": ["E"],
    "agent/cli/f.ts": ["*"],
    "agent/cli/g.ts": ["g"],
    "agent/cli/i.ts": ["*"],
    "agent/cli/j.ts": [],
    "agent/cli/k.ts": ["*"],
  });
});

Deno.test("parseModule sees every form of export", () => {
  const code = `
    export function a() {}
    export const [b, { c, d: e }] = f();
    const g = 1;
    export { g as h };
    export { i } from "./i.ts";
    export default class {}
    export enum J {}
    export type K = 1;
  `;
  assert.deepEqual(Object.keys(exportsOf(code)).sort(), ["J", "K", "a", "b", "c", "default", "e", "h", "i"]);
});

Deno.test("parseModule knows which types the signatures of a file need", () => {
  const code = `
    export interface Options { deep: Nested }
    export type Nested = typeof DEFAULT;
    export const DEFAULT = 1;
    export interface InBody {}
    export interface Private {}
    export interface OfMember {}
    export const value = 1;
    export function f(options: Options) { const x: InBody = value; }
    export class C { #x: Private; m(): OfMember { const y: Private = 1; } }
  `;
  const needed = Object.entries(exportsOf(code)).filter(([, isInSignature]) => isInSignature);
  assert.deepEqual(needed.map(([name]) => name).sort(), ["DEFAULT", "Nested", "OfMember", "Options"]);
});

Deno.test("parseModule counts lines", () => {
  assert.equal(parseModule("agent/cli/cli.ts", "const a = 1;\nconst b = 2;\n").lines, 2);
});
