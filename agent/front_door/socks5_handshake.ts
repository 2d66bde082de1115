import { Buffer } from "node:buffer";
import { isIPv6 } from "node:net";
import { type Authority, isHostName } from "./authority.ts";
import type { Authorize } from "./proxy_auth.ts";

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
  /** The client asked for something that it cannot have: say `bytes` and hang up. */
  | { kind: "refuse"; bytes: Uint8Array; problem: string }
  /** This is not SOCKS5: hang up. */
  | { kind: "hang_up"; problem: string }
  /** Send `bytes` and go on. */
  | { kind: "answer"; bytes: Uint8Array };

const VERSION = 0x05;
const NO_AUTHENTICATION = 0x00;
const USER_AND_PASSWORD = 0x02;
const NO_METHOD = 0xff;
/** Version and status of RFC 1929 section 2. */
const SUBNEGOTIATION = 0x01;
const GRANTED = 0x00;
const DENIED = 0x01;
const CONNECT = 0x01;

/** Says that no method is acceptable, whatever was offered (RFC 1928 section 3). */
export const SOCKS5_NO_METHOD: Uint8Array = Uint8Array.of(VERSION, NO_METHOD);

/** Builds the reply to a request (RFC 1928 section 6). The bound address is the server's affair: 0.0.0.0:0. */
export function socks5Reply(reply: Socks5Reply): Uint8Array {
  return Uint8Array.of(VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0);
}

/**
 * The server's half of a SOCKS5 handshake (RFC 1928), with user name and password (RFC 1929) where they are
 * asked for, from bytes to steps. Nothing here knows a socket.
 */
export class Socks5Handshake {
  readonly #authorize: Authorize | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #stage: "greeting" | "credentials" | "request" | "over" = "greeting";

  /** @param authorize Who may ask; everybody where it is undefined. */
  constructor(authorize?: Authorize) {
    this.#authorize = authorize;
  }

  /** Takes bytes as they come, in pieces of any size; after the step that ends it, they are ignored. */
  push(bytes: Uint8Array): Socks5Step[] {
    if (this.#stage === "over") return [];
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    const steps: Socks5Step[] = [];
    if (this.#stage === "greeting") this.#greeting(steps);
    if (this.#stage === "credentials") this.#credentials(steps);
    if (this.#stage === "request") this.#request(steps);
    return steps;
  }

  /** RFC 1928 section 3. */
  #greeting(steps: Socks5Step[]): void {
    const [version = VERSION, count] = this.#buffer;
    if (version !== VERSION) {
      return this.#end(steps, { kind: "hang_up", problem: `version ${version} is not 5` });
    }
    if (count === undefined || this.#buffer.length < 2 + count) return;
    const methods = this.#buffer.subarray(2, 2 + count);
    this.#buffer = this.#buffer.subarray(2 + count);
    const method = this.#authorize === undefined ? NO_AUTHENTICATION : USER_AND_PASSWORD;
    if (!methods.includes(method)) {
      return this.#end(steps, { kind: "refuse", bytes: SOCKS5_NO_METHOD, problem: noMethod(method) });
    }
    this.#stage = method === NO_AUTHENTICATION ? "request" : "credentials";
    steps.push({ kind: "answer", bytes: Uint8Array.of(VERSION, method) });
  }

  /** RFC 1929 section 2. */
  #credentials(steps: Socks5Step[]): void {
    const [version = SUBNEGOTIATION, userLength = 0] = this.#buffer;
    if (version !== SUBNEGOTIATION) return this.#deny(steps, `user name and password of version ${version}`);
    const passwordAt = 2 + userLength + 1;
    if (this.#buffer.length < passwordAt) return;
    const end = passwordAt + this.#buffer[passwordAt - 1]!;
    if (this.#buffer.length < end) return;
    const user = this.#buffer.subarray(2, 2 + userLength);
    const password = this.#buffer.subarray(passwordAt, end);
    if (!this.#authorize!({ user, password })) return this.#deny(steps, "wrong user name or password");
    this.#buffer = this.#buffer.subarray(end);
    this.#stage = "request";
    steps.push({ kind: "answer", bytes: Uint8Array.of(SUBNEGOTIATION, GRANTED) });
  }

  #deny(steps: Socks5Step[], problem: string): void {
    this.#end(steps, { kind: "refuse", bytes: Uint8Array.of(SUBNEGOTIATION, DENIED), problem });
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
    this.#end(steps, { kind: "refuse", bytes: socks5Reply(SOCKS5_REPLIES[reply]), problem });
  }

  #end(steps: Socks5Step[], step: Socks5Step): void {
    this.#stage = "over";
    this.#buffer = Buffer.alloc(0);
    steps.push(step);
  }
}

function noMethod(wanted: number): string {
  return wanted === USER_AND_PASSWORD
    ? "the client offers no user name and password"
    : "the client insists on authentication";
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
