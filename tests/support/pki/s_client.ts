import { within } from "../within.ts";
import { TEST_SERVER_NAME } from "./pki.ts";

/** Output of `openssl s_client` about one connection to 127.0.0.1. */
export interface SClientRun {
  /** Whether the handshake resumed an earlier TLS session. */
  readonly resumed: boolean;
  readonly text: string;
}

/** s_client prints this when it has a session ticket. */
const TICKET = "Post-Handshake New Session Ticket arrived";

/**
 * Runs `openssl s_client` until the server hangs up or, with `-sess_out`, until it has a session ticket.
 */
export async function sClient(port: number, args: readonly string[]): Promise<SClientRun> {
  const target = ["-connect", `127.0.0.1:${port}`, "-tls1_3", "-servername", TEST_SERVER_NAME];
  const command = new Deno.Command("openssl", {
    args: ["s_client", ...target, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  });
  const child = command.spawn();
  const stdin = child.stdin.getWriter();
  let text = "";
  const reading = (async () => {
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (args.includes("-sess_out") && text.includes(TICKET)) await stdin.close().catch(() => {});
    }
  })();
  try {
    await within(10_000, Promise.all([reading, child.status]), "openssl s_client ends");
  } catch (error) {
    child.kill("SIGKILL");
    await child.status;
    throw new Error(`${error}; openssl wrote:\n${text}`);
  } finally {
    await stdin.close().catch(() => {});
  }
  return { resumed: /^Reused, TLSv1\.3/m.test(text), text };
}
