import assert from "node:assert/strict";
import { configureLog, getFrameLogger, getLogger, type LogOptions, resetLog } from "./log.ts";
import { NO_NODE_MODULES } from "../scripts/process/task_command.ts";

function capture(options: LogOptions, use: () => void): string[] {
  const lines: string[] = [];
  configureLog({ ...options, write: (line) => lines.push(line) });
  try {
    use();
  } finally {
    resetLog();
  }
  return lines;
}

Deno.test("log writes one JSON object per line", () => {
  const lines = capture({}, () => {
    getLogger("tunnel").info("connected", {
      server: "192.0.2.1:8443",
      connections: 2,
      level: "mine",
      none: undefined,
    });
  });
  assert.equal(lines.length, 1);
  assert(lines[0]!.endsWith("}\n"));
  const { "@timestamp": time, ...rest } = JSON.parse(lines[0]!);
  assert(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  assert.deepEqual(rest, {
    level: "INFO",
    message: "connected",
    logger: "sallyport.tunnel",
    properties: { server: "192.0.2.1:8443", connections: 2, level: "mine" },
  });
});

Deno.test("log keeps a message with braces, quotes and line ends as it is, on one JSON line", () => {
  const message = 'Cannot parse {"a": {b}}: "x"\nnext {{c}}';
  const [line] = capture({}, () => getLogger("component").warn(message, { a: 1, b: 2 }));
  assert.equal(JSON.parse(line!).message, message);
  assert.equal(line!.indexOf("\n"), line!.length - 1);
  const [text] = capture({ format: "text" }, () => getLogger("component").warn("a {b} c"));
  assert.match(text!, /warn {2}component: a \{b\} c\n$/);
});

Deno.test("log omits what is below its level", () => {
  const all = () => {
    const logger = getLogger("component");
    for (const level of ["debug", "info", "warn", "error"] as const) logger[level](level);
  };
  for (const [level, count] of [["debug", 4], ["info", 3], ["warn", 2], ["error", 1]] as const) {
    assert.equal(capture({ level }, all).length, count, level);
  }
  assert.equal(capture({}, all).length, 3);
});

Deno.test("log writes each traced frame once, at any level", () => {
  for (const level of ["debug", "error"] as const) {
    const lines = capture({ level }, () => getFrameLogger().debug("frame sent", { n: 1 }));
    assert.deepEqual(lines.map((line) => JSON.parse(line).message), ["frame sent"], level);
  }
});

Deno.test("log is readable as text", () => {
  const [line] = capture({ format: "text" }, () => {
    getLogger("front_door").error("stream failed", {
      target: "a.example:443",
      code: "dns_error",
      error: "no such name",
    });
  });
  assert.match(
    line!,
    /^\d\d:\d\d:\d\d\.\d{3} error front_door: stream failed target=a\.example:443 code=dns_error error="no such name"\n$/,
  );
});

Deno.test("log lets no field steer a terminal or forge a line", () => {
  for (const format of ["json", "text"] as const) {
    const target = "\x1b[2Ja\r\n00:00:00 info fake: line\x9b31m\x7f\u202e";
    const lines = capture({ format }, () => getLogger("component").info("refused \x1b]0;x\x07", { target }));
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines[0]!.slice(0, -1), format === "text" ? /\p{Cc}|\u202e/u : /\n/);
  }
});

Deno.test("log colours text if configured to", () => {
  const use = () => getLogger("component").info("hello", { a: 1 });
  // deno-lint-ignore no-control-regex
  assert.match(capture({ format: "text", color: true }, use)[0]!, /\x1b\[/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(capture({ format: "text" }, use)[0]!, /\x1b\[/);
});

Deno.test("loggers made before the log is configured write once it is", () => {
  const early = getLogger("component");
  early.error("lost");
  const lines = capture({}, () => early.info("kept"));
  assert.deepEqual(lines.map((line) => JSON.parse(line).message), ["kept"]);
});

Deno.test("log goes to standard error and survives the end of its reader", async () => {
  const script = `
    import { configureLog, getLogger } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
    configureLog();
    getLogger("component").info("first");
    await Deno.stdin.read(new Uint8Array(1));
    for (let n = 0; n < 100; n++) getLogger("component").info("x".repeat(1000));
    console.log("alive");
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      NO_NODE_MODULES,
      "--no-lock",
      `--config=${new URL("../deno.json", import.meta.url).pathname}`,
      script,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  const first = await reader.read();
  assert.equal(JSON.parse(new TextDecoder().decode(first.value)).message, "first");
  await reader.cancel();
  await child.stdin.close();
  assert.equal(await new Response(child.stdout).text(), "alive\n");
  assert.equal((await child.status).code, 0);
});
