import { Buffer } from "node:buffer";
import { isIP, isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { RawClient } from "./raw_client.ts";

/** Longer than the server waits for a resolver or a target. */
const PATIENCE_MS = 20_000;

/** A way into the agent's port. */
export type Door = "connect" | "absolute" | "websocket" | "socks_name" | "socks_address";

/** What came back through a door. */
export interface DoorAnswer {
  /** HTTP status; undefined at the doors of SOCKS5. */
  readonly status: number | undefined;
  /** Reply code of SOCKS5 (RFC 1928 section 6); undefined at the doors of HTTP. */
  readonly reply: number | undefined;
  /** All that came, as Latin-1 text. */
  readonly text: string;
}

/** The doors through which a host can be asked for; an address has one more. */
export function doorsFor(host: string): Door[] {
  const doors: Door[] = ["connect", "absolute", "websocket", "socks_name"];
  return isIP(host) !== 0 && !host.includes("%") ? [...doors, "socks_address"] : doors;
}

/** Asks for a target, written as it is but for the brackets of an IPv6 address, and reads all of the answer. */
export async function knock(proxyPort: number, door: Door, host: string, port: number): Promise<DoorAnswer> {
  const client = new RawClient(proxyPort, PATIENCE_MS);
  try {
    client.socket.write(door.startsWith("socks") ? socks(door, host, port) : http(door, host, port));
    const text = await client.rest();
    const isSocks = door.startsWith("socks");
    return {
      text,
      status: isSocks ? undefined : Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]),
      // Behind the two bytes that choose a method.
      reply: isSocks ? text.charCodeAt(3) : undefined,
    };
  } finally {
    await client.close();
  }
}

function http(door: Door, host: string, port: number): Buffer {
  const authority = `${isIPv6(host) && !host.includes("%") ? `[${host}]` : host}:${port}`;
  const target = door === "connect" ? `CONNECT ${authority}` : `GET http://${authority}/`;
  const fields = door === "websocket"
    ? ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${KEY}`]
    : ["Connection: close"];
  return Buffer.from([`${target} HTTP/1.1`, "Host: a.example", ...fields, "", ""].join("\r\n"));
}

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function socks(door: Door, host: string, port: number): Buffer {
  const name = Buffer.from(host);
  const address = door === "socks_name"
    ? [3, name.length, ...name]
    : [isIPv4(host) ? 1 : 4, ...ipaddr.parse(host).toByteArray()];
  return Buffer.from([5, 1, 0, 5, 1, 0, ...address, port >> 8, port & 0xff]);
}
