import assert from "node:assert/strict";
import type { IAMClient } from "@aws-sdk/client-iam";
import { createLinkedRole } from "./aws.ts";

/** Requests the role; IAM throws `error`, or creates it. Returns the requests and the printed lines. */
async function create(error?: Error) {
  const requests: unknown[] = [];
  const printed: string[] = [];
  const client = {
    send(command: { input: unknown }) {
      requests.push(command.input);
      return error === undefined ? Promise.resolve({}) : Promise.reject(error);
    },
  } as unknown as IAMClient;
  await createLinkedRole(client, (line) => void printed.push(line));
  return { requests, printed };
}

const failure = (name: string, message: string) => Object.assign(new Error(message), { name });

Deno.test("the role of ECS is created", async () => {
  const { requests, printed } = await create();
  assert.deepEqual(requests, [{ AWSServiceName: "ecs.amazonaws.com" }]);
  assert.deepEqual(printed, ["role AWSServiceRoleForECS: created"]);
});

Deno.test("an existing role is left alone", async () => {
  const text =
    "Service role name AWSServiceRoleForECS has been taken in this account, please try another suffix.";
  assert.match((await create(failure("InvalidInputException", text))).printed.join(), /exists/);
});

Deno.test("without permission to create the role the deployment continues, with a line about it", async () => {
  const { printed } = await create(
    failure("AccessDenied", "not authorized to perform: iam:CreateServiceLinkedRole"),
  );
  assert.match(printed.join(), /not created .*not authorized/);
});

Deno.test("any other error of IAM ends the deployment", async () => {
  await assert.rejects(create(failure("ServiceFailureException", "try later")), /try later/);
});
