import type { X509Certificate } from "node:crypto";
import { DER, type DerElement, readDer } from "./der.ts";

/** What a certificate of ours is for: the listener's carries `serverAuth`, the dialer's `clientAuth`. */
export type KeyUsage = "serverAuth" | "clientAuth";

/** What the names of a certificate are; texts as they stand in it, addresses as bytes in hex. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  readonly addresses: readonly string[];
}

// Object identifiers, as the DER has them.
const COMMON_NAME = "550403"; // 2.5.4.3
const ALTERNATIVE_NAME = "551d11"; // 2.5.29.17
const EXTENDED_KEY_USAGE = "551d25"; // 2.5.29.37
const PURPOSES: Readonly<Record<string, KeyUsage>> = {
  "2b06010505070301": "serverAuth", // 1.3.6.1.5.5.7.3.1
  "2b06010505070302": "clientAuth", // 1.3.6.1.5.5.7.3.2
};

/** Tag of the version, which comes first and may be left out (RFC 5280 section 4.1). */
const VERSION = 0xa0;
/** Tags of RFC 5280 section 4.2.1.6. */
const DNS_NAME = 0x82;
const URI = 0x86;
const IP_ADDRESS = 0x87;
/** Tag of a UTF8String; the others that occur in names hold a byte a character. */
const UTF8_STRING = 0x0c;

/**
 * What `node:crypto` of Deno cannot tell about a certificate, read from its DER. Its texts are no help: there,
 * a name that contains ", DNS:" looks like two.
 */
export interface CertificateFields {
  /** The common name of the subject, the last if there are several; "" when it has none. */
  readonly commonName: string;
  /** What it is for (RFC 5280 section 4.2.1.12), of the uses known here; none when it does not say. */
  readonly usages: readonly KeyUsage[];
  readonly names: AlternativeNames;
}

/** Reads the fields of a certificate. */
export function certificateFields(certificate: X509Certificate): CertificateFields {
  const [whole] = readDer(certificate.raw);
  const [signed] = readDer(whole?.content);
  const parts = readDer(signed?.content);
  // serial number, signature algorithm, issuer, validity, subject
  const subject = parts[parts[0]?.tag === VERSION ? 5 : 4];
  const extensions = extensionsOf(parts);
  const purposes = readDer(extensions.get(EXTENDED_KEY_USAGE)?.content);
  const names = readDer(extensions.get(ALTERNATIVE_NAME)?.content);
  return {
    commonName: commonNameOf(subject),
    usages: purposes.flatMap(({ content }) => PURPOSES[content.toHex()] ?? []),
    names: {
      dns: names.filter(({ tag }) => tag === DNS_NAME).map(({ content }) => latin1.decode(content)),
      uris: names.filter(({ tag }) => tag === URI).map(({ content }) => latin1.decode(content)),
      addresses: names.filter(({ tag }) => tag === IP_ADDRESS).map(({ content }) => content.toHex()),
    },
  };
}

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** The values of the extensions by identifier; each is one SEQUENCE for those that are asked for here. */
function extensionsOf(parts: readonly DerElement[]): Map<string, DerElement> {
  const found = new Map<string, DerElement>();
  const [list] = readDer(parts.find(({ tag }) => tag === DER.extensions)?.content);
  for (const extension of readDer(list?.content)) {
    const [id, ...rest] = readDer(extension.content);
    const [value] = readDer(rest.find(({ tag }) => tag === DER.octetString)?.content);
    if (id !== undefined && value?.tag === DER.sequence) found.set(id.content.toHex(), value);
  }
  return found;
}

function commonNameOf(subject: DerElement | undefined): string {
  let name = "";
  for (const set of readDer(subject?.content)) {
    for (const attribute of readDer(set.content)) {
      const [id, value] = readDer(attribute.content);
      if (id?.content.toHex() !== COMMON_NAME || value === undefined) continue;
      name = (value.tag === UTF8_STRING ? utf8 : latin1).decode(value.content);
    }
  }
  return name;
}
