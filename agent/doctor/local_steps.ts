import { certsCommand } from "../../shared/cli/command_line.ts";
import { SallyportError } from "../../shared/errors.ts";
import { hostPort } from "../../shared/net/host_port.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { type CertificateProblemKind, certificateProblemOf } from "../../shared/pki/certificate_problem.ts";
import { daysLeft, expiriesOf, nearnessOf } from "../../shared/pki/identity/expiry.ts";
import { type Identity, loadIdentity } from "../../shared/pki/identity/identity.ts";
import type { IdentitySource } from "../../shared/pki/identity/identity.ts";
import { keyModeWarning } from "../../shared/pki/x509/private_key.ts";
import { subjectOf } from "../../shared/pki/x509/names.ts";
import { countOf } from "../../shared/text/count_of.ts";
import { CONSOLE_HOST } from "../config/config.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { fail, type Finding, pass, skip, type Step } from "./step.ts";

/** Can the configuration be read? */
export const configuration: Step = {
  name: "configuration",
  needs: [],
  async run(diagnosis) {
    try {
      const config = diagnosis.config = await diagnosis.context.load();
      const { cloud, upstream, serverIp, serverPort, warnings } = config;
      const server = cloud === undefined
        ? `server ${serverIp}, port ${serverPort}`
        : `server found through ${cloud.endpoints.wake.origin}`;
      const through = upstream && `, through the proxy ${upstream.proxy.url.host} (${upstream.source})`;
      warnings.forEach((warning) => diagnosis.progress(warning));
      return pass(server + (through ?? ""));
    } catch (error) {
      return fail("configuration", SallyportError.from(error).message);
    }
  },
};

/** A port that the agent listens on. */
interface LocalPort {
  readonly key: "local_proxy_port" | "console_port";
  readonly host: string;
  readonly port: number;
}

/** Are the agent's own ports free, or does a running agent have them? */
export const ports: Step = {
  name: "ports",
  needs: ["configuration"],
  async run({ config: { localProxyHost, localProxyPort, consolePort }, context }) {
    const own: readonly LocalPort[] = [
      { key: "local_proxy_port", host: localProxyHost, port: localProxyPort },
      { key: "console_port", host: CONSOLE_HOST, port: consolePort },
    ];
    const errors = own.map(listenError);
    const taken = own.find((_, at) => errors[at] !== undefined);
    if (taken === undefined) {
      const shown = own.map(({ key, port }) => `${key} ${port === 0 ? "(any free port)" : port}`);
      return pass(`free: ${shown.join(", ")}`);
    }
    const running = consolePort === 0 ? undefined : await context.runningAgent(consolePort);
    if (running?.proxy.port === localProxyPort) {
      const { state, links } = running;
      return pass([`agent already running, state: ${state}`, ...links.lines].join("; "), {
        links: links.json,
      });
    }
    const isAgents = taken.key === "console_port"
      ? running !== undefined
      : await context.isAgentProxy(taken.host, taken.port);
    return fail("ports", takenText(taken, errors[own.indexOf(taken)]!, isAgents));
  },
};

function takenText({ key, host, port }: LocalPort, error: string, isAgents: boolean): string {
  if (!isAgents) return `${key}: ${error}`;
  return `${key}: Cannot listen on ${hostPort(host, port)}: another Sallyport agent uses this port; ` +
    `use that agent, stop it, or set ${key} to another port`;
}

/** Listens on the port for a moment; undefined if that works. */
function listenError({ host, port }: LocalPort): string | undefined {
  try {
    Deno.listen({ hostname: host, port }).close();
    return undefined;
  } catch (error) {
    return fromOsError(error, `listen on ${hostPort(host, port)}`).message;
  }
}

const DATE_PROBLEMS: readonly (CertificateProblemKind | undefined)[] = [
  "expired",
  "not_yet_valid",
  "issuer_dates",
];

/** Are the agent's certificate, key and CA readable, do they match, and are they valid now? */
export const certificate: Step = {
  name: "certificate",
  needs: ["configuration"],
  async run(diagnosis) {
    const source = diagnosis.config.identity;
    try {
      const identity = diagnosis.identity = await loadIdentity(source, "clientAuth");
      return pass(`${identityText(identity)}${revocationText(identity)}${await keyWarning(source)}`);
    } catch (error) {
      const { message } = SallyportError.from(error);
      const problem = certificateProblemOf(error);
      const isAboutDates = DATE_PROBLEMS.includes(problem?.kind);
      return fail(isAboutDates ? "certificate_dates" : "certificate", message, problem?.validity);
    }
  },
};

function identityText(identity: Identity): string {
  const leaf = identity.chain[0]!;
  const [first] = expiriesOf(identity).sort((a, b) => a.end.getTime() - b.end.getTime());
  const now = Date.now();
  const left = countOf(daysLeft(first!.end, now), "day");
  const warning = nearnessOf(first!, now) === "far" ? "" : ` (the ${first!.what} expires soon: renew it)`;
  const issuer = leaf.issuer.replaceAll("\n", ", ");
  return `${subjectOf(leaf)}, issued by ${issuer}, key matches, valid for ${left}${warning}`;
}

/** The agent's own list; the server has one too, which decides. */
function revocationText({ revocation }: Identity): string {
  const lists = revocation?.byAuthority ?? [];
  return lists.map(({ issuer, entries, nextUpdate }) =>
    `; revocation list of ${issuer}: ${entries} entries, next update ${nextUpdate.toISOString()}`
  ).join("");
}

async function keyWarning({ key }: IdentitySource): Promise<string> {
  const warning = "file" in key ? await keyModeWarning(key.file) : undefined;
  return warning === undefined ? "" : `; warning: ${warning}`;
}

/** Does the agent's own list revoke its certificate? Later steps run anyway. */
export const revocation: Step = {
  name: "revocation",
  needs: ["certificate"],
  run: (diagnosis) => Promise.resolve(revocationFinding(diagnosis)),
};

function revocationFinding({ identity: { chain, revocation, revoked }, config }: Diagnosis): Finding {
  if (revocation === undefined) return skip("crl_file is not set; the server's list decides");
  const subject = subjectOf(chain[0]!);
  if (revoked === undefined) return pass(`${subject} is not on the list in crl_file`);
  return {
    ...fail("certificate_revoked", `${subject}: it ${revoked}`),
    advice: replaceAdvice(config.identity),
  };
}

/** Names the files that the configuration names. */
export function replaceAdvice({ cert, key }: Pick<IdentitySource, "cert" | "key">): string {
  const name = (source: IdentitySource["cert"], variable: string) =>
    "file" in source ? source.file : variable;
  const files = `${name(cert, "SALLYPORT_CERT_PEM")} and ${name(key, "SALLYPORT_KEY_PEM")}`;
  return `Get a new certificate from the CA (${certsCommand("issue")}), and replace ${files}`;
}
