import assert from "node:assert/strict";
import { directoryOfUser } from "./user_directory.ts";

Deno.test("the user's folder is INIT_CWD if a task started the program in the project's folder", () => {
  const root = "/project";
  const isRoot = (folder: string) => folder === root;
  assert.equal(directoryOfUser({ initial: "/home/me", current: root, isRoot }), "/home/me");
  assert.equal(directoryOfUser({ initial: root, current: root, isRoot }), undefined);
  assert.equal(directoryOfUser({ initial: undefined, current: root, isRoot }), undefined);
  assert.equal(directoryOfUser({ initial: "", current: root, isRoot }), undefined);
});

Deno.test("INIT_CWD of another task is ignored", () => {
  assert.equal(directoryOfUser({ initial: "/old", current: "/home/me", isRoot: () => false }), undefined);
});

Deno.test("the project's folder is recognised by its path", () => {
  const project = Deno.realPathSync(`${import.meta.dirname}/../..`);
  assert.equal(directoryOfUser({ initial: "/home/me", current: project }), "/home/me");
  assert.equal(directoryOfUser({ initial: "/home/me", current: `${project}/shared` }), undefined);
});
