import type { DoctorOptions } from "../doctor/found.ts";
import type { Shell } from "../shell/shells.ts";
import type { CertificateCommands } from "./certs_cli.ts";

/** What the agent's commands do. */
export interface AgentCommands {
  /** Runs the agent until it is told to stop, and returns the exit code. */
  run(configFile: string | undefined): Promise<number>;
  /** Tells how the agent is that runs; returns the exit code. */
  status(configFile: string | undefined, asJson: boolean): Promise<number>;
  /** Prints what makes a shell's programs go through the agent. */
  env(configFile: string | undefined, shell: Shell, withGit: boolean): Promise<void>;
  /** Runs a command that goes through the agent; returns its exit code. */
  exec(configFile: string | undefined, words: readonly string[], withGit: boolean): Promise<number>;
  /** Examines what the tunnel needs; returns the exit code. */
  doctor(configFile: string | undefined, options: DoctorOptions, asJson: boolean): Promise<number>;
  /** Loads what stands behind `certs`. */
  certificates(): Promise<CertificateCommands>;
}
