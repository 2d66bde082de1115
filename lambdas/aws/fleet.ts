import { DescribeNetworkInterfacesCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  type Service,
  type Task,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import { CLIENT_OPTIONS } from "../../shared/aws/client_options.ts";
import { CloudError, cloudErrorOf } from "../../shared/aws/cloud_error.ts";
import { problemOf } from "./problem.ts";
import { newestStart } from "./newest_start.ts";

/** Which ECS service runs the servers. */
export interface FleetName {
  readonly cluster: string;
  readonly service: string;
  /** Port of the servers, as returned to agents. */
  readonly port: number;
}

/** How old the fleet is, for Sleep and Kill. */
export interface FleetAge {
  /** Desired number of servers. */
  readonly desired: number;
  /** How many servers are running; more than desired while some are replaced. */
  readonly running: number;
  /** When the newest server started, see `newestStart`; undefined when ECS does not say. */
  readonly newestStart: Date | undefined;
}

/** Most tasks that one ECS call can describe. */
const MAX_TASKS = 100;

/** The servers as ECS has them. Every method throws {@linkcode CloudError}. */
export class Fleet {
  readonly #name: FleetName;
  readonly #ecs = new ECSClient(CLIENT_OPTIONS);
  readonly #ec2 = new EC2Client(CLIENT_OPTIONS);

  constructor(name: FleetName) {
    this.#name = name;
  }

  /** The addresses of the servers that are running and not stopping, and why others do not start. */
  async status(signal: AbortSignal): Promise<FleetStatus> {
    const service = await this.#service(signal);
    if ((service.desiredCount ?? 0) === 0) return { state: "stopped", servers: [] };
    const tasks = await this.#tasks("RUNNING", signal);
    const running = tasks.filter(({ lastStatus, desiredStatus }) =>
      lastStatus === "RUNNING" && desiredStatus === "RUNNING"
    );
    const servers = (await this.#addresses(running, signal)).map((ip) => ({ ip, port: this.#name.port }));
    if (servers.length > 0) return { state: "running", servers };
    const problem = problemOf(service, await this.#tasks("STOPPED", signal));
    return { state: "starting", servers, ...(problem === undefined ? {} : { problem }) };
  }

  /** How many servers are desired, and when the newest started. */
  async age(signal: AbortSignal): Promise<FleetAge> {
    const service = await this.#service(signal);
    const { desiredCount: desired = 0, runningCount: running = 0 } = service;
    if (desired === 0) return { desired, running, newestStart: undefined };
    const tasks = await this.#tasks("RUNNING", signal);
    return {
      desired,
      running,
      newestStart: newestStart(service, tasks, await this.#tasks("STOPPED", signal)),
    };
  }

  /** Sets the desired count to at least `count`; changes nothing when it is high enough already. */
  async wake(count: number, signal: AbortSignal): Promise<void> {
    const { desiredCount = 0 } = await this.#service(signal);
    if (desiredCount < count) await this.#setDesired(count, signal);
  }

  /** Sets the desired count to 0, unless it is 0 already. */
  async stop(signal: AbortSignal): Promise<void> {
    const { desiredCount = 0 } = await this.#service(signal);
    if (desiredCount > 0) await this.#setDesired(0, signal);
  }

  async #setDesired(desiredCount: number, abortSignal: AbortSignal): Promise<void> {
    const { cluster, service } = this.#name;
    try {
      await this.#ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount }), { abortSignal });
    } catch (error) {
      throw cloudErrorOf(error, `set the number of servers of ${this.#shown} to ${desiredCount}`);
    }
  }

  async #service(abortSignal: AbortSignal): Promise<Service> {
    const { cluster, service } = this.#name;
    try {
      const command = new DescribeServicesCommand({ cluster, services: [service] });
      const { services = [] } = await this.#ecs.send(command, { abortSignal });
      const found = services[0];
      if (found === undefined || found.status !== "ACTIVE") {
        const what = found === undefined ? "not found" : `it is ${found.status}`;
        throw new CloudError("service_missing", `Cannot find the ECS service ${this.#shown}: ${what}`);
      }
      return found;
    } catch (error) {
      throw cloudErrorOf(error, `describe the ECS service ${this.#shown}`);
    }
  }

  async #tasks(desiredStatus: "RUNNING" | "STOPPED", abortSignal: AbortSignal): Promise<Task[]> {
    const { cluster, service: serviceName } = this.#name;
    try {
      const list = new ListTasksCommand({ cluster, serviceName, desiredStatus, maxResults: MAX_TASKS });
      const { taskArns: tasks = [] } = await this.#ecs.send(list, { abortSignal });
      if (tasks.length === 0) return [];
      const described = await this.#ecs.send(new DescribeTasksCommand({ cluster, tasks }), { abortSignal });
      return described.tasks ?? [];
    } catch (error) {
      throw cloudErrorOf(error, `describe the tasks of ${this.#shown}`);
    }
  }

  /** Public addresses of tasks, from their network interfaces; tasks without one are left out. */
  async #addresses(tasks: readonly Task[], abortSignal: AbortSignal): Promise<string[]> {
    const interfaces = tasks.flatMap(interfacesOf);
    if (interfaces.length === 0) return [];
    try {
      // By filter and not by id: the whole call would fail for the id of an interface that is gone with its task.
      const Filters = [{ Name: "network-interface-id", Values: interfaces }];
      const command = new DescribeNetworkInterfacesCommand({ Filters });
      const { NetworkInterfaces = [] } = await this.#ec2.send(command, { abortSignal });
      return NetworkInterfaces.flatMap(({ Association }) => Association?.PublicIp ?? []);
    } catch (error) {
      throw cloudErrorOf(error, "look up the servers' public addresses");
    }
  }

  get #shown(): string {
    return `${this.#name.cluster}/${this.#name.service}`;
  }
}

function interfacesOf({ attachments = [] }: Task): string[] {
  return attachments.flatMap(({ details = [] }) => details)
    .flatMap(({ name, value }) => name === "networkInterfaceId" && value ? [value] : []);
}
