import assert from "node:assert/strict";
import type { CloudFormationClient, Stack, StackEvent } from "@aws-sdk/client-cloudformation";
import { Stacks } from "./stack.ts";

const PLAN = {
  name: "tunnel",
  template: "{}",
  parameters: () => [],
  tag: { key: "sallyport", value: "tunnel" },
};

interface Script {
  /** Statuses of the stack, one for each look at it; "" is none. The last one stays. */
  readonly statuses: string[];
  readonly changeSet?: { Status: string; StatusReason?: string };
  readonly events?: StackEvent[];
  /** What making a change set throws. */
  readonly refused?: string;
}

/** CloudFormation as a test plays it; commands are noted by name. */
function scene({ statuses, changeSet = { Status: "CREATE_COMPLETE" }, events = [], refused }: Script) {
  const sent: string[] = [];
  const printed: string[] = [];
  const describe = (): { Stacks: Stack[] } => {
    const StackStatus = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
    if (StackStatus === "") throw new Error("Stack with id tunnel does not exist");
    const Outputs = [{ OutputKey: "Url", OutputValue: "https://a.example/" }];
    return { Stacks: [{ StackName: "tunnel", StackStatus, Outputs } as Stack] };
  };
  const answers: Record<string, (input: Record<string, unknown>) => unknown> = {
    DescribeStacksCommand: describe,
    DescribeStackEventsCommand: () => ({ StackEvents: [...events].reverse() }),
    DescribeChangeSetCommand: () => changeSet,
    CreateChangeSetCommand: ({ ChangeSetType }) => {
      if (refused !== undefined) throw new Error(refused);
      sent.push(`${ChangeSetType}`);
    },
  };
  const client = {
    send(command: { constructor: { name: string }; input: Record<string, unknown> }) {
      const { name } = command.constructor;
      if (!/^Describe/.test(name)) sent.push(name.replace("Command", ""));
      try {
        return Promise.resolve(answers[name]?.(command.input) ?? {});
      } catch (error) {
        return Promise.reject(error);
      }
    },
  } as unknown as CloudFormationClient;
  return { stacks: new Stacks(client, (line) => void printed.push(line), 1), sent, printed };
}

const event = (id: string, status: string, reason: string): StackEvent =>
  ({
    EventId: id,
    LogicalResourceId: id,
    ResourceStatus: status,
    ResourceStatusReason: reason,
    Timestamp: new Date(Date.now() + 60_000),
  }) as StackEvent;

Deno.test("a missing stack is created, and its outputs are returned", async () => {
  const all = scene({ statuses: ["", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"] });
  assert.deepEqual(await all.stacks.apply(PLAN), { Url: "https://a.example/" });
  assert.deepEqual(all.sent, ["CreateChangeSet", "CREATE", "ExecuteChangeSet"]);
});

Deno.test("a stack without changes is left alone, however CloudFormation reports it", async () => {
  const reasons = ["The submitted information didn't contain changes.", "No updates are to be performed."];
  for (const StatusReason of reasons) {
    const all = scene({ statuses: ["UPDATE_COMPLETE"], changeSet: { Status: "FAILED", StatusReason } });
    assert.deepEqual(await all.stacks.apply(PLAN), { Url: "https://a.example/" });
    assert.deepEqual(all.sent, ["CreateChangeSet", "UPDATE", "DeleteChangeSet"]);
  }
  const refused = scene({ statuses: ["UPDATE_COMPLETE"], refused: reasons[1]! });
  assert.deepEqual(await refused.stacks.apply(PLAN), { Url: "https://a.example/" });
});

Deno.test("a failed update has the reasons, without cancelled resources", async () => {
  const events = [
    event("Service", "CREATE_FAILED", "the subnet is gone"),
    event("Rule", "CREATE_FAILED", "Resource creation cancelled"),
  ];
  const all = scene({ statuses: ["", "CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"], events });
  await assert.rejects(all.stacks.apply(PLAN), {
    message: "Cannot create the stack tunnel: Service CREATE_FAILED: the subnet is gone",
  });
  assert.ok(all.printed.some((line) => line.includes("the subnet is gone")), all.printed.join("\n"));
});

Deno.test("the remains of an earlier attempt are removed first, and then the stack is created", async () => {
  const statuses = ["ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "", "CREATE_COMPLETE"];
  const all = scene({ statuses });
  await all.stacks.apply(PLAN);
  assert.deepEqual(all.sent, ["DeleteStack", "CreateChangeSet", "CREATE", "ExecuteChangeSet"]);
});

/** Statuses that a stack has when it is looked at, and whether it is made then rather than changed. */
const BEGINNINGS: Readonly<Record<string, boolean>> = {
  "": true,
  "ROLLBACK_COMPLETE DELETE_IN_PROGRESS": true,
  "CREATE_FAILED DELETE_IN_PROGRESS": true,
  "DELETE_FAILED DELETE_IN_PROGRESS": true,
  "REVIEW_IN_PROGRESS DELETE_IN_PROGRESS": true,
  "DELETE_IN_PROGRESS": true,
  "CREATE_COMPLETE": false,
  "UPDATE_ROLLBACK_COMPLETE": false,
};

for (const [beginning, isNew] of Object.entries(BEGINNINGS)) {
  Deno.test(`parameters are computed after a previous operation, from "${beginning}"`, async () => {
    const asked: boolean[] = [];
    const statuses = beginning.split(" ");
    // What is removed is looked at once more before that.
    if (isNew && statuses.length > 1) statuses.unshift(statuses[0]!);
    const all = scene({
      statuses: [...statuses, ...isNew && beginning !== "" ? [""] : [], "CREATE_COMPLETE"],
    });
    await all.stacks.apply({ ...PLAN, parameters: (before) => (asked.push(before === undefined), []) });
    assert.deepEqual(asked, [isNew]);
    assert.ok(all.sent.includes(isNew ? "CREATE" : "UPDATE"), all.sent.join());
  });
}

Deno.test("a running operation is waited for", async () => {
  const all = scene({ statuses: ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"] });
  await all.stacks.apply(PLAN);
  assert.deepEqual(all.sent, ["CreateChangeSet", "UPDATE", "ExecuteChangeSet"]);
  assert.match(all.printed[0]!, /waiting for a previous operation/);
});

Deno.test("a stack whose rollback failed is an error with what to do", async () => {
  const all = scene({ statuses: ["UPDATE_ROLLBACK_FAILED"] });
  await assert.rejects(all.stacks.apply(PLAN), /continue-update-rollback --stack-name tunnel/);
  assert.deepEqual(all.sent, []);
});

Deno.test("a failed change set is an error with the reason", async () => {
  const changeSet = { Status: "FAILED", StatusReason: "Parameter Name is missing" };
  const all = scene({ statuses: ["UPDATE_COMPLETE"], changeSet });
  await assert.rejects(
    all.stacks.apply(PLAN),
    /Cannot create a change set for the stack tunnel: Parameter Name is missing/,
  );
});

Deno.test("a stack that cannot be removed is an error with the reasons", async () => {
  const events = [event("Vpc", "DELETE_FAILED", "it has dependencies")];
  const all = scene({ statuses: ["CREATE_COMPLETE", "DELETE_FAILED"], events });
  await assert.rejects(
    all.stacks.remove("tunnel"),
    /Cannot remove the stack tunnel: Vpc DELETE_FAILED: it has dep/,
  );
});
