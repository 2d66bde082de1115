import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import plugin from "./lint_layers.ts";

/** Runs the plugin over `code` as if it stood in the file of that path, and returns its messages. */
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
    const messages = lint(path, `import "${specifier}";`);
    assert.equal(messages.length, 1, `${path} may not import ${specifier}`);
    assert.match(messages[0]!, reason);
  }
}

Deno.test("lint lets agent, server and lambdas import shared and themselves only", () => {
  const reason = /only through shared\//;
  allows("agent/agent.ts", "../shared/errors.ts", "./cli/cli.ts", "node:net", "zod");
  forbids("agent/agent.ts", reason, "../server/config/config.ts", "../lambdas/wake.ts", "../demo.ts");
  forbids("agent/tunnel/pool.ts", reason, "../../server/tunnel/accept.ts", "../../tests/support/x.ts");
  forbids("server/server.ts", reason, "../agent/agent.ts");
  forbids("lambdas/wake.ts", reason, "../server/config/config.ts");
});

Deno.test("lint lets shared import no other part", () => {
  allows("shared/net/splice.ts", "../errors.ts", "../mux/stream.ts", "node:net");
  forbids(
    "shared/net/splice.ts",
    /only through shared\//,
    "../../agent/agent.ts",
    "../../server/a.ts",
    "../../x.ts",
  );
});

Deno.test("lint limits the imports of protocol and mux", () => {
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
  allows(
    "shared/mux/session/session.ts",
    "../../errors.ts",
    "../../clock.ts",
    "../../protocol/messages.ts",
    "../wire/frame.ts",
  );
  forbids(
    "shared/mux/session/session.ts",
    reason,
    "../../log.ts",
    "node:tls",
    "cockatiel",
    "../../../agent/config/config.ts",
  );
});

Deno.test("lint limits the imports of files that protocol and mux import", () => {
  forbids("shared/clock.ts", /may import nothing/, "./system_clock.ts", "./log.ts", "node:timers");
  forbids("shared/errors.ts", /may import nothing/, "./log.ts");
  assert.match(lint("shared/clock.ts", "const now = performance.now();")[0] ?? "", /performance/);
  forbids("shared/mux/session/session.ts", /may import only/, "../../system_clock.ts");
});

Deno.test("lint sees every form of import", () => {
  const forms = [
    `import { a } from "../../log.ts";`,
    `import type { A } from "../../log.ts";`,
    `export { a } from "../../log.ts";`,
    `export * from "../../log.ts";`,
    `export * as log from "../../log.ts";`,
    `const log = await import("../../log.ts");`,
    "const log = await import(`../../log.ts`);",
    `const name = "../../log.ts"; await import(name);`,
  ];
  for (const code of forms) assert.equal(lint("shared/mux/session/session.ts", code).length, 1, code);
  assert.deepEqual(
    lint("shared/mux/session/session.ts", "const a = 1; export { a }; export const b = 2;"),
    [],
  );
});

