import { X509Certificate } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, importX509, jwtVerify } from "jose";
import { z } from "zod";
import type { Clock } from "../shared/clock.ts";
import {
  type Action,
  audienceOf,
  CALL_ALGORITHMS,
  CALL_LIFETIME_MS,
  CALL_TYPE,
} from "../shared/cloud/call.ts";
import { createClientRules, type FindEntry } from "../shared/clients/rules.ts";
import { certificateFields } from "../shared/tls/certificate_fields.ts";
import { DER, readDer } from "../shared/tls/der.ts";
import type { Fault } from "../shared/tls/fault.ts";
import { identityOf } from "../shared/tls/identity_of.ts";
import type { Revocation } from "../shared/tls/revocation.ts";
import { findFault } from "../shared/tls/trust.ts";
import { SeenIds } from "./seen_ids.ts";

/** Whom the functions believe. */
export interface Trust {
  /** The certificates of the private CA. */
  readonly authorities: readonly X509Certificate[];
  /**
   * Which certificates the CA took back; undefined where nobody keeps a list. Asked only for calls that passed
   * everything else: it may have to be read.
   */
  revocation(): Promise<Revocation | undefined>;
}

/** What of a request decides whether its caller is let in. */
export interface Call {
  /** What is asked for. */
  readonly action: Action;
  /** The field `Authorization`; undefined when it is missing. */
  readonly authorization: string | undefined;
  /** As the request has it. */
  readonly method: string;
  /** The name that was called, as the cloud knows it and not as the request says. */
  readonly host: string;
  /** The path that was called. */
  readonly path: string;
  /** The one method that the function takes. @default {any} */
  readonly takes?: string;
}

/** Who calls. */
export interface Caller {
  /** Common name of the certificate. */
  readonly commonName: string;
  /** Serial number of the certificate, in hex. */
  readonly serial: string;
  /** What tells this client from others, as the server has it: `identityOf` its certificate. */
  readonly identity: string;
}

/** A caller who is not let in; the reason is for the log alone. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** A caller who is known, and whose call is not taken: it learns why. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
  /** `method`: the function takes another. `too_many`: the client has called too often of late. */
  readonly why: "method" | "too_many";

  constructor(why: "method" | "too_many", message: string) {
    super(message);
    this.why = why;
  }
}

/** Characters of a token; three certificates with RSA keys fit. Checked before anything is parsed. */
const MAX_TOKEN = 16_384;

const HEADER = z.object({
  alg: z.enum(CALL_ALGORITHMS),
  typ: z.literal(CALL_TYPE),
  // What follows the first is neither read nor believed: older agents send their whole file.
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
 * Lets in who proves, with the key of a certificate that the server would accept, that the call is theirs, meant
 * for this function and fresh (the claims: shared/cloud/call.ts). The certificate has to be issued by one of the
 * authorities itself.
 *
 * Anybody can call, so what costs least comes first: the token's form, its claims and time, then the certificate, the
 * token's signature, and last the revocation list.
 */
export class Gatekeeper {
  readonly #clock: Clock;
  readonly #mayCall: FindEntry;
  readonly #seen: SeenIds;

  /**
   * @param mayCall `clients.allow`, as the server has it.
   * @param maxCalls Calls let in within two minutes, over all clients.
   */
  constructor(clock: Clock, mayCall: FindEntry = createClientRules([]), maxCalls?: number) {
    this.#clock = clock;
    this.#mayCall = mayCall;
    // One that comes from a clock that is ahead stays fresh for longer.
    this.#seen = new SeenIds(clock, 2 * CALL_LIFETIME_MS, maxCalls);
  }

  /**
   * @throws {Refused} With the reason.
   * @throws {NotTaken} When the caller is good and the call is not.
   * @throws What asking for the revocation list threw.
   */
  async admit(call: Call, trust: Trust): Promise<Caller> {
    const token = tokenOf(call.authorization);
    const { alg, x5c: [der] } = headerOf(token);
    const at = new Date(this.#clock.wallTime());
    const { jti } = requireMeant(claimsOf(token), call, at);
    const leaf = certificateOf(der!);
    const question = { chain: [leaf], authorities: trust.authorities, usage: "clientAuth", at } as const;
    requireNoFault(findFault({ ...question, proof: "alone" }));
    await this.#requireSignature(token, alg, leaf, call.action);
    const fields = certificateFields(leaf);
    if (this.#mayCall(fields) === undefined) {
      throw new Refused(`clients.allow does not name ${shownName(fields)}`);
    }
    const revocation = await trust.revocation();
    requireNoFault(findFault({ ...question, revocation, proof: "alone" }));
    const { takes = call.method } = call;
    if (call.method !== takes) throw new NotTaken("method", `Cannot take ${call.method}: expected ${takes}`);
    // Only now: what did not pass everything else must not fill the memory.
    const identity = identityOf(leaf);
    const id = this.#seen.add(identity, jti);
    if (id === "seen") throw new Refused("its id was seen before");
    if (id === "full") {
      throw new NotTaken(
        "too_many",
        `Cannot take the call: ${shownName(fields)} called too often in 2 minutes`,
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
        // Its own judgement of the time would be a second one.
        currentDate: new Date(this.#clock.wallTime()),
      });
    } catch (error) {
      throw new Refused(`its signature does not hold: ${reasonOf(error)}`, { cause: error });
    }
  }
}

function tokenOf(authorization: string | undefined): string {
  const [, token] =
    /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization?.slice(0, MAX_TOKEN + 16) ?? "") ?? [];
  if (token === undefined || token.length > MAX_TOKEN) throw new Refused("it carries no usable bearer token");
  return token;
}

function headerOf(token: string): z.output<typeof HEADER> {
  try {
    return HEADER.parse(decodeProtectedHeader(token));
  } catch (error) {
    throw new Refused(`its token's header does not hold: ${reasonOf(error)}`, { cause: error });
  }
}

/** What the token says, which nobody has proved yet. */
function claimsOf(token: string): Claims {
  try {
    return CLAIMS.parse(decodeJwt(token));
  } catch (error) {
    throw new Refused(`its claims do not hold: ${reasonOf(error)}`, { cause: error });
  }
}

/** RFC 7515 section 4.1.6: it is one certificate in DER. The parser alone takes PEM, and ignores bytes behind it. */
function certificateOf(base64: string): X509Certificate {
  try {
    const der = Uint8Array.fromBase64(base64);
    const [whole] = readDer(der);
    if (whole?.tag !== DER.sequence || whole.raw.length !== der.length) {
      throw new Error("it is not one DER value");
    }
    return new X509Certificate(der);
  } catch (error) {
    throw new Refused("its certificate cannot be read", { cause: error });
  }
}

/** Makes sure that a token is meant for this call, and is of now. */
function requireMeant(claims: Claims, call: Call, at: Date): Claims {
  requireSame("function (aud)", claims.aud, audienceOf(call.action));
  requireSame("method (htm)", claims.htm, call.method);
  requireSame("host", claims.host, call.host);
  requireSame("path", claims.path, call.path);
  const age = at.getTime() - claims.iat * 1000;
  if (!(Math.abs(age) <= CALL_LIFETIME_MS)) throw new Refused(`it was signed ${age / 1000} s ago`);
  return claims;
}

function requireSame(what: string, signed: string, real: string): void {
  if (signed !== real) throw new Refused(`it was signed for the ${what} ${JSON.stringify(signed)}`);
}

function requireNoFault(fault: Fault | undefined): void {
  if (fault !== undefined) throw new Refused(`its certificate ${fault.text}`);
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
