import { X509Certificate } from "node:crypto";
import { type Material, unusable } from "./material.ts";
import { pemBlocks } from "./pem.ts";

/**
 * Reads every certificate of a PEM text, and at least one; other entries, such as a key, are passed over.
 *
 * @throws {SallyportError} `bad_request`, naming the material, the entry and what is wrong with it.
 */
export function parseCertificates(material: Material): X509Certificate[] {
  return pemBlocks(material, "CERTIFICATE").map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw unusable(material, `entry ${index + 1} cannot be read as a certificate`, error);
    }
  });
}

/**
 * Reads the certificates of a CA.
 *
 * @throws {SallyportError} `bad_request`, as {@linkcode parseCertificates} does, and for one that is not a CA's.
 */
export function parseAuthorities(material: Material): X509Certificate[] {
  const authorities = parseCertificates(material);
  authorities.forEach((authority, index) => {
    if (!authority.ca) throw unusable(material, `entry ${index + 1} is not the certificate of a CA`);
  });
  return authorities;
}
