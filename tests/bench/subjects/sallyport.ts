import { stringify } from "yaml";
import { startProgram } from "../../support/programs/programs.ts";
import type { Place, Subject, SubjectKind } from "./subject.ts";

/**
 * Agent and server of a checkout of the project.
 *
 * @param root Its folder. @default {this one}
 */
export function sallyport(name: string, root?: string): SubjectKind {
  return {
    name,
    isPeer: false,
    whyNot: () => Promise.resolve(undefined),
    start: (place) => start(place, root),
  };
}

async function start({ path, dir, certificates }: Place, root: string | undefined): Promise<Subject> {
  await using stack = new AsyncDisposableStack();
  const run = async (task: "server" | "agent", keys: Record<string, unknown>) => {
    const file = `${dir}/${task}.yaml`;
    await Deno.writeTextFile(file, stringify(keys));
    const wrapper = task === "server" ? path.far : path.near;
    const options = root === undefined ? { wrapper } : { wrapper, root, cwd: root };
    return stack.use(await startProgram(task, ["--config", file], options));
  };
  const files = (name: string) => ({
    cert_file: `${certificates}/${name}.crt`,
    key_file: `${certificates}/${name}.key`,
    ca_cert_file: `${certificates}/ca.crt`,
  });
  const server = await run("server", {
    ...files("server"),
    listen_addr: path.farHost,
    listen_port: 0,
    health_port: 0,
    targets: { allow: ["127.0.0.0/8"] },
  });
  const far = await path.reach(Number((await server.log.waitFor("server listening")).fields["port"]));
  const agent = await run("agent", {
    ...files("client"),
    server_ip: far.host,
    server_port: far.port,
    local_proxy_port: 0,
    console_port: 0,
  });
  const port = Number((await agent.log.waitFor("proxy listening")).fields["port"]);
  const moved = stack.move();
  return {
    route: { kind: "http", port },
    programs: [server, agent],
    pids: { agent: agent.process.pid, server: server.process.pid },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
