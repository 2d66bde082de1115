/** Responses as old and sloppy origins send them: what is unambiguous is accepted and rewritten strictly. */
import assert from "node:assert/strict";
import { Forwarding, responseOf } from "../../../tests/support/origins/forwarding.ts";
import {
  BROKEN_CHUNKS,
  SLOPPY_RESPONSES,
  type SloppyResponse,
} from "../../../tests/support/origins/sloppy_responses.ts";
import { readUntil, socketClosed } from "../../../tests/support/origins/socket_origin.ts";

/** Sends a request and a response in pieces; a refusal may come before the last of them. */
async function ask(
  forwarding: Forwarding,
  raw: string,
  method: string,
  piece: number,
): ReturnType<typeof responseOf> {
  const near = await forwarding.http({ method });
  const target = await forwarding.origin.next();
  await readUntil(target, (text) => text.includes("\r\n\r\n"));
  const writing = async () => {
    for (let at = 0; at < raw.length && !target.destroyed; at += piece) {
      await new Promise<void>((resolve) =>
        target.write(raw.slice(at, at + piece), "latin1", () => setTimeout(resolve, 0))
      );
    }
    target.end();
  };
  const [answer] = await Promise.all([responseOf(near), writing()]);
  return answer;
}

async function judge({ raw, method = "GET", taken }: SloppyResponse, piece: number): Promise<void> {
  await Forwarding.run(async (forwarding) => {
    const got = await ask(forwarding, raw, method, piece);
    const heads = got.messages.map((message) => {
      assert.ok(message.type === "http_response");
      return message.payload;
    }).filter(({ status = 0, error }) => error !== undefined || status >= 200);
    const { code, detail } = await forwarding.result();
    if (taken === undefined) {
      assert.deepEqual([heads.map(({ error }) => error?.code), code, got.text], [
        ["target_protocol"],
        "target_protocol",
        "",
      ]);
      return;
    }
    const { status = 200, reason = "OK", fields, body = "x", trailers, excess } = taken;
    const version = raw.includes("HTTP/1.0") ? "1.0" : "1.1";
    const headers = [...fields, "Via", `${version} sallyport`];
    assert.deepEqual(heads, [{ status, reason, headers }]);
    assert.deepEqual([got.text, got.trailers ?? [], code], [body, trailers ?? [], undefined]);
    if (piece === Infinity) assert.equal(detail !== undefined, excess === true, detail);
  });
}

Deno.test("a sloppy response is accepted or refused as the RFCs and curl have it", async (test) => {
  for (const answer of SLOPPY_RESPONSES) {
    await test.step(`${answer.name} (RFC ${answer.section})`, () => judge(answer, Infinity));
  }
});

Deno.test("a sloppy response is read alike when it arrives byte by byte", async (test) => {
  for (const answer of SLOPPY_RESPONSES.filter(({ raw }) => raw.length < 200)) {
    await test.step(answer.name, () => judge(answer, 1));
  }
});

Deno.test("ambiguous chunks never look complete", async (test) => {
  for (const [name, raw] of Object.entries(BROKEN_CHUNKS)) {
    await test.step(name, () =>
      Forwarding.run(async (forwarding) => {
        await assert.rejects(ask(forwarding, raw, "GET", Infinity), {
          code: name.startsWith("the connection") ? "target_reset" : "target_protocol",
        });
      }));
  }
});

Deno.test("a connection with bytes after a response is not reused, and one audit line says so", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http({ method: "HEAD" });
    const first = await forwarding.origin.next();
    await readUntil(first, (text) => text.includes("\r\n\r\n"));
    first.on("end", () => first.end());
    const closed = socketClosed(first.resume());
    const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    for (let i = 0; i < 5; i++) first.write(evil);
    assert.equal((await responseOf(near)).text, "");
    await closed;
    assert.match((await forwarding.result()).detail ?? "", /bytes after its response/);
    const again = await forwarding.http({});
    const second = await forwarding.origin.next();
    await readUntil(second, (text) => text.includes("\r\n\r\n"));
    second.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    assert.equal((await responseOf(again)).text, "good");
    assert.equal((await forwarding.result(2)).detail, undefined);
    assert.equal(forwarding.results.length, 2);
  }));
