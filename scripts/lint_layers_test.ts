import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import plugin from "./lint_layers.ts";

/** Runs the plugin over `code` as if it stood in the file of that path, and returns what it says. */
function lint(path: string, code: string): string[] {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  return Deno.lint.runPlugin(plugin, file, code).map(({ message }) => message);
}

function allows(path: string, ...specifiers: string[]): void {
  for (const specifier of specifiers) {
    assert.deepEqual(lint(path, `import "${specifier}";`), [], `${path} may import ${specifier}`);
  }
}

function forbids(path: string, reason: RegExp, ...specifiers: string[]): void {
  for (const specifier of specifiers) {
    const said = lint(path, `import "${specifier}";`);
    assert.equal(said.length, 1, `${path} may not import ${specifier}`);
    assert.match(said[0]!, reason);
  }
}

Deno.test("layers lint lets agent, server and lambdas import shared and themselves only", () => {
  const reason = /only through shared\//;
  allows("agent/config.ts", "../shared/errors.ts", "./cli/cli.ts", "node:net", "zod");
  forbids("agent/config.ts", reason, "../server/config.ts", "../lambdas/wake.ts", "../scripts/demo.ts");
  forbids("agent/tunnel/pool.ts", reason, "../../server/tunnel/accept.ts", "../../tests/support/x.ts");
  forbids("server/server.ts", reason, "../agent/agent.ts");
  forbids("lambdas/wake.ts", reason, "../server/config.ts");
});

Deno.test("layers lint lets shared import no other part", () => {
  allows("shared/net/splice.ts", "../errors.ts", "../mux/stream.ts", "node:net");
  forbids(
    "shared/net/splice.ts",
    /only through shared\//,
    "../../agent/config.ts",
    "../../server/a.ts",
    "../../x.ts",
  );
});

Deno.test("layers lint keeps protocol and mux to what they may know", () => {
  const reason = /may import only shared\//;
  allows("shared/protocol/envelope.ts", "../errors.ts", "./messages.ts");
  forbids(
    "shared/protocol/envelope.ts",
    reason,
    "../clock.ts",
    "../mux/frame.ts",
    "node:buffer",
    "zod",
    "../log.ts",
  );
  allows("shared/mux/session.ts", "../errors.ts", "../clock.ts", "../protocol/messages.ts", "./frame.ts");
  forbids("shared/mux/session.ts", reason, "../log.ts", "node:tls", "cockatiel", "../../agent/config.ts");
});

Deno.test("layers lint keeps what protocol and mux import as pure as they are", () => {
  forbids("shared/clock.ts", /may import nothing/, "./system_clock.ts", "./coarse_timers.ts", "node:timers");
  forbids("shared/errors.ts", /may import nothing/, "./log.ts");
  assert.match(lint("shared/clock.ts", "const now = performance.now();")[0] ?? "", /performance/);
  forbids("shared/mux/session.ts", /may import only/, "../system_clock.ts");
});

Deno.test("layers lint sees every form of import", () => {
  const forms = [
    `import { a } from "../log.ts";`,
    `import type { A } from "../log.ts";`,
    `export { a } from "../log.ts";`,
    `export * from "../log.ts";`,
    `export * as log from "../log.ts";`,
    `const log = await import("../log.ts");`,
    "const log = await import(`../log.ts`);",
    `const name = "../log.ts"; await import(name);`,
  ];
  for (const code of forms) assert.equal(lint("shared/mux/session.ts", code).length, 1, code);
  assert.deepEqual(lint("shared/mux/session.ts", "const a = 1; export { a }; export const b = 2;"), []);
});

