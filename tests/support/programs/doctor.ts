import assert from "node:assert/strict";
import { createServer } from "node:tls";
import type { CertifiedKey } from "../../../agent/certs/authority/certificate_authority.ts";
import type { SessionStatus } from "../../../agent/console/link_status.ts";
import type { ProblemName } from "../../../agent/doctor/problems.ts";
import type { Chain } from "./chain.ts";
import type { TestPki } from "../pki/pki.ts";
import { startProgram } from "./programs.ts";
import { serve, type Serving } from "../pki/serving.ts";

/** What `agent doctor --json` prints. */
export interface DoctorReport {
  readonly ok: boolean;
  readonly exit_code: number;
  readonly cause?: { readonly step: string; readonly problem: ProblemName };
  readonly steps: readonly {
    readonly name: string;
    readonly result: "pass" | "fail" | "skipped";
    readonly detail: string;
    readonly problem?: ProblemName;
    readonly caused_by?: string;
    readonly round_trip_ms?: number;
    readonly receive_bytes_per_s?: number;
    readonly links?: SessionStatus["links"];
  }[];
}

/** The agent that doctor checks. */
export interface DoctorSetup {
  /** Keys of its configuration, set by environment variables. */
  readonly keys: Readonly<Record<string, string | number>>;
  /** Options of the command. */
  readonly args?: readonly string[];
  /** Other variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that wraps the agent. */
  readonly wrapper?: readonly string[];
}

/** A finished run of doctor. */
export class DoctorRun {
  constructor(readonly code: number, readonly report: DoctorReport) {}

  /** The result of a step. */
  step(name: string): DoctorReport["steps"][number] {
    const step = this.report.steps.find((each) => each.name === name);
    return step ?? assert.fail(`there is no step ${name}`);
  }

  /** Asserts the cause and its exit code, and that no later step has another cause. */
  assertCause(step: string, problem: ProblemName, exitCode: number): void {
    const shown = JSON.stringify(this.report, undefined, 1);
    assert.deepEqual(this.report.cause, { step, problem }, shown);
    assert.deepEqual([this.code, this.report.exit_code], [exitCode, exitCode], shown);
    const { steps } = this.report;
    const later = steps.slice(steps.findIndex(({ name }) => name === step) + 1);
    for (const { result, caused_by } of later) {
      if (result === "fail") assert.equal(caused_by, step, shown);
    }
  }
}

/** Runs `agent doctor --json` as a real program; everything it reaches is on this machine. */
export async function runDoctor({ keys, args = [], env, wrapper }: DoctorSetup): Promise<DoctorRun> {
  await using program = await startProgram("agent", ["doctor", "--json", "--timeout", "2s", ...args], {
    env: { ...environmentOf(keys), ...env },
    ...(wrapper === undefined ? {} : { wrapper }),
  });
  const { code } = await program.ended;
  assert.ok(program.out.text.endsWith("}\n"), `it printed ${program.out.text}\n${program.log.text}`);
  return new DoctorRun(code, JSON.parse(program.out.text));
}

/** Variables that set an agent's keys, with free ports by default. */
export function environmentOf(keys: DoctorSetup["keys"]): Record<string, string> {
  const all = Object.entries({ local_proxy_port: 0, console_port: 0, ...keys });
  return Object.fromEntries(all.map(([key, value]) => [`SALLYPORT_${key.toUpperCase()}`, `${value}`]));
}

/** Keys of a chain's agent. */
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

/** Keys of an agent with a certificate from a CA. */
export function keysWith(pki: TestPki, { cert, key }: CertifiedKey): Record<string, string | number> {
  return { server_ip: "127.0.0.1", cert_pem: cert, key_pem: key, ca_cert_pem: pki.ca };
}

/**
 * A TLS server that is not a Sallyport server.
 *
 * @param says Sent after the handshake. @default {nothing}
 */
export function startTlsServer({ cert, key }: CertifiedKey, says = ""): Promise<Serving> {
  return serve(createServer({ cert, key, minVersion: "TLSv1.3" }, (socket) => {
    socket.on("error", () => {});
    if (says !== "") socket.write(says);
    socket.resume();
  }));
}
