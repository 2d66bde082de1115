import { createSocket } from "node:dgram";

/** A name server that listens and never answers. */
export interface DeadNameServer extends AsyncDisposable {
  /** A wrapper that makes it a program's only name server; see `StartOptions`. */
  readonly wrapper: readonly string[];
}

/** An unusual loopback address, so that no other name server is in the way. */
const ADDRESS = "127.0.0.53";
/** Longer than the server waits for a name, short enough for a test. */
const RESOLV_CONF = `nameserver ${ADDRESS}\noptions timeout:3 attempts:2\n`;
/** A replacement for /etc/resolv.conf, for this process only. */
const SCRIPT = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';

/**
 * Says why a program cannot have its own name server on this machine: the runtime asks the servers of
 * /etc/resolv.conf, on port 53, and no option or variable changes that.
 */
export async function whyNoDeadNameServer(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "only Linux has mount namespaces";
  try {
    await using server = await startDeadNameServer();
    const [command, ...args] = [...server.wrapper, "true"];
    const { success } = await new Deno.Command(command!, { args, stdin: "null", stderr: "null" }).output();
    return success ? undefined : "no permission to mount a file over /etc/resolv.conf";
  } catch (error) {
    return `cannot start a name server at ${ADDRESS}: ${(error as Error).message}`;
  }
}

/** Starts it. */
export async function startDeadNameServer(): Promise<DeadNameServer> {
  const file = await Deno.makeTempFile({ prefix: "sallyport_resolv_" });
  await Deno.writeTextFile(file, RESOLV_CONF);
  const socket = createSocket("udp4");
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("error", reject);
    socket.bind(53, ADDRESS, resolve);
    await promise;
  } catch (error) {
    await Deno.remove(file);
    throw error;
  }
  return {
    wrapper: ["unshare", "-m", "sh", "-c", SCRIPT, file],
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(resolve));
      await Deno.remove(file);
    },
  };
}
