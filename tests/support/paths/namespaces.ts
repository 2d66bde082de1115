import { explain } from "../../../shared/cli/terminal.ts";
import { whyMissing } from "../tools.ts";
import { Helper } from "./helper.ts";
import type { PacketPath } from "./packet_path.ts";
import type { TestPath } from "./test_path.ts";

/** What is simulated between the namespaces. */
type Simulated = Required<Pick<PacketPath, "delayMs" | "mbit" | "loss" | "queueBytes">>;

/** One of the namespaces at the ends. */
interface End {
  readonly namespace: string;
  /** The third number of its addresses towards the relay, the fourth of its address on the path. */
  readonly number: 1 | 2;
}

const VXLAN_PORT = 4789;

/**
 * A path of packets between two network namespaces: a VXLAN device in each of them sends to a relay in a third one.
 * Delay and loss need no module of the kernel this way, and every connection meets them as it would outside. The rate
 * is the kernel's (`tc`, tbf) where it has that, and otherwise the relay's too.
 *
 * @throws {Error} When this machine cannot have it.
 */
export async function namespacesPath(simulated: Simulated): Promise<TestPath> {
  if (Deno.build.os !== "linux") throw new Error("only Linux has network namespaces");
  const missing = await whyMissing("ip", "-V");
  if (missing !== undefined) throw new Error(missing);
  const path = new NamespacesPath();
  try {
    await path.start(simulated);
    return path;
  } catch (error) {
    await path[Symbol.asyncDispose]();
    throw new Error(`no lossy path: ${explain(error)}`, { cause: error });
  }
}

class NamespacesPath implements TestPath {
  readonly #prefix = `sallyport-path-${Deno.pid}`;
  readonly #ends: readonly End[] = [
    { namespace: `${this.#prefix}-near`, number: 1 },
    { namespace: `${this.#prefix}-far`, number: 2 },
  ];
  readonly #relayNamespace = `${this.#prefix}-relay`;
  readonly #made: string[] = [];
  #relay: Helper | undefined;
  readonly near = inside(this.#ends[0]!.namespace);
  readonly far = inside(this.#ends[1]!.namespace);
  readonly farHost = onPath(2);

  async start(simulated: Simulated): Promise<void> {
    for (const name of [this.#relayNamespace, ...this.#ends.map(({ namespace }) => namespace)]) {
      await ip("netns", "add", name);
      this.#made.push(name);
      await ip("-n", name, "link", "set", "lo", "up");
    }
    const limited = [];
    for (const end of this.#ends) limited.push(await this.#connect(end, simulated));
    const sides = ([1, 2] as const).map((number) => ({
      relay: toRelay(number, 2),
      device: toRelay(number, 1),
    }));
    const { mbit, ...rest } = simulated;
    const path = {
      ...rest,
      ...limited.every(Boolean) ? {} : { mbit },
      port: VXLAN_PORT,
      a: sides[0]!,
      b: sides[1]!,
    } satisfies PacketPath;
    this.#relay = new Helper(import.meta.resolve("./packet_relay.ts"), [JSON.stringify(path)], {
      wrapper: inside(this.#relayNamespace),
      flags: ["--unstable-net"],
    });
    await this.#relay.ready();
  }

  reach(farPort: number): Promise<{ host: string; port: number }> {
    return Promise.resolve({ host: this.farHost, port: farPort });
  }

  /** Packets that came while the relay was busy are lost besides those that it drops on purpose. */
  async note(): Promise<string | undefined> {
    const { out } = await output([...inside(this.#relayNamespace), "cat", "/proc/net/snmp"]);
    const [names = [], values = []] = out.split("\n").filter((line) => line.startsWith("Udp: ")).map((line) =>
      line.split(" ")
    );
    const count = (name: string) => Number(values[names.indexOf(name)] ?? 0);
    const [received, lost] = [count("InDatagrams"), count("RcvbufErrors")];
    return `the relay had no room for ${lost} of ${received + lost} packets`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay?.[Symbol.asyncDispose]();
    const removals = this.#made.splice(0).map((name) => ip("netns", "del", name));
    const failed = (await Promise.allSettled(removals)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** Connects an end with the relay, and returns whether the kernel limits its rate. */
  async #connect({ namespace, number }: End, simulated: Simulated): Promise<boolean> {
    const here = (...args: string[]) => ip("-n", namespace, ...args);
    const there = (...args: string[]) => ip("-n", this.#relayNamespace, ...args);
    const far = `end${number}`;
    // Room for the headers of VXLAN around packets of 1,500 bytes.
    const peer = ["netns", this.#relayNamespace, "mtu", "1600"];
    await here("link", "add", "under", "mtu", "1600", "type", "veth", "peer", "name", far, ...peer);
    await here("address", "add", `${toRelay(number, 1)}/30`, "dev", "under");
    await there("address", "add", `${toRelay(number, 2)}/30`, "dev", far);
    await here("link", "set", "under", "up");
    await there("link", "set", far, "up");
    // One packet is one datagram. No device in between completes checksums, so the receiving one does (remcsum).
    const device = ["link", "add", "path", "mtu", "1500", "gso_max_segs", "1", "type", "vxlan", "id", "1"];
    const to = ["remote", toRelay(number, 2), "dstport", String(VXLAN_PORT)];
    await here(...device, ...to, "nolearning", "remcsumtx", "remcsumrx");
    await here("address", "add", `${onPath(number)}/30`, "dev", "path");
    await here("link", "set", "path", "up");
    // What most machines use, whatever this one does.
    await here("route", "replace", `${onPath(0)}/30`, "dev", "path", "congctl", "cubic");
    const rate = ["rate", `${simulated.mbit}mbit`, "burst", "32k", "limit", String(simulated.queueBytes)];
    const limit = [...inside(namespace), "tc", "qdisc", "add", "dev", "under", "root", "tbf"];
    return (await output([...limit, ...rate])).success;
  }
}

/** An address of an end on the path; 0 for the network's. */
function onPath(number: 0 | 1 | 2): string {
  return `10.77.0.${number}`;
}

/** An address below the path: of the end (1) or of the relay (2). */
function toRelay(number: 1 | 2, host: 1 | 2): string {
  return `10.88.${number}.${host}`;
}

function inside(namespace: string): readonly string[] {
  return ["ip", "netns", "exec", namespace];
}

async function ip(...args: string[]): Promise<void> {
  const { success, errors } = await output(["ip", ...args]);
  if (!success) throw new Error(`ip ${args.slice(0, 6).join(" ")}: ${errors}`);
}

interface Output {
  readonly success: boolean;
  readonly out: string;
  readonly errors: string;
}

async function output([command, ...args]: string[]): Promise<Output> {
  const { success, stdout, stderr } = await new Deno.Command(command!, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { success, out: decoder.decode(stdout), errors: decoder.decode(stderr).trim() };
}
