import assert from "node:assert/strict";
import type { IAMClient } from "@aws-sdk/client-iam";
import { makeLinkedRole } from "./linked_role.ts";

/** Asks for the role; IAM throws `error`, or does it. Returns what was asked for and said. */
async function make(error?: Error) {
  const asked: unknown[] = [];
  const said: string[] = [];
  const client = {
    send(command: { input: unknown }) {
      asked.push(command.input);
      return error === undefined ? Promise.resolve({}) : Promise.reject(error);
    },
  } as unknown as IAMClient;
  await makeLinkedRole(client, (line) => void said.push(line));
  return { asked, said };
}

const failure = (name: string, message: string) => Object.assign(new Error(message), { name });

Deno.test("the role of ECS is made", async () => {
  const { asked, said } = await make();
  assert.deepEqual(asked, [{ AWSServiceName: "ecs.amazonaws.com" }]);
  assert.deepEqual(said, ["role AWSServiceRoleForECS: made"]);
});

Deno.test("a role that is there already is left alone", async () => {
  const text =
    "Service role name AWSServiceRoleForECS has been taken in this account, please try another suffix.";
  assert.match((await make(failure("InvalidInputException", text))).said.join(), /is there/);
});

Deno.test("who may not make the role is told so and goes on", async () => {
  const { said } = await make(
    failure("AccessDenied", "not authorized to perform: iam:CreateServiceLinkedRole"),
  );
  assert.match(said.join(), /cannot be made .*not authorized/);
});

Deno.test("any other failure of IAM ends it", async () => {
  await assert.rejects(make(failure("ServiceFailureException", "try later")), /try later/);
});
