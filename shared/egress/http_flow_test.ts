import assert from "node:assert/strict";
import { eventually, eventuallyStable } from "../../tests/support/eventually.ts";
import { Forwarding } from "../../tests/support/origins/forwarding.ts";
import { readUntil } from "../../tests/support/origins/socket_origin.ts";
import { within } from "../../tests/support/within.ts";

const MIB = 1 << 20;

Deno.test("http makes the origin wait while the client does not read, whatever ends the body", () =>
  Forwarding.run(async (forwarding) => {
    const total = 64 * MIB;
    for (const framing of [`Content-Length: ${total}\r\n`, "Connection: close\r\n"]) {
      const near = await forwarding.http({});
      let arrived = 0;
      let held = 0;
      let reading = false;
      const ended = Promise.withResolvers<void>();
      near.listen({
        data: ({ byteLength }) => {
          arrived += byteLength;
          if (reading) near.consumed(byteLength);
          else held += byteLength;
        },
        end: () => ended.resolve(),
        closed: (error) => error && ended.reject(error),
      });
      near.resume();
      const target = await forwarding.origin.next();
      await readUntil(target, (text) => text.includes("\r\n\r\n"));
      let taken = 0;
      target.write(`HTTP/1.1 200 OK\r\n${framing}\r\n`);
      for (let i = 0; i < total / MIB; i++) target.write(new Uint8Array(MIB), () => taken++);
      target.end();
      await eventuallyStable("the origin is held back", () => taken);
      assert.ok(taken < total / MIB / 2, `${taken} MiB were taken though nothing reads`);
      reading = true;
      near.consumed(held);
      await within(10_000, ended.promise, "the rest");
      assert.equal(arrived, total);
    }
  }));

Deno.test("http makes the client wait while the origin does not read", () =>
  Forwarding.run(async (forwarding) => {
    const total = 64 * MIB;
    const headers = ["Content-Length", String(total)];
    const near = await forwarding.http({ method: "PUT", headers }, undefined, {});
    const target = await forwarding.origin.next();
    target.pause();
    let sent = 0;
    const pump = () => {
      while (sent < total) {
        sent += 65_536;
        if (!near.write(new Uint8Array(65_536))) return;
      }
      near.end();
    };
    const ended = Promise.withResolvers<void>();
    near.listen({ drain: pump, end: () => ended.resolve() });
    near.resume();
    pump();
    await eventuallyStable("the client is held back", () => sent);
    assert.ok(sent < total / 2, `${sent} bytes went out though nothing reads`);
    let read = 0;
    target.on("data", ({ byteLength }: Uint8Array) => void (read += byteLength));
    target.resume();
    await eventually("the whole body", () => assert.ok(read > total));
    target.write("HTTP/1.1 204 No Content\r\n\r\n");
    await within(5_000, ended.promise, "the answer");
  }));
