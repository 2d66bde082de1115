import type { X509Certificate } from "node:crypto";
import ipaddr from "ipaddr.js";
import { foldHostName } from "../../net/host_name.ts";
import { latin1 } from "../../text/latin1.ts";
import { DER, type DerElement, readDer } from "./der.ts";

/** Subject alternative names (RFC 5280 section 4.2.1.6); texts as they stand in the DER, addresses as bytes in hex. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  readonly addresses: readonly string[];
}

/** The names that identify a host. */
type HostNames = Pick<AlternativeNames, "dns" | "addresses">;

const COMMON_NAME = "550403"; // 2.5.4.3

const utf8 = new TextDecoder();

/** Returns the common name, the last if there are several; "" when there is none. */
export function commonNameOf(name: DerElement | undefined): string {
  const value = attributesOf(name).findLast(({ id }) => id === COMMON_NAME)?.value;
  if (value === undefined) return "";
  // The other string types that occur in names have one byte per character.
  return value.tag === DER.utf8String ? utf8.decode(value.content) : latin1(value.content);
}

/** Returns a text that is equal for two names that differ only in the types of their strings. */
export function comparableName(name: DerElement | undefined): string {
  return attributesOf(name).map(({ id, value }) => `${id}=${value.content.toHex()}`).join("+");
}

function attributesOf(name: DerElement | undefined): { id: string; value: DerElement }[] {
  const sets = readDer(name?.content);
  return sets.flatMap(({ content }) => readDer(content)).flatMap(({ content }) => {
    const [id, value] = readDer(content);
    return id === undefined || value === undefined ? [] : [{ id: id.content.toHex(), value }];
  });
}

/** Names the subject of a certificate in messages; one without a subject has its serial number. */
export function subjectOf(certificate: X509Certificate): string {
  return nameOnOneLine(certificate.subject) || `serial ${certificate.serialNumber}`;
}

/** Writes a distinguished name on one line; the runtime puts each part on its own. */
export function nameOnOneLine(name: string): string {
  return name.split("\n").join(", ");
}

/**
 * Tells whether a certificate is valid for a server name or address (RFC 9525 section 6). Only alternative names count,
 * not the common name; `*` stands for one whole label, the first.
 */
export function matchesServerName(names: HostNames, serverName: string): boolean {
  if (ipaddr.isValid(serverName)) {
    const bytes = new Uint8Array(ipaddr.parse(serverName).toByteArray()).toHex();
    return names.addresses.includes(bytes);
  }
  const wanted = foldHostName(serverName);
  const parent = wanted.slice(wanted.indexOf("."));
  return names.dns.map(foldHostName).some((name) =>
    name === wanted || name.startsWith("*.") && wanted.includes(".") && name.slice(1) === parent
  );
}

/** Lists the names for messages. */
export function listNames({ dns, addresses }: HostNames): string {
  const all = [...dns, ...addresses.map(shownAddress)].map((name) => JSON.stringify(name));
  return all.length === 0 ? "no alternative name" : all.join(", ");
}

function shownAddress(hex: string): string {
  const bytes = [...Uint8Array.fromHex(hex)];
  return bytes.length === 4 || bytes.length === 16 ? ipaddr.fromByteArray(bytes).toString() : hex;
}
