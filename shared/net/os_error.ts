import { type ErrorCode, SallyportError } from "../errors.ts";

/** Code and text for each error of the operating system that this program can meet. */
const MEANINGS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ECONNREFUSED: ["target_refused", "the connection was refused"],
  ECONNRESET: ["target_reset", "the connection was reset by the peer"],
  ECONNABORTED: ["target_reset", "the connection was aborted"],
  EPIPE: ["target_reset", "the peer closed the connection"],
  EHOSTUNREACH: ["target_unreachable", "the host is unreachable"],
  EHOSTDOWN: ["target_unreachable", "the host is down"],
  ENETUNREACH: ["target_unreachable", "no route to the network"],
  ENETDOWN: ["target_unreachable", "the network is down"],
  EAFNOSUPPORT: ["target_unreachable", "this machine does not support the address family"],
  ETIMEDOUT: ["target_timeout", "no answer in time"],
  ENOTFOUND: ["dns_error", "the name does not resolve"],
  ENODATA: ["dns_error", "the name has no address"],
  EAI_AGAIN: ["dns_timeout", "the name server did not answer"],
  ETIMEOUT: ["dns_timeout", "the name server did not answer in time"],
  EADDRINUSE: ["internal", "the port is in use by another program"],
  EADDRNOTAVAIL: ["internal", "the address does not belong to this machine"],
  EMFILE: ["limit_reached", "the program has too many files and connections open"],
  ENFILE: ["limit_reached", "the machine has too many files and connections open"],
  ENOBUFS: ["limit_reached", "the machine has no memory left for connections"],
  ENOMEM: ["limit_reached", "the machine has no memory left"],
  EACCES: ["internal", "permission denied"],
  EPERM: ["internal", "the operating system does not permit it"],
  ENOTCAPABLE: ["internal", "the program was started without the permission for it"],
  ENOENT: ["internal", "no such file or directory"],
  EEXIST: ["internal", "it already exists"],
  EISDIR: ["internal", "it is a directory"],
  ENOTDIR: ["internal", "part of the path is not a directory"],
  EROFS: ["internal", "the file system is read-only"],
  ENOSPC: ["internal", "no space left on the device"],
};

/** Deno's error classes, for those of its errors that have no code. */
const DENO_CLASSES: Readonly<Record<string, string>> = {
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  ConnectionAborted: "ECONNABORTED",
  BrokenPipe: "EPIPE",
  NetworkUnreachable: "ENETUNREACH",
  TimedOut: "ETIMEDOUT",
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  PermissionDenied: "EACCES",
  NotCapable: "ENOTCAPABLE",
  NotFound: "ENOENT",
  AlreadyExists: "EEXIST",
  IsADirectory: "EISDIR",
  NotADirectory: "ENOTDIR",
};

/**
 * Translates what the operating system, `node:` or Deno threw. A `SallyportError` stays itself.
 *
 * @param error What was thrown.
 * @param doing What was being done, so that "Cannot …" can stand before it: `listen on 127.0.0.1:8080`.
 * @returns An error with one of `target_refused`, `target_reset`, `target_unreachable`, `target_timeout`,
 * `dns_error`, `dns_timeout`, `limit_reached` and `internal`, and `error` as its cause.
 */
export function fromOsError(error: unknown, doing: string): SallyportError {
  if (error instanceof SallyportError) return error;
  const [code, words] = MEANINGS[osErrorCode(error) ?? ""] ?? ["internal", messageOf(error)];
  return new SallyportError(code, `Cannot ${doing}: ${words}`, { cause: error });
}

/** Errors by which a server says that it closed the connection, perhaps before it read the last request. */
export function isConnectionReset(error: unknown): boolean {
  return isOneOf(error, "ECONNRESET", "EPIPE");
}

/** Whether nothing listens on the port. */
export function isConnectionRefused(error: unknown): boolean {
  return isOneOf(error, "ECONNREFUSED");
}

/** Whether the process, or the machine, has too many files and sockets open for one more. */
export function isOutOfDescriptors(error: unknown): boolean {
  return isOneOf(error, "EMFILE", "ENFILE");
}

/** Whether the machine cannot even try an address, such as an IPv6 one where there is no IPv6. */
export function isUnusableAddress(error: unknown): boolean {
  return isOneOf(error, "EADDRNOTAVAIL", "EACCES", "EPERM", "EINVAL");
}

/** Why a program cannot listen on an address and port. */
export type ListenProblem = "port_taken" | "not_permitted" | "no_such_address";

const LISTEN_PROBLEMS: Readonly<Record<string, ListenProblem>> = {
  EADDRINUSE: "port_taken",
  EACCES: "not_permitted",
  EPERM: "not_permitted",
  EADDRNOTAVAIL: "no_such_address",
  ENOTFOUND: "no_such_address",
};

/** Why listening failed, also where `fromOsError` has translated the error; undefined for any other reason. */
export function listenProblemOf(error: unknown): ListenProblem | undefined {
  return LISTEN_PROBLEMS[osErrorCode(error instanceof SallyportError ? error.cause : error) ?? ""];
}

/** The code of a known error of the operating system, such as `EADDRINUSE`. */
function osErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && Object.hasOwn(MEANINGS, code)) return code;
  // Several addresses of one name failed: the first was the preferred one.
  if (error instanceof AggregateError && error.errors.length > 0) return osErrorCode(error.errors[0]);
  return DENO_CLASSES[error.name];
}

function isOneOf(error: unknown, ...codes: readonly string[]): boolean {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return codes.some((known) => known === code);
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\.$/, "");
}
