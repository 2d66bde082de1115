import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import {
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from "@aws-sdk/client-ecs";
import { type Program, startProgram } from "../programs/programs.ts";
import type { AwsEnvironment } from "./moto.ts";

/** Milliseconds between two checks of the desired count. */
const INTERVAL = 200;

/** What a {@linkcode Scheduler} runs. */
export interface SchedulerInit {
  readonly cluster: string;
  readonly service: string;
  readonly family: string;
  /** Environment of every server; address and port are added. */
  readonly env: AwsEnvironment;
  readonly port: number;
}

interface Running {
  readonly arn: string;
  readonly ip: string;
  readonly program: Program;
}

/**
 * The part of ECS that moto does not emulate: runs the desired number of servers, each as a process at the public address
 * of its task, and stops surplus ones with SIGTERM.
 */
export class Scheduler implements AsyncDisposable {
  readonly #init: SchedulerInit;
  readonly #ecs = new ECSClient({});
  readonly #ec2 = new EC2Client({});
  readonly #servers: Running[] = [];
  #stopped = false;
  /** Why it has stopped. */
  #error: unknown;
  readonly #loop: Promise<void>;
  /** Addresses of all servers so far, in the order of their start. */
  readonly addresses: string[] = [];
  /** Logs of stopped servers. */
  readonly endedLogs: string[] = [];

  /** Starts. */
  constructor(init: SchedulerInit) {
    this.#init = init;
    this.#loop = this.#run().catch((error) => void (this.#error = error));
  }

  /** Number of running servers. */
  get running(): number {
    return this.#servers.length;
  }

  /** Desired number of servers. */
  async desired(): Promise<number> {
    const { cluster, service } = this.#init;
    const { services = [] } = await this.#ecs.send(
      new DescribeServicesCommand({ cluster, services: [service] }),
    );
    return services[0]?.desiredCount ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    while (this.#servers.length > 0) await this.#stopOne();
    if (this.#error !== undefined) throw this.#error;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const desired = await this.desired();
      while (this.#servers.length < desired && !this.#stopped) await this.#startOne();
      while (this.#servers.length > desired) await this.#stopOne();
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }

  async #startOne(): Promise<void> {
    const { cluster, service, family, env, port } = this.#init;
    const { Subnets = [] } = await this.#ec2.send(new DescribeSubnetsCommand({}));
    const subnets = Subnets.slice(0, 1).map(({ SubnetId = "" }) => SubnetId);
    const filter = { Name: "vpc-id", Values: [Subnets[0]?.VpcId ?? ""] };
    const { SecurityGroups = [] } = await this.#ec2.send(
      new DescribeSecurityGroupsCommand({ Filters: [filter] }),
    );
    const securityGroups = SecurityGroups.slice(0, 1).map(({ GroupId = "" }) => GroupId);
    // moto drops the network of a task definition from CloudFormation.
    await this.#ecs.send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: "awsvpc",
        containerDefinitions: [{ name: "server", image: "server", memory: 512 }],
      }),
    );
    const ran = await this.#ecs.send(
      new RunTaskCommand({
        cluster,
        taskDefinition: family,
        group: `service:${service}`,
        launchType: "FARGATE",
        networkConfiguration: { awsvpcConfiguration: { subnets, securityGroups } },
      }),
    );
    const task = ran.tasks![0]!;
    const details = task.attachments!.flatMap(({ details = [] }) => details);
    const NetworkInterfaceId = details.find(({ name }) => name === "networkInterfaceId")!.value!;
    const { AllocationId, PublicIp } = await this.#ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    const ip = PublicIp!;
    const program = await startProgram("server", [], {
      env: {
        ...env,
        SALLYPORT_LISTEN_ADDR: ip,
        SALLYPORT_LISTEN_PORT: String(port),
        SALLYPORT_HEALTH_PORT: "0",
      },
    });
    this.#servers.push({ arn: task.taskArn!, ip, program });
    await program.log.waitFor("server listening");
    // Only now it can be found, as a running task.
    await this.#ec2.send(new AssociateAddressCommand({ AllocationId, NetworkInterfaceId }));
    this.addresses.push(ip);
  }

  async #stopOne(): Promise<void> {
    const { arn, program } = this.#servers.shift()!;
    await this.#ecs.send(new StopTaskCommand({ cluster: this.#init.cluster, task: arn }));
    const { code } = await program.stop();
    this.endedLogs.push(program.log.text);
    if (code !== 0) {
      throw new Error(`Cannot go on: a server ended with code ${code}; it wrote:\n${program.log.text}`);
    }
  }
}
