import { type ErrorCode, SallyportError } from "../errors.ts";

/** Code and words for each error number that a program of ours can meet. */
const MEANINGS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ECONNREFUSED: ["target_refused", "the connection was refused"],
  ECONNRESET: ["target_reset", "the connection was reset by the other side"],
  ECONNABORTED: ["target_reset", "the connection was broken off"],
  EPIPE: ["target_reset", "the other side has closed the connection"],
  EHOSTUNREACH: ["target_unreachable", "the host cannot be reached"],
  EHOSTDOWN: ["target_unreachable", "the host is down"],
  ENETUNREACH: ["target_unreachable", "there is no route to the network"],
  ENETDOWN: ["target_unreachable", "the network is down"],
  EAFNOSUPPORT: ["target_unreachable", "this machine does not support the kind of address"],
  ETIMEDOUT: ["target_timeout", "no answer came in time"],
  ENOTFOUND: ["dns_error", "the name does not resolve"],
  ENODATA: ["dns_error", "the name has no address"],
  EAI_AGAIN: ["dns_timeout", "the name server did not answer"],
  ETIMEOUT: ["dns_timeout", "the name server did not answer in time"],
  EADDRINUSE: ["internal", "the port is taken by another program"],
  EADDRNOTAVAIL: ["internal", "the address is not one of this machine"],
  EMFILE: ["limit_reached", "the program has too many files and connections open"],
  ENFILE: ["limit_reached", "the machine has too many files and connections open"],
  ENOBUFS: ["limit_reached", "the machine has no memory left for connections"],
  ENOMEM: ["limit_reached", "the machine has no memory left"],
  EACCES: ["internal", "permission was denied"],
  EPERM: ["internal", "the operating system does not permit it"],
  ENOTCAPABLE: ["internal", "the program was started without the permission for it"],
  ENOENT: ["internal", "there is no such file or directory"],
  EEXIST: ["internal", "it exists already"],
  EISDIR: ["internal", "it is a directory"],
  ENOTDIR: ["internal", "a part of the path is not a directory"],
  EROFS: ["internal", "the file system is read-only"],
  ENOSPC: ["internal", "there is no space left on the device"],
};

/** Deno's error classes, for those of its errors that carry no number. */
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
  const [code, words] = MEANINGS[numberOf(error) ?? ""] ?? ["internal", messageOf(error)];
  return new SallyportError(code, `Cannot ${doing}: ${words}`, { cause: error });
}

function numberOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && Object.hasOwn(MEANINGS, code)) return code;
  // Several addresses of one name failed: the first was the preferred one.
  if (error instanceof AggregateError && error.errors.length > 0) return numberOf(error.errors[0]);
  return DENO_CLASSES[error.name];
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\.$/, "");
}
