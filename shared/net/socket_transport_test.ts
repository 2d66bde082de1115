import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, Socket } from "node:net";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { eventuallyStable } from "../../tests/support/eventually.ts";
import { sha256, testBytes } from "../../tests/support/test_bytes.ts";
import { TestListener } from "../../tests/support/pki/tls_pair.ts";
import { within } from "../../tests/support/within.ts";
import { SallyportError } from "../errors.ts";
import { SocketTransport } from "./socket_transport.ts";

/** Two ends of one connection. */
interface Pair extends AsyncDisposable {
  readonly dialled: Socket;
  readonly accepted: Socket;
}

const KINDS: Record<string, () => Promise<Pair>> = {
  TCP: async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const arrived = once(server, "connection");
    const dialled = connect({ host: "127.0.0.1", port: (server.address() as { port: number }).port });
    await once(dialled, "connect");
    const [accepted] = await arrived as [Socket];
    return pair(dialled, accepted, async () => {
      await once(server.close(), "close");
    });
  },
  TLS: async () => {
    const pki = await TestPki.create();
    const test = await TestListener.start(await pki.server());
    const { socket: dialled } = await test.dial(await pki.client());
    const { socket: accepted } = await test.accepted();
    return pair(dialled, accepted, () => test[Symbol.asyncDispose]());
  },
};

function pair(dialled: Socket, accepted: Socket, close: () => Promise<void>): Pair {
  return {
    dialled,
    accepted,
    async [Symbol.asyncDispose]() {
      const both = [dialled, accepted].filter((socket) => !socket.closed);
      const closed = both.map((socket) => once(socket, "close"));
      for (const socket of both) socket.destroy();
      await within(5_000, Promise.all([...closed, close()]), "a connection closes");
    },
  };
}

/** A started transport and its events. */
function started(socket: Socket) {
  const transport = new SocketTransport(socket);
  const parts: Uint8Array[] = [];
  const ends: (SallyportError | undefined)[] = [];
  const closed = Promise.withResolvers<SallyportError | undefined>();
  let length = 0;
  let wanted = Infinity;
  const enough = Promise.withResolvers<void>();
  transport.start({
    data(bytes) {
      parts.push(bytes);
      length += bytes.byteLength;
      if (length >= wanted) enough.resolve();
    },
    closed(error) {
      ends.push(error);
      closed.resolve(error);
    },
  });
  return {
    transport,
    ends,
    closed: within(10_000, closed.promise, "closed"),
    received(bytes: number) {
      wanted = bytes;
      if (length >= wanted) enough.resolve();
      return within(60_000, enough.promise, `${bytes} bytes`);
    },
    bytes: () => new Uint8Array(Buffer.concat(parts)),
  };
}

/** Writes `count` blocks through two buffers, reusing each as soon as allowed. */
function writeReused(transport: SocketTransport, whole: Uint8Array, size: number): Promise<void> {
  return new Promise((resolve) => {
    let at = 0;
    let pending = 0;
    const next = (buffer: Uint8Array) => {
      if (at >= whole.length) return pending === 0 ? resolve() : undefined;
      const part = whole.subarray(at, at += size);
      buffer.set(part);
      pending++;
      transport.write(buffer.subarray(0, part.length), () => {
        pending--;
        buffer.fill(0xee);
        next(buffer);
      });
    };
    next(new Uint8Array(size));
    next(new Uint8Array(size));
  });
}

