import { Buffer } from "node:buffer";
import { isIPv6 } from "node:net";
import { isHostName } from "../../../shared/net/host_name.ts";
import type { Authority } from "../client/request_authority.ts";
import type { Authorize } from "../client/proxy_auth.ts";

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

/** The next step of a handshake; the first three end it. */
export type Socks5Step =
  /** The client asks for `target`; `rest` are its first bytes for the target. */
  | { kind: "connect"; target: Authority; rest: Uint8Array }
  /** The request is refused: send `bytes` and close. */
  | { kind: "refuse"; bytes: Uint8Array; reason: string }
  /** This is not SOCKS5: close. */
  | { kind: "close"; reason: string }
  /** Send `bytes` and continue. */
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

/** The reply that no offered method is acceptable (RFC 1928 section 3). */
export const SOCKS5_NO_METHOD: Uint8Array = Uint8Array.of(VERSION, NO_METHOD);

/** Encodes the reply to a request (RFC 1928 section 6). The bound address is not known here: 0.0.0.0:0. */
export function socks5Reply(reply: Socks5Reply): Uint8Array {
  return Uint8Array.of(VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0);
}

/**
 * The server side of a SOCKS5 handshake (RFC 1928), with user name and password (RFC 1929) if they are required.
 * It turns bytes into steps and knows no sockets.
 */
export class Socks5Handshake {
  readonly #authorize: Authorize | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #stage: "greeting" | "credentials" | "request" | "done" = "greeting";

  /** @param authorize Checks credentials; without it none are needed. */
  constructor(authorize?: Authorize) {
    this.#authorize = authorize;
  }

  /** Takes bytes in pieces of any size; after the step that ends the handshake they are ignored. */
  push(bytes: Uint8Array): Socks5Step[] {
    if (this.#stage === "done") return [];
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
      return this.#end(steps, { kind: "close", reason: `version ${version} is not 5` });
    }
    if (count === undefined || this.#buffer.length < 2 + count) return;
    const methods = this.#buffer.subarray(2, 2 + count);
    this.#buffer = this.#buffer.subarray(2 + count);
    const method = this.#authorize === undefined ? NO_AUTHENTICATION : USER_AND_PASSWORD;
    if (!methods.includes(method)) {
      return this.#end(steps, { kind: "refuse", bytes: SOCKS5_NO_METHOD, reason: noMethod(method) });
    }
    this.#stage = method === NO_AUTHENTICATION ? "request" : "credentials";
    steps.push({ kind: "answer", bytes: Uint8Array.of(VERSION, method) });
  }

  /** RFC 1929 section 2. */
  #credentials(steps: Socks5Step[]): void {
    const [version = SUBNEGOTIATION, userLength = 0] = this.#buffer;
    if (version !== SUBNEGOTIATION) return this.#deny(steps, `authentication version ${version} is not 1`);
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

  #deny(steps: Socks5Step[], reason: string): void {
    this.#end(steps, { kind: "refuse", bytes: Uint8Array.of(SUBNEGOTIATION, DENIED), reason });
  }

  /** RFC 1928 section 4. */
  #request(steps: Socks5Step[]): void {
    const [version = VERSION, command, , type] = this.#buffer;
    if (version !== VERSION) return this.#refuse(steps, "general", `version ${version} is not 5`);
    // Every request has these bytes, whatever its address type.
    if (command === undefined || type === undefined) return;
    const length = addressLength(type, this.#buffer[4]);
    if (length === undefined) {
      return this.#refuse(steps, "addressTypeUnknown", `address type ${type} is not supported`);
    }
    if (this.#buffer.length < 4 + length + 2) return;
    if (command !== CONNECT) {
      return this.#refuse(steps, "commandUnknown", `command ${command} is not supported`);
    }
    const host = readHost(type, this.#buffer.subarray(4, 4 + length));
    const port = this.#buffer.readUInt16BE(4 + length);
    if (host === undefined) return this.#refuse(steps, "general", "the address is not a valid host name");
    if (port === 0) return this.#refuse(steps, "general", "the port is 0");
    const rest = this.#buffer.subarray(4 + length + 2);
    this.#end(steps, { kind: "connect", target: { host, port }, rest });
  }

  #refuse(steps: Socks5Step[], reply: keyof typeof SOCKS5_REPLIES, reason: string): void {
    this.#end(steps, { kind: "refuse", bytes: socks5Reply(SOCKS5_REPLIES[reply]), reason });
  }

  #end(steps: Socks5Step[], step: Socks5Step): void {
    this.#stage = "done";
    this.#buffer = Buffer.alloc(0);
    steps.push(step);
  }
}

function noMethod(wanted: number): string {
  return wanted === USER_AND_PASSWORD
    ? "the client does not offer user name and password"
    : "the client requires an authentication method";
}

/** Length of an address in bytes, as far as it is known; undefined for an unknown type. */
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
