import { startForeign } from "../../support/paths/helper.ts";
import { freePort, type Place, programPath, type Subject, type SubjectKind } from "./subject.ts";

const NAMES = ["stunnel", "stunnel4"] as const;

/**
 * stunnel: mutual TLS with a connection for each stream. It has one fixed target, the origin, so that its new tunnels
 * include no request to a proxy.
 */
export const STUNNEL: SubjectKind = {
  name: "stunnel",
  isPeer: true,

  async whyNot() {
    return await programPath(...NAMES) === undefined ? "no stunnel on this machine" : undefined;
  },

  async start({ path, dir, certificates, originPort }: Place): Promise<Subject> {
    const program = await programPath(...NAMES);
    if (program === undefined) throw new Error("no stunnel on this machine");
    await using stack = new AsyncDisposableStack();
    const run = async (end: "server" | "client", service: string) => {
      const file = `${dir}/stunnel_${end}.conf`;
      await Deno.writeTextFile(file, configuration(certificates, end, service));
      return stack.use(startForeign([...end === "server" ? path.far : path.near, program, file]));
    };
    const farPort = freePort();
    const server = await run(
      "server",
      `accept = ${path.farHost}:${farPort}\nconnect = 127.0.0.1:${originPort}`,
    );
    const far = await path.reach(farPort);
    const port = freePort();
    const client = await run(
      "client",
      `client = yes\naccept = 127.0.0.1:${port}\nconnect = ${far.host}:${far.port}`,
    );
    const moved = stack.move();
    return {
      route: { kind: "direct", port },
      programs: [server, client],
      pids: {},
      [Symbol.asyncDispose]: () => moved.disposeAsync(),
    };
  },
};

function configuration(certificates: string, end: "server" | "client", service: string): string {
  return `foreground = yes
pid =
debug = err
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[tunnel]
${service}
cert = ${certificates}/${end}.crt
key = ${certificates}/${end}.key
CAfile = ${certificates}/ca.crt
verifyChain = yes
sslVersionMin = TLSv1.3
`;
}