for (const [kind, connected] of Object.entries(KINDS)) {
  Deno.test(`SocketTransport over ${kind} carries bytes in both directions and ends in order`, async () => {
    await using ends = await connected();
    const [a, b] = [started(ends.dialled), started(ends.accepted)];
    a.transport.write(new Uint8Array([1, 2]), () => {});
    b.transport.write(new Uint8Array([3]), () => {});
    await Promise.all([b.received(2), a.received(1)]);
    a.transport.write(new Uint8Array([4]), () => {});
    a.transport.close();
    assert.deepEqual(await Promise.all([a.closed, b.closed]), [undefined, undefined]);
    assert.deepEqual([...b.bytes()], [1, 2, 4]);
    assert.deepEqual([...a.bytes()], [3]);
  });

  Deno.test(`SocketTransport over ${kind} sends all that was written before close`, async () => {
    await using ends = await connected();
    const [a, b] = [started(ends.dialled), started(ends.accepted)];
    const whole = testBytes(8 << 20);
    a.transport.write(whole, () => {});
    a.transport.close();
    await Promise.all([a.closed, b.closed]);
    assert.equal(sha256(b.bytes()), sha256(whole));
  });

  Deno.test(`SocketTransport over ${kind} reports an abort once at both ends`, async () => {
    await using ends = await connected();
    const [a, b] = [started(ends.dialled), started(ends.accepted)];
    a.transport.abort();
    a.transport.abort();
    a.transport.close();
    await b.closed;
    await a.closed;
    a.transport.write(new Uint8Array(1), () => assert.fail("written after the end"));
    b.transport.write(new Uint8Array(1), () => assert.fail("written after the end"));
    b.transport.close();
    b.transport.abort();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(a.ends.length, 1);
    assert.equal(b.ends.length, 1);
  });

  Deno.test(`SocketTransport over ${kind} reports why it ended, and survives later errors`, async () => {
    await using ends = await connected();
    const a = started(ends.dialled);
    ends.dialled.destroy(Object.assign(new Error("x"), { code: "ECONNRESET" }));
    const error = await a.closed;
    assert.ok(error instanceof SallyportError);
    assert.equal(error.code, "tunnel_down");
    assert.equal(error.message, "Cannot keep the connection: the connection was reset by the peer");
    ends.dialled.emit("error", new Error("late"));
    assert.equal(a.ends.length, 1);
  });

  Deno.test(`SocketTransport over ${kind} reports an end that came before its start`, async () => {
    await using ends = await connected();
    const transport = new SocketTransport(ends.dialled);
    const gone = once(ends.dialled, "close");
    ends.dialled.destroy();
    await gone;
    const closed = Promise.withResolvers<void>();
    transport.start({ data: () => assert.fail("data"), closed: () => closed.resolve() });
    await within(5_000, closed.promise, "closed");
  });

  Deno.test(`SocketTransport over ${kind} carries 64 MiB in each direction at once, from reused buffers`, async () => {
    await using ends = await connected();
    const [a, b] = [started(ends.dialled), started(ends.accepted)];
    const [there, back] = [testBytes(64 << 20, 1), testBytes(64 << 20, 2)];
    await Promise.all([
      writeReused(a.transport, there, 70_001),
      writeReused(b.transport, back, 131_072),
      b.received(there.length),
      a.received(back.length),
    ]);
    assert.equal(sha256(b.bytes()), sha256(there));
    assert.equal(sha256(a.bytes()), sha256(back));
  });

  Deno.test(`SocketTransport over ${kind} makes the peer wait while it is paused, and loses nothing`, async () => {
    for (const which of kind === "TLS" ? ["accepted"] as const : ["dialled", "accepted"] as const) {
      await using ends = await connected();
      const reader = started(ends[which]);
      const writer = started(ends[which === "dialled" ? "accepted" : "dialled"]);
      const bytes = testBytes(96 << 20, 3);
      let written = 0;
      const finished = Promise.withResolvers<void>();
      const more = () => {
        if (written === bytes.length) return finished.resolve();
        const part = bytes.subarray(written, written + 65_536);
        writer.transport.write(part, () => {
          written += part.length;
          more();
        });
      };
      reader.transport.pause();
      more();
      await eventuallyStable("the writer waits", () => written);
      assert.ok(written < 48 << 20, `${which}: ${written} bytes left although nothing reads`);
      reader.transport.resume();
      await Promise.all([within(20_000, finished.promise, "all is written"), reader.received(bytes.length)]);
      assert.equal(sha256(reader.bytes()), sha256(bytes));
    }
  });

  Deno.test(`SocketTransport over ${kind} continues after pauses between bytes`, async () => {
    await using ends = await connected();
    const [writer, reader] = [started(ends.dialled), new SocketTransport(ends.accepted)];
    const bytes = testBytes(4 << 20, 4);
    const all = Promise.withResolvers<void>();
    let [length, pauses, paused] = [0, 0, false];
    let timer: ReturnType<typeof setTimeout> | undefined;
    reader.start({
      data(part) {
        length += part.length;
        if (length === bytes.length) return all.resolve();
        if (paused) return;
        paused = true;
        pauses++;
        reader.pause();
        timer = setTimeout(() => {
          paused = false;
          reader.resume();
        }, 20);
      },
      closed: () => {},
    });
    writer.transport.write(bytes, () => {});
    await within(10_000, all.promise, "all bytes");
    assert.ok(pauses > 1, `${pauses} pauses`);
    clearTimeout(timer);
  });
}

Deno.test("SocketTransport names the peer, IPv4 as such even on an IPv6 socket", () => {
  for (
    const [remoteAddress, remotePort, expected] of [
      ["203.0.113.7", 40312, "203.0.113.7:40312"],
      ["::ffff:203.0.113.7", 40312, "203.0.113.7:40312"],
      ["2001:db8::7", 40312, "[2001:db8::7]:40312"],
      [undefined, undefined, "unknown"],
    ] as const
  ) {
    const socket = Object.defineProperties(new Socket(), {
      remoteAddress: { value: remoteAddress },
      remotePort: { value: remotePort },
    });
    assert.deepEqual(new SocketTransport(socket).remotes, [expected]);
    socket.destroy();
  }
});
