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
import type { Fault } from "../shared/tls/fault.ts";
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
}

/** Who calls. */
export interface Caller {
  /** Common name of the certificate. */
  readonly commonName: string;
  /** Serial number of the certificate, in hex. */
  readonly serial: string;
  /** SHA-256 of the certificate, in hex with colons. */
  readonly fingerprint: string;
}

/** A caller who is not let in; the reason is for the log alone. */
export class Refused extends Error {
  override readonly name = "Refused";
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

  /** @param mayCall `clients.allow`, as the server has it. */
  constructor(clock: Clock, mayCall: FindEntry = createClientRules([])) {
    this.#clock = clock;
    this.#mayCall = mayCall;
    // One that comes from a clock that is ahead stays fresh for longer.
    this.#seen = new SeenIds(clock, 2 * CALL_LIFETIME_MS);
  }

  /**
   * @throws {Refused} With the reason.
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
    // Only now: what did not pass everything else must not fill the memory.
    if (!this.#seen.add(leaf.fingerprint256, jti)) {
      throw new Refused("its id was seen before, or its certificate called too often");
    }
    const { serialNumber: serial, fingerprint256: fingerprint } = leaf;
    return { commonName: fields.commonName, serial, fingerprint };
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

function certificateOf(der: string): X509Certificate {
  try {
    return new X509Certificate(Uint8Array.fromBase64(der));
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
