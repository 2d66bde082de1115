import {
  CertificateAuthority,
  type CertifiedKey,
  type LeafOptions,
} from "../../../agent/certs/authority/certificate_authority.ts";
import type { Identity } from "../../../shared/pki/identity/identity.ts";
import { loadIdentity } from "../../../shared/pki/identity/identity.ts";

/** Name in the certificates of test servers. */
export const TEST_SERVER_NAME = "sallyport-server";

const DAY_MS = 86_400_000;

/** Validity of a certificate that expired an hour ago. */
export const EXPIRED = daysFromNow(-2, -1 / 24);
/** Validity of a certificate that becomes valid in an hour. */
export const NOT_YET_VALID = daysFromNow(1 / 24, 1);

/** A throwaway CA for one test. It issues valid certificates unless the test overrides something. */
export class TestPki {
  private constructor(readonly authority: CertificateAuthority) {}

  /** Creates a CA with a new key. */
  static async create(commonName = "Test CA"): Promise<TestPki> {
    return new TestPki(
      await CertificateAuthority.create({ commonName, notAfter: daysFromNow(0, 2).notAfter }),
    );
  }

  /** The CA's certificate, PEM. */
  get ca(): string {
    return this.authority.files.cert;
  }

  /** A server's certificate and key. */
  serverKey(options: Partial<LeafOptions> = {}): Promise<CertifiedKey> {
    return this.authority.issue({
      commonName: TEST_SERVER_NAME,
      usages: ["serverAuth"],
      alternativeNames: [{ type: "dns", value: TEST_SERVER_NAME }],
      notAfter: daysFromNow(0, 1).notAfter,
      ...options,
    });
  }

  /** A client's certificate and key. */
  clientKey(options: Partial<LeafOptions> = {}): Promise<CertifiedKey> {
    return this.authority.issue({
      commonName: "test-client",
      usages: ["clientAuth"],
      notAfter: daysFromNow(0, 1).notAfter,
      ...options,
    });
  }

  /** A server's identity that trusts this CA. */
  async server(): Promise<Identity> {
    return await this.identity(await this.serverKey());
  }

  /** A client's identity that trusts this CA. */
  async client(): Promise<Identity> {
    return await this.identity(await this.clientKey());
  }

  /** An identity that trusts this CA, with a certificate that must be valid. */
  async identity({ cert, key }: CertifiedKey): Promise<Identity> {
    return await loadIdentity({ cert: { pem: cert }, key: { pem: key }, ca: { pem: this.ca } });
  }

  /** An identity that trusts this CA, with any certificate, unchecked: for peers that must be refused. */
  async forged({ cert, key }: CertifiedKey): Promise<Identity> {
    return { ...await this.client(), cert, key };
  }
}

function daysFromNow(begin: number, end: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(Date.now() + begin * DAY_MS),
    notAfter: new Date(Date.now() + end * DAY_MS),
  };
}
