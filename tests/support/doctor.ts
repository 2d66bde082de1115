import assert from "node:assert/strict";
import { createServer } from "node:tls";
import type { CertifiedKey } from "../../agent/certs/authority.ts";
import type { ProblemName } from "../../agent/doctor/problems.ts";
import type { Chain } from "./chain.ts";
import type { TestPki } from "./pki.ts";
import { startProgram } from "./programs.ts";
import { serve, type Serving } from "./serving.ts";

/** What `agent doctor --json` prints. */
export interface DoctorReport {
  readonly ok: boolean;
  readonly exit_code: number;
  readonly cause?: { readonly step: string; readonly problem: ProblemName };
  readonly steps: readonly {
    readonly name: string;
    readonly outcome: "pass" | "fail" | "skipped";
    readonly detail: string;
    readonly problem?: ProblemName;
    readonly because?: string;
  }[];
}

/** How the agent is set up that is examined. */
export interface Patient {
  /** Keys of its configuration, which it gets by its environment. */
  readonly keys: Readonly<Record<string, string | number>>;
  /** Options of the command. */
  readonly args?: readonly string[];
  /** Variables beside those of the keys. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the agent in its place. */
  readonly wrapper?: readonly string[];
}

/** An examination that is over. */
export class Examination {
  constructor(readonly code: number, readonly report: DoctorReport) {}

  /** What a step found. */
  step(name: string): DoctorReport["steps"][number] {
    const step = this.report.steps.find((each) => each.name === name);
    return step ?? assert.fail(`there is no step ${name}`);
  }

  /** Asserts what stands in the way, that the exit code says so, and that no step after it failed by itself. */
  assertCause(step: string, problem: ProblemName, exitCode: number): void {
    const shown = JSON.stringify(this.report, undefined, 1);
    assert.deepEqual(this.report.cause, { step, problem }, shown);
    assert.deepEqual([this.code, this.report.exit_code], [exitCode, exitCode], shown);
    const { steps } = this.report;
    const later = steps.slice(steps.findIndex(({ name }) => name === step) + 1);
    for (const { outcome, because } of later) {
      if (outcome === "fail") assert.equal(because, step, shown);
    }
  }
}

/** Runs `agent doctor --json` as a real program; what it is to reach is on this machine. */
export async function examined({ keys, args = [], env, wrapper }: Patient): Promise<Examination> {
  await using program = await startProgram("agent", ["doctor", "--json", "--timeout", "2s", ...args], {
    env: { ...environmentOf(keys), ...env },
    ...(wrapper === undefined ? {} : { wrapper }),
  });
  const { code } = await program.ended;
  assert.ok(program.out.text.endsWith("}\n"), `it printed ${program.out.text}\n${program.log.text}`);
  return new Examination(code, JSON.parse(program.out.text));
}

/** Variables that give an agent its keys, on any ports unless they say which. */
export function environmentOf(keys: Patient["keys"]): Record<string, string> {
  const all = Object.entries({ local_proxy_port: 0, console_port: 0, ...keys });
  return Object.fromEntries(all.map(([key, value]) => [`SALLYPORT_${key.toUpperCase()}`, `${value}`]));
}

/** Keys of an agent of a chain, whose server may run. */
export function keysOf(chain: Chain): Record<string, string | number> {
  const file = (name: string) => `${chain.dir}/certs/${name}`;
  return {
    server_ip: "127.0.0.1",
    server_port: chain.serverPort || 1,
    cert_file: file("client.crt"),
    key_file: file("client.key"),
    ca_cert_file: file("ca.crt"),
  };
}

/** Keys of an agent with a certificate of a CA. */
export function keysWith(pki: TestPki, { cert, key }: CertifiedKey): Record<string, string | number> {
  return { server_ip: "127.0.0.1", cert_pem: cert, key_pem: key, ca_cert_pem: pki.ca };
}

/**
 * A server that speaks TLS with a certificate, and nothing of Sallyport.
 *
 * @param says What it sends after the handshake. @default {nothing}
 */
export function startTlsServer({ cert, key }: CertifiedKey, says = ""): Promise<Serving> {
  return serve(createServer({ cert, key, minVersion: "TLSv1.3" }, (socket) => {
    socket.on("error", () => {});
    if (says !== "") socket.write(says);
    socket.resume();
  }));
}