Deno.test("lint keeps folders apart, except where they are connected", () => {
  const reason = /only agent\.ts and server\.ts/;
  forbids(
    "agent/front_door/http/connect.ts",
    reason,
    "../../tunnel/tunnel.ts",
    "../../agent.ts",
    "../../console/console.ts",
  );
  forbids("agent/routes/router.ts", reason, "../direct/direct.ts", "../tunnel/tunnel.ts");
  forbids("agent/direct/direct_streams.ts", reason, "../routes/routes.ts", "../front_door/front_door.ts");
  forbids("server/tunnel/session_registry.ts", reason, "../targets/policy.ts", "../server.ts");
  forbids("shared/egress/connect.ts", /only through shared\//, "../../server/tunnel/session_registry.ts");
  forbids("shared/egress/connect.ts", /only through shared\//, "../../agent/tunnel/tunnel.ts");
  allows(
    "server/targets/target_policy.ts",
    "../../shared/egress/rules/rule.ts",
    "../program.ts",
    "./other.ts",
  );
  allows("agent/agent.ts", "./front_door/front_door.ts", "./tunnel/tunnel.ts");
  allows("server/server.ts", "../shared/egress/forward.ts", "./tunnel/session_registry.ts");
  allows("agent/cli/cli.ts", "../certs/init.ts");
  allows("agent/main.ts", "./agent.ts", "./cli/cli.ts");
});

Deno.test("lint keeps sessions out of egress", () => {
  allows("shared/egress/connect.ts", "../mux/stream/stream.ts");
  forbids("shared/egress/connect.ts", /handles one stream/, "../mux/session/session.ts");
});

Deno.test("lint applies the product's rules to scripts/deploy", () => {
  allows("scripts/deploy/stack.ts", "../../shared/errors.ts", "../process/child_environment.ts");
  forbids(
    "scripts/deploy/stack.ts",
    /only through shared/,
    "../../tests/support/pki.ts",
    "../../agent/agent.ts",
  );
});

Deno.test("lint lets programs import neither tests nor a main.ts", () => {
  forbids("agent/agent.ts", /must not depend on tests/, "./tunnel/tunnel_test.ts");
  forbids("agent/agent.ts", /loading a main\.ts/, "./main.ts");
});

Deno.test("lint lets no file import by URL", () => {
  for (const path of ["agent/agent.ts", "tests/e2e/a_test.ts", "scripts/demo.ts"]) {
    forbids(
      path,
      /add it to the imports of deno\.json/,
      "npm:zod@4",
      "jsr:@std/assert",
      "https://example.com/a.ts",
    );
  }
});

Deno.test("lint allows AWS clients only where AWS is called", () => {
  forbids("agent/cloud/query.ts", /AWS clients belong in/, "@aws-sdk/client-ecs");
  forbids("lambdas/wake.ts", /AWS clients belong in/, "@aws-sdk/client-ecs");
  for (
    const path of [
      "shared/aws/parameter.ts",
      "lambdas/aws/fleet.ts",
      "server/aws/reports.ts",
      "scripts/deploy/aws.ts",
    ]
  ) {
    allows(path, "@aws-sdk/client-ecs");
  }
});

Deno.test("lint lets tests and scripts import anything of the project", () => {
  allows(
    "tests/e2e/a_test.ts",
    "../../agent/tunnel/tunnel.ts",
    "../../server/server.ts",
    "../support/chain.ts",
  );
  allows("scripts/demo.ts", "../agent/certs/init.ts", "../server/main.ts");
  allows("shared/mux/session/session_test.ts", "node:net", "../../tests/support/pair.ts");
});

Deno.test("lint lets protocol and mux touch no runtime API", () => {
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
    const messages = lint("shared/mux/session/session.ts", code);
    assert.equal(messages.length, 1, code);
    assert.match(messages[0]!, /^Cannot use \w+ in shared\/mux\/: take a Clock or a Transport/);
    assert.deepEqual(lint("shared/mux/session/session_test.ts", code), [], code);
    assert.deepEqual(lint("shared/net/splice.ts", code), [], code);
  }
});

Deno.test("lint does not mistake the name of a member for a runtime API", () => {
  const code = "a.Date; a.performance(); const o = { Date: 1 }; class C { fetch() {} process = 1; } " +
    "interface I { Date: string; fetch(): void } let x: A.Date;";
  assert.deepEqual(lint("shared/protocol/envelope.ts", code), []);
});

Deno.test("lint lets only a main.ts end the process", () => {
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
      const messages = lint(path, code);
      assert.equal(messages.length, 1, `${path}: ${code}`);
      assert.match(messages[0]!, /only a main\.ts may end the process/);
    }
    assert.deepEqual(lint("agent/main.ts", code), [], code);
  }
  assert.deepEqual(lint("scripts/demo.ts", "Deno.exitCode = 1; loop.exit();"), []);
});

Deno.test("lint allows TLS only in shared/tls", () => {
  for (
    const code of [
      'import { createServer } from "node:tls";',
      'import { request } from "node:https";',
      "Deno.listenTls(options);",
      'await Deno["connectTls"](options);',
    ]
  ) {
    for (const path of ["agent/agent.ts", "shared/egress/http_exchange.ts", "shared/net/splice.ts"]) {
      const messages = lint(path, code);
      assert.equal(messages.length, 1, `${path}: ${code}`);
      assert.match(messages[0]!, /use shared\/tls\//);
    }
    for (const path of ["tests/support/pki/pki.ts", "scripts/demo.ts"]) {
      assert.deepEqual(lint(path, code), [], code);
    }
  }
  assert.deepEqual(lint("shared/tls/dial.ts", 'import { connect } from "node:tls";'), []);
  assert.equal(lint("shared/tls/dial.ts", "Deno.connectTls(options);").length, 1);
});

Deno.test("lint leaves files outside the project alone", () => {
  const code = `import "npm:zod"; Deno.exit(1);`;
  assert.deepEqual(Deno.lint.runPlugin(plugin, "/elsewhere/shared/mux/a.ts", code), []);
});
