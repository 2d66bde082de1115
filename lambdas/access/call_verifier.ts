import { X509Certificate } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, importX509, jwtVerify } from "jose";
import { z } from "zod";
import type { Clock } from "../../shared/clock.ts";
import {
  type Action,
  audienceOf,
  CALL_ALGORITHMS,
  CALL_LIFETIME_MS,
  CALL_TYPE,
} from "../../shared/cloud/call.ts";
import { createClientRules, type FindEntry } from "../../shared/clients/rules.ts";
import { certificateFields } from "../../shared/pki/x509/certificate_fields.ts";
import { DER, readDer } from "../../shared/pki/x509/der.ts";
import type { CertificateProblem, CertificateProblemKind } from "../../shared/pki/certificate_problem.ts";
import { clientIdentity } from "../../shared/pki/peer_verification.ts";
import type { RevocationLists } from "../../shared/pki/revocation_lists.ts";
import { validatePath } from "../../shared/pki/path_validation.ts";
import { ReplayCache } from "./replay_cache.ts";

/** What certificates of callers are checked against. */
export interface Trust {
  /** The certificates of the private CA. */
  readonly authorities: readonly X509Certificate[];
  /**
   * The revoked certificates; undefined where no list is configured. Called only after all other checks: the list may
   * have to be read.
   */
  revocation(): Promise<RevocationLists | undefined>;
}

/** The parts of a request that are verified. */
export interface Call {
  /** The requested action. */
  readonly action: Action;
  /** The field `Authorization`; undefined when it is missing. */
  readonly authorization: string | undefined;
  /** Method of the request. */
  readonly method: string;
  /** Host name of the request, as reported by the cloud and not by the request itself. */
  readonly host: string;
  /** Path of the request. */
  readonly path: string;
  /** The only method that the function accepts. @default {any} */
  readonly accepts?: string;
}

/** An authenticated caller. */
export interface Caller {
  /** Common name of the certificate. */
  readonly commonName: string;
  /** Serial number of the certificate, in hex. */
  readonly serial: string;
  /** Identifies the client, as on the server: `clientIdentity` of its certificate. */
  readonly identity: string;
}

/** Why a call is refused, without any text from the caller: a bounded number of kinds. */
export type RefusalKind =
  | "token"
  | "claims"
  | "purpose"
  | "time"
  | "unreadable"
  | "signature"
  | "clients_allow"
  | "repeated"
  | `certificate_${CertificateProblemKind}`;

/** The caller is not authenticated or not allowed; the reason is for the log alone. */
export class AuthenticationError extends Error {
  override readonly name = "AuthenticationError";
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The caller is authenticated, but the request is refused; the caller learns the reason. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** `method`: the function accepts another one. `too_many`: the client has called too often recently. */
  readonly kind: "method" | "too_many";

