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
import type { Say } from "./say.ts";

/** What a stack is to become. */
export interface StackPlan {
  readonly name: string;
  /** The template; undefined keeps the one that is there. */
  readonly template: string | undefined;
  /**
   * Values of the template's parameters.
   * @param before The stack that is changed; undefined where one is made, also in place of one that came to nothing.
   */
  parameters(before: StackDescription | undefined): readonly Parameter[];
  /** A tag that everything gets, so that its cost can be told from that of the rest. */
  readonly tag: { readonly key: string; readonly value: string };
}

/** Outputs of a stack, by name. */
export type Outputs = Readonly<Record<string, string>>;

/** Statuses from which CloudFormation lets nothing happen but deletion; nothing of value is in them. */
const STILLBORN = /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED|REVIEW_IN_PROGRESS)$/;
const UNCHANGED = /didn't contain changes|No updates are to be performed/i;
const POLL = 2_000;

/** CloudFormation, as far as a deployment uses it. */
export class Stacks {
  readonly #client: CloudFormationClient;
  readonly #say: Say;
  readonly #poll: number;

  /** @param poll Milliseconds between two looks at what is under way. */
  constructor(client: CloudFormationClient, say: Say, poll: number = POLL) {
    this.#client = client;
    this.#say = say;
    this.#poll = poll;
  }

  /** Describes a stack; undefined when there is none. */
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
   * Makes a stack what the plan says, and waits until it is. What an earlier attempt left behind is waited for, or
   * removed where CloudFormation lets nothing else happen.
   *
   * @throws {Error} With the reasons of CloudFormation when it fails.
   */
  async apply(plan: StackPlan): Promise<Outputs> {
    const before = await this.#settled(plan.name);
    const isNew = before === undefined;
    const changeSet = await this.#changeSet(plan, before);
    if (changeSet === undefined) {
      this.#say(`stack ${plan.name}: nothing to change`);
      return outputsOf(before);
    }
    const begun = new Date();
    await this.#client.send(new ExecuteChangeSetCommand({ ChangeSetName: changeSet, StackName: plan.name }));
    const after = await this.#follow(plan.name, begun);
    if (!/^(CREATE|UPDATE)_COMPLETE$/.test(after?.StackStatus ?? "")) {
      const reasons = await this.#failures(plan.name, begun);
      throw new Error(`Cannot ${isNew ? "make" : "change"} the stack ${plan.name}: ${reasons}`);
    }
    this.#say(`stack ${plan.name}: ${isNew ? "made" : "changed"}`);
    return outputsOf(after);
  }

  /** Removes a stack and waits until it is gone; does nothing when there is none. */
  async remove(name: string): Promise<void> {
    if (await this.describe(name) === undefined) return this.#say(`stack ${name}: there is none`);
    const begun = new Date();
    await this.#client.send(new DeleteStackCommand({ StackName: name }));
    const after = await this.#follow(name, begun);
    if (after !== undefined) {
      throw new Error(`Cannot remove the stack ${name}: ${await this.#failures(name, begun)}`);
    }
    this.#say(`stack ${name}: removed`);
  }

  /** Waits for what is under way, and removes what cannot become anything. */
  async #settled(name: string): Promise<StackDescription | undefined> {
    let stack = await this.describe(name);
    if (/_IN_PROGRESS$/.test(stack?.StackStatus ?? "") && stack?.StackStatus !== "REVIEW_IN_PROGRESS") {
      this.#say(`stack ${name}: waiting for an earlier change (${stack?.StackStatus})`);
      stack = await this.#follow(name, new Date());
    }
    const status = stack?.StackStatus ?? "";
    if (status === "UPDATE_ROLLBACK_FAILED") {
      throw new Error(
        `Cannot change the stack ${name}: it is ${status}; look at its events, mend what they name, and run ` +
          `"aws cloudformation continue-update-rollback --stack-name ${name}" first`,
      );
    }
    if (!STILLBORN.test(status)) return stack;
    this.#say(`stack ${name}: removing what an earlier attempt left (${status})`);
    await this.remove(name);
    return undefined;
  }

  /** Asks what would change; undefined when nothing would. */
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
      // Some say it at once, and some in the change set.
      if (error instanceof Error && UNCHANGED.test(error.message)) return undefined;
      throw error;
    }
    for (;;) {
      const { Status, StatusReason = "", Changes = [] } = await this.#client.send(
        new DescribeChangeSetCommand(id),
      );
      if (Status === "CREATE_COMPLETE") {
        this.#say(`stack ${plan.name}: ${Changes.length} changes`);
        return ChangeSetName;
      }
      if (Status === "FAILED") {
        await this.#client.send(new DeleteChangeSetCommand(id));
        if (UNCHANGED.test(StatusReason)) return undefined;
        throw new Error(`Cannot plan the change of the stack ${plan.name}: ${StatusReason}`);
      }
      await this.#pause();
    }
  }

  /** Says what happens until nothing is under way any more; undefined when the stack is gone. */
  async #follow(name: string, since: Date): Promise<StackDescription | undefined> {
    const told = new Set<string>();
    for (;;) {
      const stack = await this.describe(name);
      if (stack === undefined) return undefined;
      for (const event of await this.#events(stack.StackId ?? name, since)) {
        if (told.has(event.EventId!)) continue;
        told.add(event.EventId!);
        this.#say(`  ${lineOf(event)}`);
      }
      if (!/_IN_PROGRESS$/.test(stack.StackStatus ?? "")) return stack;
      await this.#pause();
    }
  }

  /** What happened since a time, the oldest first. */
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
    return failed.length === 0 ? "its events do not say why" : failed.map(lineOf).join("; ");
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