Deno.test("layers lint keeps rooms apart, except where they are wired together", () => {
  const reason = /wire rooms together/;
  forbids(
    "agent/front_door/connect.ts",
    reason,
    "../tunnel/tunnel.ts",
    "../agent.ts",
    "../console/console.ts",
  );
  forbids("agent/routes/router.ts", reason, "../direct/direct.ts", "../tunnel/tunnel.ts");
  forbids("agent/direct/direct.ts", reason, "../routes/routes.ts", "../front_door/front_door.ts");
  forbids("server/tunnel/reception.ts", reason, "../targets/policy.ts", "../server.ts");
  forbids("shared/forward/connect.ts", /only through shared\//, "../../server/tunnel/reception.ts");
  forbids("shared/forward/connect.ts", /only through shared\//, "../../agent/tunnel/tunnel.ts");
  allows("server/targets/policy.ts", "../../shared/targets/rule.ts", "../audit.ts", "./other.ts");
  allows("agent/agent.ts", "./front_door/front_door.ts", "./tunnel/tunnel.ts");
  allows("server/server.ts", "../shared/forward/forward.ts", "./tunnel/reception.ts");
  allows("agent/cli/cli.ts", "../certs/init.ts");
  allows("agent/main.ts", "./agent.ts", "./cli/cli.ts");
});

Deno.test("layers lint lets programs import neither tests nor a main.ts", () => {
  forbids("agent/agent.ts", /depend on tests/, "./tunnel/tunnel_test.ts");
  forbids("agent/agent.ts", /starts a program/, "./main.ts");
});

Deno.test("layers lint lets nobody import by address", () => {
  for (const path of ["agent/agent.ts", "tests/e2e/a_test.ts", "scripts/demo.ts"]) {
    forbids(path, /names every dependency once/, "npm:zod@4", "jsr:@std/assert", "https://example.com/a.ts");
  }
});

Deno.test("layers lint lets AWS clients only where AWS is called", () => {
  forbids("agent/cloud/query.ts", /AWS is called only in/, "@aws-sdk/client-ecs");
  forbids("lambdas/wake.ts", /AWS is called only in/, "@aws-sdk/client-ecs");
  for (
    const path of [
      "shared/aws/parameter.ts",
      "lambdas/aws/fleet.ts",
      "server/aws/reports.ts",
      "scripts/deploy.ts",
    ]
  ) {
    allows(path, "@aws-sdk/client-ecs");
  }
});

Deno.test("layers lint lets tests and scripts import anything of the project", () => {
  allows(
    "tests/e2e/a_test.ts",
    "../../agent/tunnel/tunnel.ts",
    "../../server/server.ts",
    "../support/chain.ts",
  );
  allows("scripts/demo.ts", "../agent/certs/init.ts", "../server/main.ts");
  allows("shared/mux/session_test.ts", "node:net", "../../tests/support/pair.ts");
});

Deno.test("layers lint lets protocol and mux touch no runtime API", () => {
  const uses = [
    "Deno.now();",
    "setTimeout(f, 1);",
    "const t = Date.now();",
    "const d = new Date();",
    "performance.now();",
    "globalThis.Deno;",
    "const later = setTimeout;",
    "const o = { setTimeout };",
    "let c: Deno.Conn;",
    "a[Date];",
  ];
  for (const code of uses) {
    const said = lint("shared/mux/session.ts", code);
    assert.equal(said.length, 1, code);
    assert.match(said[0]!, /^Cannot use \w+ in shared\/mux\/: take a Clock or a Transport/);
    assert.deepEqual(lint("shared/mux/session_test.ts", code), [], code);
    assert.deepEqual(lint("shared/net/splice.ts", code), [], code);
  }
});

Deno.test("layers lint does not mistake a name for a runtime API", () => {
  const code = "a.Date; a.performance(); const o = { Date: 1 }; class C { fetch() {} process = 1; } " +
    "interface I { Date: string; fetch(): void } let x: A.Date;";
  assert.deepEqual(lint("shared/protocol/envelope.ts", code), []);
});

Deno.test("layers lint lets only a main.ts end the process", () => {
  for (
    const code of [
      "Deno.exit(1);",
      `Deno["exit"](1);`,
      "process.exit();",
      "const { exit } = Deno;",
      "f(Deno.exit);",
    ]
  ) {
    for (const path of ["agent/agent.ts", "shared/log.ts", "scripts/demo.ts", "agent/cli/main.ts"]) {
      const said = lint(path, code);
      assert.equal(said.length, 1, `${path}: ${code}`);
      assert.match(said[0]!, /only a main\.ts may end the process/);
    }
    assert.deepEqual(lint("agent/main.ts", code), [], code);
  }
  assert.deepEqual(lint("scripts/demo.ts", "Deno.exitCode = 1; loop.exit();"), []);
});

Deno.test("layers lint lets only shared/tls speak TLS", () => {
  for (
    const code of [
      'import { createServer } from "node:tls";',
      'import { request } from "node:https";',
      "Deno.listenTls(options);",
      'await Deno["connectTls"](options);',
    ]
  ) {
    for (const path of ["agent/agent.ts", "shared/forward/http.ts", "shared/net/splice.ts"]) {
      const said = lint(path, code);
      assert.equal(said.length, 1, `${path}: ${code}`);
      assert.match(said[0]!, /shared\/tls\/ dials and listens/);
    }
    for (const path of ["tests/support/pki.ts", "scripts/demo.ts"]) {
      assert.deepEqual(lint(path, code), [], code);
    }
  }
  assert.deepEqual(lint("shared/tls/dial.ts", 'import { connect } from "node:tls";'), []);
  assert.equal(lint("shared/tls/dial.ts", "Deno.connectTls(options);").length, 1);
});

Deno.test("layers lint leaves files outside the project alone", () => {
  const code = `import "npm:zod"; Deno.exit(1);`;
  assert.deepEqual(Deno.lint.runPlugin(plugin, "/elsewhere/shared/mux/a.ts", code), []);
});
