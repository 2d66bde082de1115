/** Where one PEM text comes from: a file, which may be read again later, or the text itself. */
export type PemSource = { readonly file: string } | { readonly pem: string };

/** A text that is kept elsewhere and may be another each time that it is asked for. */
export interface KeptText {
  /** What to call it in messages, such as the name of a parameter. */
  readonly name: string;
  text(): string;
}

/** Where an endpoint's identity, and the CA that its peer has to belong to, come from. */
export interface IdentitySource {
  /** The endpoint's own certificate, with its chain if it has one. */
  readonly cert: PemSource;
  /** The private key of that certificate. */
  readonly key: PemSource;
  /** The one private CA. */
  readonly ca: PemSource;
  /** The CA's list of certificates that it took back; a file may be DER too. @default {none} */
  readonly crl?: PemSource | KeptText | undefined;
}

/** The files of a source, in its order; what was given as text has none. */
export function filesOf({ cert, key, ca, crl }: IdentitySource): string[] {
  return [cert, key, ca, crl].flatMap((part) => part !== undefined && "file" in part ? [part.file] : []);
}
