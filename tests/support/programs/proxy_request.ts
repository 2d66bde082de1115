import { Buffer } from "node:buffer";
import { isIP, isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { RawClient } from "../clients/raw_client.ts";

/** More than the server's timeouts for a resolver or a target. */
const PATIENCE_MS = 20_000;

/** A way to send a request to the agent's port. */
export type RequestForm = "connect" | "absolute" | "websocket" | "socks_name" | "socks_address";

/** The answer to a request. */
export interface ProxyAnswer {
  /** HTTP status; undefined for SOCKS5. */
  readonly status: number | undefined;
  /** Reply code of SOCKS5 (RFC 1928 section 6); undefined for HTTP. */
  readonly reply: number | undefined;
  /** The whole answer, as Latin-1 text. */
  readonly text: string;
}

/** The ways to request a host; an address has one more. */
export function requestFormsFor(host: string): RequestForm[] {
  const forms: RequestForm[] = ["connect", "absolute", "websocket", "socks_name"];
  return isIP(host) !== 0 && !host.includes("%") ? [...forms, "socks_address"] : forms;
}

/** Requests a target, as written except for the brackets of an IPv6 address, and reads the whole answer. */
export async function sendRequest(
  proxyPort: number,
  form: RequestForm,
  host: string,
  port: number,
): Promise<ProxyAnswer> {
  const client = new RawClient(proxyPort, PATIENCE_MS);
  try {
    client.socket.write(form.startsWith("socks") ? socks(form, host, port) : http(form, host, port));
    const text = await client.rest();
    const isSocks = form.startsWith("socks");
    return {
      text,
      status: isSocks ? undefined : Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]),
      // After the two bytes of the method selection.
      reply: isSocks ? text.charCodeAt(3) : undefined,
    };
  } finally {
    await client.close();
  }
}

function http(form: RequestForm, host: string, port: number): Buffer {
  const authority = `${isIPv6(host) && !host.includes("%") ? `[${host}]` : host}:${port}`;
  const target = form === "connect" ? `CONNECT ${authority}` : `GET http://${authority}/`;
  const fields = form === "websocket"
    ? ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${KEY}`]
    : ["Connection: close"];
  return Buffer.from([`${target} HTTP/1.1`, "Host: a.example", ...fields, "", ""].join("\r\n"));
}

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function socks(form: RequestForm, host: string, port: number): Buffer {
  const name = Buffer.from(host);
  const address = form === "socks_name"
    ? [3, name.length, ...name]
    : [isIPv4(host) ? 1 : 4, ...ipaddr.parse(host).toByteArray()];
  return Buffer.from([5, 1, 0, 5, 1, 0, ...address, port >> 8, port & 0xff]);
}

/** A refusal's text without the link to the guide, which has the address of the agent's console. */
export function withoutGuide(text: string): string {
  return text.replace(/^More: .*\n/m, "");
}
