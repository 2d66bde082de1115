import assert from "node:assert/strict";
import { agentCommand, certsCommand } from "./command_line.ts";

const TASK = "npx -y deno@2.9.6 task -q";
const EXECUTABLE = { executable: "/opt/sallyport-agent" };

Deno.test("agentCommand gives the task, with exec as a task of its own", () => {
  assert.equal(agentCommand("doctor", "/etc/agent.yaml"), `${TASK} agent doctor --config /etc/agent.yaml`);
  assert.equal(agentCommand("", "a.yaml"), `${TASK} agent --config a.yaml`);
  assert.equal(agentCommand("exec", "a.yaml", "-- COMMAND"), `${TASK} exec --config a.yaml -- COMMAND`);
});

Deno.test("agentCommand gives the executable, and quotes the file for a shell", () => {
  assert.equal(
    agentCommand("env", "/a b/it's.yaml", "", EXECUTABLE),
    "sallyport-agent env --config '/a b/it'\\''s.yaml'",
  );
  assert.equal(agentCommand("exec", undefined, "-- x", EXECUTABLE), "sallyport-agent exec -- x");
});

Deno.test("certsCommand gives the task that may write, or the agent's executable", () => {
  assert.equal(certsCommand("issue --server"), `${TASK} certs issue --server`);
  assert.equal(certsCommand("init", EXECUTABLE), "sallyport-agent certs init");
  assert.equal(certsCommand("init", { executable: "/opt/sallyport-server" }), "sallyport-agent certs init");
});
