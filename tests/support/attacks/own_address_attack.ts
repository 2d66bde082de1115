/**
 * A script for a network namespace: clients request services of the server's own machine through the tunnel, at its
 * public addresses. Prints JSON: the answers, how many connections the services got, and the audited reasons.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { Chain } from "../programs/chain.ts";
import { requestFormsFor, sendRequest } from "../programs/proxy_request.ts";
import { eventually } from "../eventually.ts";
import { terminal } from "../../../shared/cli/terminal.ts";

/** What {@linkcode runAttack} prints. */
export interface AttackReport {
  /** By scene, then by kind of request and address: an HTTP status or a SOCKS5 reply. */
  readonly answers: Record<string, Record<string, number>>;
  /** Connections that the service got, by scene. */
  readonly reached: Record<string, number>;
  /** Audited reasons of the refusals, each text once, by scene. */
  readonly details: Record<string, readonly string[]>;
}

/** Addresses of the machine: two of one network, and one of IPv6. */
export const ADDRESSES = ["52.0.0.1", "52.0.0.2", "2600:1f00::1"] as const;

const NO_ANSWER = -1;

async function runAttack(): Promise<AttackReport> {
  let connections = 0;
  const service = createServer((_request, response) => void response.end("internal"));
  let serves = false;
  service.on("connection", (socket) => {
    connections++;
    // A tunnel that should not exist must not make the test wait.
    if (!serves) socket.destroy();
  });
  service.on("upgrade", (_request, socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  service.listen(0, "::");
  await once(service, "listening");
  const { port } = service.address() as { port: number };
  const closed = port === 9 ? 10 : 9;
  const report: AttackReport = { answers: {}, reached: {}, details: {} };

  const scene = async (name: string, allow: readonly string[], pick: (chain: Chain) => number) => {
    connections = 0;
    serves = allow.length > 0;
    await using chain = await Chain.start({ allow, server: { listen_addr: "0.0.0.0" } });
    const answers: Record<string, number> = report.answers[name] = {};
    for (const address of ADDRESSES) {
      for (const form of requestFormsFor(address)) {
        if (allow.length > 0 && form !== "absolute") continue;
        const answer = await sendRequest(chain.proxyPort, form, address, pick(chain)).catch(() => undefined);
        answers[`${form} ${address}`] = answer?.status ?? answer?.reply ?? NO_ANSWER;
      }
    }
    const count = Object.keys(answers).length;
    const lines = await eventually("the audit lines", () => {
      const { lines } = chain.server.out;
      if (lines.length < count) throw new Error(`${lines.length} of ${count} lines`);
      return lines.map(({ fields }) => String(fields["detail"] ?? ""));
    });
    report.details[name] = [...new Set(lines.map((text) => text.replace(/^.*: (the server)/, "$1")))].sort();
    report.reached[name] = connections;
    await chain.finish();
  };

  await scene("open", [], () => port);
  await scene("closed", [], () => closed);
  await scene("allowed", [...ADDRESSES], () => port);
  await scene("own port", [...ADDRESSES], (chain) => chain.serverPort);
  service.closeAllConnections();
  service.close();
  return report;
}

if (import.meta.main) terminal.out(`${JSON.stringify(await runAttack())}\n`);
