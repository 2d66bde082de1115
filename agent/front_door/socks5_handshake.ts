import { Buffer } from "node:buffer";
import { isIPv6 } from "node:net";
import { type Authority, isHostName } from "./authority.ts";

/** Reply codes of RFC 1928 section 6. */
export const SOCKS5_REPLIES = {
  succeeded: 0x00,
  general: 0x01,
  denied: 0x02,
  networkUnreachable: 0x03,
  hostUnreachable: 0x04,
  refused: 0x05,
  timedOut: 0x06,
  commandUnknown: 0x07,
  addressTypeUnknown: 0x08,
} as const;

/** A reply code of RFC 1928 section 6. */
export type Socks5Reply = typeof SOCKS5_REPLIES[keyof typeof SOCKS5_REPLIES];

/** What the handshake came to; the first three end it. */
export type Socks5Step =
  /** The client wants to reach `target`; `rest` are its first bytes for it. */
  | { kind: "connect"; target: Authority; rest: Uint8Array }
  /** The client asked for something that it cannot have. */
  | { kind: "refuse"; reply: Socks5Reply; problem: string }
  /** This is not SOCKS5, or no method is shared: say `bytes`, if any, and hang up. */
  | { kind: "hang_up"; bytes: Uint8Array; problem: string }
  /** Send `bytes` and go on. */
  | { kind: "answer"; bytes: Uint8Array };

const VERSION = 0x05;
const NO_AUTHENTICATION = 0x00;
const NO_METHOD = 0xff;
const CONNECT = 0x01;
const NOTHING = new Uint8Array(0);

/** Builds the reply to a request (RFC 1928 section 6). The bound address is the server's affair: 0.0.0.0:0. */
export function socks5Reply(reply: Socks5Reply): Uint8Array {
  return Uint8Array.of(VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0);
}

/** The server's half of a SOCKS5 handshake (RFC 1928), from bytes to steps. Nothing here knows a socket. */
export class Socks5Handshake {
  #buffer: Buffer = Buffer.alloc(0);
  #stage: "greeting" | "request" | "over" = "greeting";

  /** Takes bytes as they come, in pieces of any size; after the step that ends it, they are ignored. */
  push(bytes: Uint8Array): Socks5Step[] {
    if (this.#stage === "over") return [];
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    const steps: Socks5Step[] = [];
    if (this.#stage === "greeting") this.#greeting(steps);
    if (this.#stage === "request") this.#request(steps);
    return steps;
  }

  /** RFC 1928 section 3. */
  #greeting(steps: Socks5Step[]): void {
    const [version = VERSION, count] = this.#buffer;
    if (version !== VERSION) {
      return this.#end(steps, { kind: "hang_up", bytes: NOTHING, problem: `version ${version} is not 5` });
    }
    if (count === undefined || this.#buffer.length < 2 + count) return;
    const methods = this.#buffer.subarray(2, 2 + count);
    this.#buffer = this.#buffer.subarray(2 + count);
    if (!methods.includes(NO_AUTHENTICATION)) {
      const bytes = Uint8Array.of(VERSION, NO_METHOD);
      return this.#end(steps, { kind: "hang_up", bytes, problem: "the client insists on authentication" });
    }
    this.#stage = "request";
    steps.push({ kind: "answer", bytes: Uint8Array.of(VERSION, NO_AUTHENTICATION) });
  }

  /** RFC 1928 section 4. */
  #request(steps: Socks5Step[]): void {
    const [version = VERSION, command, , type] = this.#buffer;
    if (version !== VERSION) return this.#refuse(steps, "general", `request of version ${version}`);
    // Two bytes more than the fixed part: whatever the type, there are that many.
    if (command === undefined || type === undefined) return;
    const length = addressLength(type, this.#buffer[4]);
    if (length === undefined) return this.#refuse(steps, "addressTypeUnknown", `address type ${type}`);
    if (this.#buffer.length < 4 + length + 2) return;
    if (command !== CONNECT) return this.#refuse(steps, "commandUnknown", `command ${command}`);
    const host = readHost(type, this.#buffer.subarray(4, 4 + length));
    const port = this.#buffer.readUInt16BE(4 + length);
    if (host === undefined) return this.#refuse(steps, "general", "the address is not a host name");
    if (port === 0) return this.#refuse(steps, "general", "port 0");
    const rest = this.#buffer.subarray(4 + length + 2);
    this.#end(steps, { kind: "connect", target: { host, port }, rest });
  }

  #refuse(steps: Socks5Step[], reply: keyof typeof SOCKS5_REPLIES, problem: string): void {
    this.#end(steps, { kind: "refuse", reply: SOCKS5_REPLIES[reply], problem });
  }

  #end(steps: Socks5Step[], step: Socks5Step): void {
    this.#stage = "over";
    this.#buffer = Buffer.alloc(0);
    steps.push(step);
  }
}

/** Bytes that an address takes, as far as they are known; undefined for a type that does not exist. */
function addressLength(type: number, first: number | undefined): number | undefined {
  if (type === 1) return 4;
  if (type === 4) return 16;
  return type === 3 ? 1 + (first ?? 0) : undefined;
}

function readHost(type: number, bytes: Buffer): string | undefined {
  if (type === 1) return bytes.join(".");
  if (type === 4) return readIPv6(bytes);
  const name = bytes.subarray(1).toString("latin1");
  return isHostName(name) || isIPv6(name) && !name.includes("%") ? name : undefined;
}

function readIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return groups.join(":");
}
