import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import { withDeadline } from "../../shared/net/deadline.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { addressOf } from "../upstream/upstream_proxy.ts";
import type { Diagnosis, HostAndPort } from "./diagnosis.ts";
import { openPath, pathProblem, proxyProblem } from "./path.ts";
import { fail, type Finding, pass, type ProblemFinding, skip, type Step } from "./step.ts";

/** Does the proxy connect to the server or, if only the cloud knows the server, to the cloud functions? */
export const proxy: Step = {
  name: "proxy",
  needs: ["configuration"],
  async run(diagnosis) {
    const { config: { upstream, cloud }, options: { timeoutMs } } = diagnosis;
    if (upstream === undefined) return skip("no proxy is configured");
    const target = diagnosis.servers[0] ?? (cloud && addressOf(cloud.endpoints.wake));
    if (target === undefined) return fail("internal", "no address to connect to is known");
    const via = diagnosis.via(target);
    if (via === undefined) return skip(`NO_PROXY exempts ${target.host}`);
    try {
      const connection = await openPath(target, timeoutMs, via);
      connection.destroy();
      return pass(`${via.url.host} connects to ${target.host}, port ${target.port}`);
    } catch (error) {
      const finding = await proxyProblem(error, via, timeoutMs);
      diagnosis.proxyProblem = finding.problem;
      return finding;
    }
  },
};

/** Do the names resolve that this machine has to look up? */
export const names: Step = {
  name: "names",
  needs: ["configuration"],
  async run(diagnosis) {
    const all = [...new Set(namesOf(diagnosis))];
    if (all.length === 0) return skip("no names to look up on this machine");
    try {
      const resolved = await Promise.all(all.map((name) => resolve(name, diagnosis.options.timeoutMs)));
      return pass(resolved.join("; "));
    } catch (error) {
      return fail("dns", fromOsError(error, "resolve it").message);
    }
  },
};

/** Without those that the proxy looks up. */
function namesOf(diagnosis: Diagnosis): string[] {
  const { cloud } = diagnosis.config;
  const endpoints = cloud === undefined
    ? []
    : Object.values(cloud.endpoints).filter((url) => url !== undefined);
  const targets: HostAndPort[] = [...diagnosis.servers, ...endpoints.map(addressOf)];
  return targets.filter((target) => diagnosis.via(target) === undefined)
    .map(({ host }) => host)
    .filter((host) => isIP(host) === 0);
}

async function resolve(name: string, timeoutMs: number): Promise<string> {
  try {
    const addresses = await withDeadline(
      { doing: `resolve ${name}`, timeoutMs, late: lookupTimeout },
      () => lookup(name, { all: true }),
    );
    return `${name} is ${addresses.map(({ address }) => address).join(", ")}`;
  } catch (error) {
    throw fromOsError(error, `resolve ${name}`);
  }
}

function lookupTimeout(): Error {
  return Object.assign(new Error("the lookup timed out"), { code: "ETIMEOUT" });
}

/** Does a server accept a TCP connection? With several servers one is enough, as for the agent. */
export const server: Step = {
  name: "server",
  needs: ["configuration", "names", "proxy", "fleet"],
  async run(diagnosis) {
    let first: ProblemFinding | undefined;
    for (const address of diagnosis.servers) {
      const finding = await connectTo(diagnosis, address);
      if (finding.result === "pass") return finding;
      if (finding.result === "fail") first ??= finding;
    }
    return first ?? fail("internal", "no address of a server is known");
  },
};

async function connectTo(diagnosis: Diagnosis, address: HostAndPort): Promise<Finding> {
  const { options: { timeoutMs } } = diagnosis;
  const via = diagnosis.via(address);
  const began = performance.now();
  try {
    diagnosis.server = { address, connection: await openPath(address, timeoutMs, via) };
    const how = via === undefined ? "" : ` through the proxy ${via.url.host}`;
    const tookMs = Math.round(performance.now() - began);
    return pass(`connected to ${address.host}, port ${address.port}${how} after ${tookMs} ms`);
  } catch (error) {
    if (via !== undefined) return await proxyProblem(error, via, timeoutMs);
    return fail(pathProblem(error, "unreachable"), SallyportError.from(error).message);
  }
}
