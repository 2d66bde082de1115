import { countOf } from "../../shared/text/count_of.ts";
import {
  type CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  type Parameter,
  type Stack as StackDescription,
  type StackEvent,
} from "@aws-sdk/client-cloudformation";
import type { Print } from "./progress.ts";

/** Desired state of a stack. */
export interface StackPlan {
  readonly name: string;
  /** The template; undefined keeps the current one. */
  readonly template: string | undefined;
  /**
   * Values of the template's parameters.
   * @param before The stack to update; undefined when it is created, also after a failed creation.
   */
  parameters(before: StackDescription | undefined): readonly Parameter[];
  /** A tag for all resources, to track their cost. */
  readonly tag: { readonly key: string; readonly value: string };
}

/** Outputs of a stack, by name. */
export type Outputs = Readonly<Record<string, string>>;

/** Statuses after which CloudFormation only allows deletion; the stack has nothing worth keeping. */
const FAILED_CREATION =
  /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED|REVIEW_IN_PROGRESS)$/;
const UNCHANGED = /didn't contain changes|No updates are to be performed/i;
const POLL_MS = 2_000;

/** Creates, updates and removes stacks of CloudFormation. */
export class Stacks {
  readonly #client: CloudFormationClient;
  readonly #print: Print;
  readonly #poll: number;

  /** @param poll Milliseconds between two status requests. */
  constructor(client: CloudFormationClient, print: Print, poll: number = POLL_MS) {
    this.#client = client;
    this.#print = print;
    this.#poll = poll;
  }

  /** Describes a stack; undefined when it does not exist. */
  async describe(name: string): Promise<StackDescription | undefined> {
    try {
      const { Stacks: found = [] } = await this.#client.send(new DescribeStacksCommand({ StackName: name }));
      return found.find(({ StackStatus }) => StackStatus !== "DELETE_COMPLETE");
    } catch (error) {
      if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
      throw error;
    }
  }

  /**
   * Creates or updates a stack, and waits until it is done. A previous operation is waited for first, and a stack from a
   * failed creation removed.
   *
   * @throws {Error} With the reasons that CloudFormation gives.
   */
  async apply(plan: StackPlan): Promise<Outputs> {
    const before = await this.#settled(plan.name);
    const isNew = before === undefined;
    const changeSet = await this.#changeSet(plan, before);
    if (changeSet === undefined) {
      this.#print(`stack ${plan.name}: unchanged`);
      return outputsOf(before);
    }
    const begun = new Date();
    await this.#client.send(new ExecuteChangeSetCommand({ ChangeSetName: changeSet, StackName: plan.name }));
    const after = await this.#follow(plan.name, begun);
    if (!/^(CREATE|UPDATE)_COMPLETE$/.test(after?.StackStatus ?? "")) {
      const reasons = await this.#failures(plan.name, begun);
      throw new Error(`Cannot ${isNew ? "create" : "update"} the stack ${plan.name}: ${reasons}`);
    }
    this.#print(`stack ${plan.name}: ${isNew ? "created" : "updated"}`);
    return outputsOf(after);
  }

  /** Removes a stack, if it exists, and waits until it is gone. */
  async remove(name: string): Promise<void> {
    if (await this.describe(name) === undefined) return this.#print(`stack ${name}: not found`);
    const begun = new Date();
    await this.#client.send(new DeleteStackCommand({ StackName: name }));
    const after = await this.#follow(name, begun);
    if (after !== undefined) {
      throw new Error(`Cannot remove the stack ${name}: ${await this.#failures(name, begun)}`);
    }
    this.#print(`stack ${name}: removed`);
  }