  constructor(kind: "method" | "too_many", message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Characters of a token; three certificates with RSA keys fit. Checked before anything is parsed. */
const MAX_TOKEN = 16_384;

const HEADER = z.object({
  alg: z.enum(CALL_ALGORITHMS),
  typ: z.literal(CALL_TYPE),
  // All but the first are ignored: older agents send their whole file.
  x5c: z.array(z.string()).min(1).max(4),
});

const CLAIMS = z.object({
  aud: z.string(),
  htm: z.string(),
  host: z.string(),
  path: z.string(),
  iat: z.number(),
  jti: z.string().min(16).max(64),
});

type Claims = z.output<typeof CLAIMS>;

/**
 * Authenticates callers. A call must be signed with the key of a certificate that the server would accept, and be meant
 * for this function and fresh (the claims: shared/cloud/call.ts). The certificate must be issued directly by one of the
 * trusted authorities.
 *
 * Anyone can call, so the cheapest checks come first: the token's form, its claims and time, then the certificate, the
 * token's signature, and last the revocation list.
 */
export class CallVerifier {
  readonly #clock: Clock;
  readonly #findEntry: FindEntry;
  readonly #replays: ReplayCache;

  /**
   * @param findEntry The rules of `clients.allow`, as on the server.
   * @param maxCalls Accepted calls within two minutes, over all clients.
   */
  constructor(clock: Clock, findEntry: FindEntry = createClientRules([]), maxCalls?: number) {
    this.#clock = clock;
    this.#findEntry = findEntry;
    // A call from a clock that is ahead stays fresh for longer.
    this.#replays = new ReplayCache(clock, 2 * CALL_LIFETIME_MS, maxCalls);
  }

  /**
   * @throws {AuthenticationError} With the reason.
   * @throws {RequestError} When the caller is authenticated but the request is refused.
   * @throws Whatever `trust.revocation` throws.
   */
  async verify(call: Call, trust: Trust): Promise<Caller> {
    const token = tokenOf(call.authorization);
    const { alg, x5c: [der] } = headerOf(token);
    const at = new Date(this.#clock.wallTime());
    const { jti } = requirePurpose(claimsOf(token), call, at);
    const leaf = certificateOf(der!);
    const question = { chain: [leaf], authorities: trust.authorities, usage: "clientAuth", at } as const;
    requireNoProblem(validatePath({ ...question, mode: "standalone" }));
    await this.#requireSignature(token, alg, leaf, call.action);
    const fields = certificateFields(leaf);
    if (this.#findEntry(fields) === undefined) {
      throw new AuthenticationError("clients_allow", `clients.allow does not name ${shownName(fields)}`);
    }
    const revocation = await trust.revocation();
    requireNoProblem(validatePath({ ...question, revocation, mode: "standalone" }));
    const { accepts = call.method } = call;
    if (call.method !== accepts) {
      throw new RequestError("method", `Cannot accept ${call.method}: expected ${accepts}`);
    }
    // Only now: calls that failed another check must not fill the memory.
    const identity = clientIdentity(leaf);
    const id = this.#replays.add(identity, jti);
    if (id === "seen") throw new AuthenticationError("repeated", "its id was used before");
    if (id === "full") {
      throw new RequestError(
        "too_many",
        `Cannot accept the call: ${shownName(fields)} called too often in 2 minutes`,
      );
    }
    return { commonName: fields.commonName, serial: leaf.serialNumber, identity };
  }

  async #requireSignature(token: string, alg: string, leaf: X509Certificate, action: Action): Promise<void> {
    try {
      const key = await importX509(leaf.toString(), alg);
      await jwtVerify(token, key, {
        algorithms: [alg],
        audience: audienceOf(action),
        typ: CALL_TYPE,
        // Time is already checked, by the same clock.
        currentDate: new Date(this.#clock.wallTime()),
      });
    } catch (error) {
      throw new AuthenticationError("signature", `its signature is invalid: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
}

function tokenOf(authorization: string | undefined): string {
  const [, token] =
    /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization?.slice(0, MAX_TOKEN + 16) ?? "") ?? [];
  if (token === undefined || token.length > MAX_TOKEN) {
    throw new AuthenticationError("token", "it has no usable bearer token");
  }
  return token;
}

function headerOf(token: string): z.output<typeof HEADER> {
  try {
    return HEADER.parse(decodeProtectedHeader(token));
  } catch (error) {
    throw new AuthenticationError("token", `the header of its token is invalid: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** The claims of the token, not yet authenticated. */
function claimsOf(token: string): Claims {
  try {
    return CLAIMS.parse(decodeJwt(token));
  } catch (error) {
    throw new AuthenticationError("claims", `its claims are invalid: ${reasonOf(error)}`, { cause: error });
  }
}

/** RFC 7515 section 4.1.6: one certificate in DER. The parser alone also accepts PEM, and bytes after the end. */
function certificateOf(base64: string): X509Certificate {
  try {
    const der = Uint8Array.fromBase64(base64);
    const [whole] = readDer(der);
    if (whole?.tag !== DER.sequence || whole.raw.length !== der.length) {
      throw new Error("not a single DER value");
    }
    return new X509Certificate(der);
  } catch (error) {
    throw new AuthenticationError("unreadable", "its certificate cannot be read", { cause: error });
  }
}

/** Makes sure that a token is meant for this call, and fresh. */
function requirePurpose(claims: Claims, call: Call, at: Date): Claims {
  requireSame("function (aud)", claims.aud, audienceOf(call.action));
  requireSame("method (htm)", claims.htm, call.method);
  requireSame("host", claims.host, call.host);
  requireSame("path", claims.path, call.path);
  const age = at.getTime() - claims.iat * 1000;
  if (!(Math.abs(age) <= CALL_LIFETIME_MS)) {
    throw new AuthenticationError("time", `it was signed ${age / 1000} s ago`);
  }
  return claims;
}

function requireSame(what: string, signed: string, real: string): void {
  if (signed !== real) {
    throw new AuthenticationError("purpose", `it was signed for the ${what} ${JSON.stringify(signed)}`);
  }
}

function requireNoProblem(problem: CertificateProblem | undefined): void {
  if (problem !== undefined) {
    throw new AuthenticationError(`certificate_${problem.kind}`, `its certificate ${problem.text}`);
  }
}

function shownName({ commonName, serial }: { commonName: string; serial: string }): string {
  return `${JSON.stringify(commonName)} (serial ${serial})`;
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join(", ");
  }
  return error instanceof Error ? error.message : String(error);
}
