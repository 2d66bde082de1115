/** Whatever a client requests in any protocol, and whatever a server answers, each log entry is one line. */
import assert from "node:assert/strict";
import { withFrontDoor } from "../../tests/support/clients/front_door.ts";
import { configureLog, getLogger, resetLog } from "../../shared/log.ts";

const HOSTILE = '"x","level":"INFO","message":"forged';
const LONG = "y".repeat(60_000);
const HOST = "Host: a.test\r\n\r\n";
/** What a server, or a target through it, may send. */
const MESSAGE = 'no\r\n{"message":"forged"}\x1b[2J\x9b31m\u2028\u202e\x00' + "z".repeat(900);

/** Requests that the front door refuses on its own. */
const REFUSED = [
  ...[
    `CONNECT ${HOSTILE} HTTP/1.1\r\n${HOST}`,
    `CONNECT ${LONG} HTTP/1.1\r\n${HOST}`,
    `CONNECT a\x1b[2J:1 HTTP/1.1\r\n${HOST}`,
  ],
  ...[
    `GET http://${HOSTILE}/ HTTP/1.1\r\n${HOST}`,
    `GET http://${LONG}/ HTTP/1.1\r\n${HOST}`,
    `GET ftp://a.test/${HOSTILE} HTTP/1.1\r\n${HOST}`,
  ],
  `GET http://u@a.test/${HOSTILE}${LONG} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${HOST}`,
  `GET http://\u00e2\u0080\u00a8.a.test/ HTTP/1.1\r\n${HOST}`,
  `POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: ${HOSTILE}\r\n${HOST}`,
  '\x05\x01\x00\x05\x01\x00\x03\x0ba\r\nb\x1b[2J"\x00\x9b\x00\x50',
  `\x05\x01\x00\x05\x01\x00\x03\xff${"\x1b".repeat(255)}\x00\x50`,
];
/** Requests that the server answers. */
const OPENED = [
  `CONNECT ${"a.".repeat(126)}a:1 HTTP/1.1\r\n${HOST}`,
  `GET http://a.test/${HOSTILE}${LONG} HTTP/1.1\r\n${HOST}`,
  `GET http://a.test/${HOSTILE} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${HOST}`,
  "\x05\x01\x00\x05\x01\x00\x03\x06a.test\x00\x50",
];

for (const format of ["json", "text"] as const) {
  Deno.test(`front door log cannot be forged (${format})`, async () => {
    const lines: string[] = [];
    configureLog({ level: "debug", format, write: (line) => lines.push(line) });
    try {
      await withFrontDoor({ log: getLogger("front_door") }, async ({ client, nextStream, refused }) => {
        for (const request of [...REFUSED, ...OPENED]) {
          const near = client();
          near.send(request);
          if (OPENED.includes(request)) (await nextStream()).stream.reset("target_denied", MESSAGE);
          await (request.startsWith('GET http://a.test/"x') && !request.includes("Upgrade")
            ? near.readTo("What to do")
            : near.rest());
          await near.close("reset");
        }
        assert.equal(refused.length, REFUSED.length + OPENED.length);
      });
    } finally {
      resetLog();
    }
    const refusals = lines.filter((line) => line.includes("request refused"));
    assert.equal(refusals.length, REFUSED.length + OPENED.length);
    for (const line of lines) {
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
      assert.ok(line.length < 8_000, `${line.length} characters`);
      if (format === "text") {
        assert.match(line, /^\d\d:\d\d:\d\d\.\d{3} (info {1,2}|debug|warn ) front_door: [a-z]/);
      } else assert.notEqual(JSON.parse(line).message, "forged");
    }
  });
}
