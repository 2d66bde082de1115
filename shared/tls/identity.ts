import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { SallyportError } from "../errors.ts";
import { fromOsError } from "../net/os_error.ts";
import type { KeyUsage } from "./certificate_fields.ts";
import type { IdentitySource, PemSource } from "./identity_source.ts";
import { findFault } from "./trust.ts";

/** Who an endpoint is, and which peers it believes; checked, so that TLS can use it as it stands. */
export interface Identity {
  /** The endpoint's certificate and its chain, PEM. */
  readonly cert: string;
  /** The private key, PEM. */
  readonly key: string;
  /** The certificates of the private CA, PEM. */
  readonly ca: string;
  /** Those of `cert`, the endpoint's own first. */
  readonly chain: readonly X509Certificate[];
  /** Those of `ca`. */
  readonly authorities: readonly X509Certificate[];
}

/** A text and what to call it in messages. */
interface Material {
  readonly text: string;
  readonly name: string;
}

const PEM_BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----/gm;
const PEM_BLOCK = /^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gm;

/**
 * Loads a certificate, its key and the CA, and makes sure that they fit: TLS itself drops what it cannot read
 * of a CA in silence, and finds out about a wrong key only while it connects.
 *
 * @param usage What the certificate has to be for; undefined leaves that unasked.
 * @throws {SallyportError} `bad_request`, naming the file and what is wrong with it.
 */
export async function loadIdentity(source: IdentitySource, usage?: KeyUsage): Promise<Identity> {
  // One after the other, so that of several missing files it is always the first that is named.
  const certText = await read(source.cert, "certificate");
  const keyText = await read(source.key, "private key");
  const caText = await read(source.ca, "CA certificate");
  const chain = parseCertificates(certText);
  const authorities = parseCertificates(caText);
  const key = parseKey(keyText);
  authorities.forEach((authority, index) => {
    if (!authority.ca) throw unusable(caText, `entry ${index + 1} is not the certificate of a CA`);
  });
  if (!chain[0]!.checkPrivateKey(key)) {
    throw unusable(keyText, `it is not the key of the ${certText.name}`);
  }
  const fault = findFault({ chain, authorities, usage });
  if (fault !== undefined) throw unusable(certText, `it ${fault}`);
  return { cert: pemOf(chain), key: keyText.text, ca: pemOf(authorities), chain, authorities };
}

async function read(source: PemSource, what: string): Promise<Material> {
  if ("pem" in source) return { text: source.pem, name: `${what} given as text` };
  const name = `${what} ${source.file}`;
  try {
    return { text: await Deno.readTextFile(source.file), name };
  } catch (error) {
    const { message } = fromOsError(error, `read ${name}`);
    throw new SallyportError("bad_request", message, { cause: error });
  }
}

/** Reads every certificate of a PEM text, and at least one; other entries, such as a key, are passed over. */
function parseCertificates(material: Material): X509Certificate[] {
  const text = material.text.replaceAll("\r\n", "\n");
  const labels = [...text.matchAll(PEM_BEGIN)].map(([, label]) => label!);
  const blocks = text.match(PEM_BLOCK) ?? [];
  const foreign = labels.find((label) => label !== "CERTIFICATE" && label.endsWith("CERTIFICATE"));
  if (foreign !== undefined) {
    throw unusable(material, `it has an entry "${foreign}", which TLS would pass over`);
  }
  const expected = labels.filter((label) => label === "CERTIFICATE").length;
  if (expected === 0) throw unusable(material, "it has no entry BEGIN CERTIFICATE");
  if (blocks.length < expected) {
    throw unusable(material, `${expected - blocks.length} of its ${expected} entries is cut off`);
  }
  return blocks.map((block, index) => parseCertificate(block, index, material));
}

function parseCertificate(block: string, index: number, material: Material): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch (error) {
    throw unusable(material, `entry ${index + 1} cannot be read as a certificate`, error);
  }
}

function parseKey(material: Material): KeyObject {
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(material.text)) {
    throw unusable(material, "it is encrypted with a passphrase, which is not supported");
  }
  try {
    return createPrivateKey(material.text);
  } catch (error) {
    throw unusable(material, "it cannot be read as a PEM private key", error);
  }
}

/** What was checked is what TLS gets, and nothing that stood beside it. */
function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString().trim()).join("\n") + "\n";
}

function unusable({ name }: Material, problem: string, cause?: unknown): SallyportError {
  return new SallyportError("bad_request", `Cannot use ${name}: ${problem}`, { cause });
}
