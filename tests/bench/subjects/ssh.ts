import { startForeign } from "../../support/paths/helper.ts";
import { freePort, type Place, programPath, type Subject, type SubjectKind } from "./subject.ts";

/** `sshd` as root refuses to start without it, and nothing creates it where no service manager runs. */
const PRIVILEGE_FOLDER = "/run/sshd";

/** `ssh -D`: a SOCKS5 port, all streams in one connection. */
export const SSH: SubjectKind = {
  name: "ssh -D",
  isPeer: true,

  async whyNot() {
    for (const name of ["ssh", "sshd", "ssh-keygen"]) {
      if (await programPath(name) === undefined) return `no ${name} on this machine`;
    }
    return undefined;
  },

  async start(place: Place): Promise<Subject> {
    await using stack = new AsyncDisposableStack();
    await makePrivilegeFolder(stack);
    const { path, dir } = place;
    const [hostKey, clientKey] = [await makeKey(`${dir}/host_key`), await makeKey(`${dir}/client_key`)];
    const farPort = freePort();
    await Deno.writeTextFile(`${dir}/sshd_config`, sshdConfig(path.farHost, farPort, hostKey, clientKey));
    const sshd = [await required("sshd"), "-D", "-e", "-f", `${dir}/sshd_config`];
    const server = stack.use(startForeign([...path.far, ...sshd]));
    const far = await path.reach(farPort);
    const port = freePort();
    // It ends when it cannot connect at once, and the server needs a moment to start: hence the attempts.
    const near = [await required("ssh"), "-N", "-F", "none", "-D", `127.0.0.1:${port}`, "-i", clientKey];
    const user = Deno.env.get("USER") ?? Deno.env.get("LOGNAME") ?? "root";
    const options = [
      "ConnectionAttempts=20",
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
    ].flatMap((option) => ["-o", option]);
    const client = stack.use(
      startForeign([...path.near, ...near, ...options, "-p", String(far.port), `${user}@${far.host}`]),
    );
    const moved = stack.move();
    return {
      route: { kind: "socks5", port },
      programs: [server, client],
      pids: {},
      [Symbol.asyncDispose]: () => moved.disposeAsync(),
    };
  },
};

/** A process of `sshd` that serves a client ends with it, or soon after the path has gone. */
function sshdConfig(host: string, port: number, hostKey: string, clientKey: string): string {
  return `ListenAddress ${host}
Port ${port}
HostKey ${hostKey}
AuthorizedKeysFile ${clientKey}.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
LoginGraceTime 10
ClientAliveInterval 5
ClientAliveCountMax 3
PidFile none
`;
}

async function makeKey(file: string): Promise<string> {
  const args = ["-q", "-t", "ed25519", "-N", "", "-f", file];
  const { success, stderr } = await new Deno.Command(await required("ssh-keygen"), { args, stdin: "null" })
    .output();
  if (!success) throw new Error(`ssh-keygen: ${new TextDecoder().decode(stderr).trim()}`);
  return file;
}

async function makePrivilegeFolder(stack: AsyncDisposableStack): Promise<void> {
  if (Deno.uid() !== 0) return;
  try {
    await Deno.mkdir(PRIVILEGE_FOLDER, { mode: 0o755 });
    stack.defer(() => Deno.remove(PRIVILEGE_FOLDER));
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

async function required(name: string): Promise<string> {
  const path = await programPath(name);
  if (path === undefined) throw new Error(`no ${name} on this machine`);
  return path;
}
