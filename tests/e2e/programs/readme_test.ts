/**
 * Purpose: the README's commands and files work as they stand. Only addresses and ports differ, so that everything
 * stays on this machine.
 */
import assert from "node:assert/strict";
import { commandsOf } from "../../../scripts/docs/markdown.ts";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { FREE_PORTS, startDemo } from "../../support/programs/demo.ts";
import { type Program, startProgram } from "../../support/programs/programs.ts";
import { within } from "../../support/within.ts";
import { read } from "../../support/workflows.ts";

const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;
const README = read("README.md");
const TASK = /^npx -y deno@[\d.]+ task -q /;

/** The text of a section, up to the next heading of its level. */
function section(title: string): string {
  const text = README.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  assert.ok(text !== undefined, `the README has the section ${title}`);
  return text;
}

/** The YAML files of a text, without the indentation of their list. */
function yamlOf(text: string): string[] {
  return [...text.matchAll(/^( *)```yaml\n([^]*?)^\1```$/gm)].map(([, indent, yaml]) =>
    yaml!.replaceAll(new RegExp(`^${indent}`, "gm"), "")
  );
}

function freePorts(): number[] {
  const listeners = Array.from({ length: 4 }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  return listeners.map((listener) => {
    listener.close();
    return listener.addr.port;
  });
}

/** Someone who follows the README in a folder, with other ports and an origin on this machine. */
class Reader implements AsyncDisposable {
  readonly #running: Program[] = [];
  readonly #ports: readonly number[] = freePorts();

  constructor(readonly dir: string, readonly origin: string) {}

  /** Writes the files that the README shows. */
  async writeFiles([server, agent]: readonly string[]): Promise<void> {
    const [, , proxy, console] = this.#ports;
    const allowed = new URL(this.origin).host;
    const more = `listen_addr: 127.0.0.1\ntargets: { allow: ["${allowed}"] }\n`;
    await Deno.writeTextFile(`${this.dir}/server.yaml`, this.#adapted(server!) + more);
    const ports = `local_proxy_port: ${proxy}\nconsole_port: ${console}\n`;
    await Deno.writeTextFile(`${this.dir}/agent.yaml`, this.#adapted(agent!) + ports);
  }

  /** Runs a command and checks what it does. @throws {Error} For a command that no one said how to check. */
  async run(written: string): Promise<void> {
    const command = this.#adapted(written);
    const [task = "", ...args] = TASK.test(command) ? command.replace(TASK, "").split(" ") : [];
    if (task === "server") return await this.#start(task, args, "health listening");
    if (task === "agent" && args[0] === "--config") return await this.#start(task, args, "tunnel ready");
    if (task === "agent" && args[0] === "doctor") args.push("--control", this.origin, "--page", this.origin);
    if (["certs", "agent", "exec"].includes(task)) {
      const out = await this.#succeed(task, args);
      if (task === "exec") assert.equal(out, "hello");
      return;
    }
    if (command.startsWith("curl ")) {
      return assert.equal((await curl(command.split(" ").slice(1))).text, "hello");
    }
    if (command.startsWith("eval ")) return await this.#inShell(command);
    throw new Error(`Cannot check the README's command: ${written}`);
  }

  /** Both programs stop with 0, as after a signal from a user. */
  async finish(): Promise<void> {
    for (const program of this.#running.splice(0).reverse()) {
      assert.equal((await program.stop("SIGTERM", 60_000)).code, 0, program.log.text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#running) await program[Symbol.asyncDispose]();
    await Deno.remove(this.dir, { recursive: true });
  }

  #adapted(text: string): string {
    const [server, health, proxy] = this.#ports;
    return text.replaceAll("203.0.113.7", "127.0.0.1").replaceAll("port: 8443", `port: ${server}`)
      .replaceAll("port: 8082", `port: ${health}`).replaceAll("127.0.0.1:8080", `127.0.0.1:${proxy}`)
      .replaceAll("https://example.org/", this.origin);
  }

  async #start(task: string, args: readonly string[], event: string): Promise<void> {
    const program = await startProgram(task, args, { cwd: this.dir });
    this.#running.push(program);
    await eventually(
      `${task}: ${event}`,
      () => assert.ok(program.log.text.includes(event), program.log.text),
    );
  }

  async #succeed(task: string, args: readonly string[]): Promise<string> {
    await using program = await startProgram(task, args, { cwd: this.dir });
    const { code } = await within(60_000, program.ended, `the end of ${task} ${args.join(" ")}`);
    assert.equal(code, 0, program.out.text + program.log.text);
    return program.out.text;
  }

  /** As a shell does it, with the task runner in the place of npx. */
  async #inShell(command: string): Promise<void> {
    const npx = `npx() { shift 4; "${Deno.execPath()}" task --quiet --config "${CONFIG}" "$@"; }`;
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", `${npx}\n${command}\necho "$http_proxy"`],
      cwd: this.dir,
      env: { ...childEnvironment(), SHELL: "/bin/bash", NO_COLOR: "1" },
      clearEnv: true,
    }).output();
    const decoder = new TextDecoder();
    assert.equal(code, 0, decoder.decode(stderr));
    assert.equal(decoder.decode(stdout), `http://127.0.0.1:${this.#ports[2]}\n`);
  }
}

Deno.test("every command of the README is run by a test of this file", () => {
  const commands = ["Try it", "Run it for real"].flatMap((title) => commandsOf(section(title)));
  assert.deepEqual(commandsOf(README), commands);
  assert.ok(commands.length >= 10, commands.join("\n"));
});

Deno.test("the README's demo serves the curl line that the README has", async () => {
  const [start, line, ...more] = commandsOf(section("Try it"));
  assert.deepEqual([start?.replace(TASK, ""), more], ["demo", []]);
  await using demo = await startDemo(FREE_PORTS);
  const anyPort = (text: string) => text.replaceAll(/:\d+/g, ":PORT");
  assert.equal(anyPort(line!), anyPort(demo.lastLine));
  const page = await curl(demo.lastLine.split(" ").slice(1));
  assert.match(page.text, /<h1>It works<\/h1>/);
  assert.equal((await demo.interrupt("group")).code, 0, demo.errors);
});

Deno.test("the README's five steps, in their order, carry traffic through the tunnel", async () => {
  await using origin = startHttpOrigin(() => new Response("hello"));
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "sallyport_readme_" }));
  await using reader = new Reader(dir, `http://${origin.host}/`);
  const steps = section("Run it for real");
  await reader.writeFiles(yamlOf(steps));
  for (const command of commandsOf(steps)) await reader.run(command);
  await reader.finish();
});
