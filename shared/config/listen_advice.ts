import { SallyportError } from "../errors.ts";
import { type ListenProblem, listenProblemOf } from "../net/os_error.ts";

/** The keys of a configuration that say where to listen. */
export interface ListenKeys {
  readonly port: string;
  /** @default {the address cannot be chosen} */
  readonly host?: string;
}

/**
 * Waits until something listens, and adds to its error which key to change and how.
 *
 * @throws {SallyportError} That of `opening`.
 */
export async function withListenAdvice<T>(keys: ListenKeys, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    const problem = listenProblemOf(error);
    if (problem === undefined) throw error;
    const { code, message, cause } = SallyportError.from(error);
    throw new SallyportError(code, `${message}; ${adviceFor(problem, keys)}`, { cause });
  }
}

function adviceFor(problem: ListenProblem, { host, port }: ListenKeys): string {
  switch (problem) {
    case "port_taken":
      return `stop that program, or set ${port} to another port`;
    case "not_permitted":
      return `ports below 1024 are privileged: set ${port} to 1024 or more, or give the program CAP_NET_BIND_SERVICE`;
    case "no_such_address":
      return `set ${
        host ?? port
      } to an address of this machine, such as "127.0.0.1", or "0.0.0.0" for all of them`;
  }
}