  /** Waits for a previous operation, and removes the stack of a failed creation. */
  async #settled(name: string): Promise<StackDescription | undefined> {
    let stack = await this.describe(name);
    if (/_IN_PROGRESS$/.test(stack?.StackStatus ?? "") && stack?.StackStatus !== "REVIEW_IN_PROGRESS") {
      this.#print(`stack ${name}: waiting for a previous operation (${stack?.StackStatus})`);
      stack = await this.#follow(name, new Date());
    }
    const status = stack?.StackStatus ?? "";
    if (status === "UPDATE_ROLLBACK_FAILED") {
      throw new Error(
        `Cannot update the stack ${name}: its status is ${status}; fix the problems in its events, and run ` +
          `"aws cloudformation continue-update-rollback --stack-name ${name}" first`,
      );
    }
    if (!FAILED_CREATION.test(status)) return stack;
    this.#print(`stack ${name}: removing the remains of an earlier attempt (${status})`);
    await this.remove(name);
    return undefined;
  }

  /** Creates a change set; undefined when there are no changes. */
  async #changeSet(plan: StackPlan, before: StackDescription | undefined): Promise<string | undefined> {
    const ChangeSetName = `deploy-${Date.now()}`;
    const id = { ChangeSetName, StackName: plan.name };
    const command = new CreateChangeSetCommand({
      ...id,
      ChangeSetType: before === undefined ? "CREATE" : "UPDATE",
      ...(plan.template === undefined ? { UsePreviousTemplate: true } : { TemplateBody: plan.template }),
      Parameters: [...plan.parameters(before)],
      Capabilities: ["CAPABILITY_IAM"],
      Tags: [{ Key: plan.tag.key, Value: plan.tag.value }],
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      // CloudFormation reports it here or in the change set.
      if (error instanceof Error && UNCHANGED.test(error.message)) return undefined;
      throw error;
    }
    for (;;) {
      const { Status, StatusReason = "", Changes = [] } = await this.#client.send(
        new DescribeChangeSetCommand(id),
      );
      if (Status === "CREATE_COMPLETE") {
        this.#print(`stack ${plan.name}: ${countOf(Changes.length, "change")}`);
        return ChangeSetName;
      }
      if (Status === "FAILED") {
        await this.#client.send(new DeleteChangeSetCommand(id));
        if (UNCHANGED.test(StatusReason)) return undefined;
        throw new Error(`Cannot create a change set for the stack ${plan.name}: ${StatusReason}`);
      }
      await this.#pause();
    }
  }

  /** Prints events until the operation is done; undefined when the stack is gone. */
  async #follow(name: string, since: Date): Promise<StackDescription | undefined> {
    const printed = new Set<string>();
    for (;;) {
      const stack = await this.describe(name);
      if (stack === undefined) return undefined;
      for (const event of await this.#events(stack.StackId ?? name, since)) {
        if (printed.has(event.EventId!)) continue;
        printed.add(event.EventId!);
        this.#print(`  ${lineOf(event)}`);
      }
      if (!/_IN_PROGRESS$/.test(stack.StackStatus ?? "")) return stack;
      await this.#pause();
    }
  }

  /** Events since a time, the oldest first. */
  async #events(stackName: string, since: Date): Promise<StackEvent[]> {
    const command = new DescribeStackEventsCommand({ StackName: stackName });
    const { StackEvents = [] } = await this.#client.send(command);
    return StackEvents.filter(({ Timestamp, EventId }) => EventId && Timestamp && Timestamp >= since)
      .reverse();
  }

  async #failures(name: string, since: Date): Promise<string> {
    const events = await this.#events(name, since).catch(() => []);
    const failed = events.filter(({ ResourceStatus, ResourceStatusReason = "" }) =>
      /_FAILED$/.test(ResourceStatus ?? "") && !/cancelled/i.test(ResourceStatusReason)
    );
    return failed.length === 0 ? "its events have no reason" : failed.map(lineOf).join("; ");
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#poll));
  }
}

function outputsOf(stack: StackDescription | undefined): Outputs {
  return Object.fromEntries(
    (stack?.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]),
  );
}

function lineOf({ LogicalResourceId, ResourceStatus, ResourceStatusReason }: StackEvent): string {
  return `${LogicalResourceId} ${ResourceStatus}${ResourceStatusReason ? `: ${ResourceStatusReason}` : ""}`;
}
