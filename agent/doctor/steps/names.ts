import { addressOf } from "../../../shared/tls/upstream_proxy.ts";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { fromOsError } from "../../../shared/net/os_error.ts";
import { fail, pass, skip } from "../finding.ts";
import type { Found, HostAndPort } from "../found.ts";
import { inTime } from "../in_time.ts";
import type { Step } from "../step.ts";

/** Do the names resolve that this machine has to look up? */
export const names: Step = {
  name: "names",
  needs: ["configuration"],
  async look(found) {
    const all = [...new Set(namesOf(found))];
    if (all.length === 0) return skip("there is no name that this machine has to look up");
    try {
      const shown = await Promise.all(all.map((name) => resolved(name, found.options.timeoutMs)));
      return pass(shown.join("; "));
    } catch (error) {
      return fail("dns", fromOsError(error, "resolve it").message);
    }
  },
};

/** What goes through a proxy, the proxy looks up. */
function namesOf(found: Found): string[] {
  const { cloud } = found.config;
  const endpoints = cloud === undefined
    ? []
    : Object.values(cloud.endpoints).filter((url) => url !== undefined);
  const targets: HostAndPort[] = [
    ...found.servers,
    ...endpoints.map(addressOf),
  ];
  return targets.filter((target) => found.via(target) === undefined)
    .map(({ host }) => host)
    .filter((host) => isIP(host) === 0);
}

async function resolved(name: string, timeoutMs: number): Promise<string> {
  try {
    const found = await inTime(lookup(name, { all: true }), timeoutMs, timedOut);
    return `${name} is ${found.map(({ address }) => address).join(", ")}`;
  } catch (error) {
    throw fromOsError(error, `resolve ${name}`);
  }
}

function timedOut(): Error {
  return Object.assign(new Error("it takes too long"), { code: "ETIMEOUT" });
}
