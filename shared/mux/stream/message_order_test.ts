import assert from "node:assert/strict";
import type { OpeningType, StreamMessage } from "../../protocol/messages.ts";
import { MessageOrder } from "./message_order.ts";

const target = { host: "a", port: 1 };
const head = (status: number) => ({ status, reason: "", headers: [] });
const error = { error: { code: "dns_error", message: "" } };

/** A message of the peer: type and payload, body length, whether it ends, and its trailers. */
interface Sent {
  message: StreamMessage;
  body?: number;
  end?: boolean;
  trailers?: string[];
}

const sent = (message: StreamMessage, more: Omit<Sent, "message"> = {}): Sent => ({ message, ...more });
const connectAck = sent({ type: "connect_ack", payload: {} });
const data = sent({ type: "connect_data", payload: {} }, { body: 1 });
const webData = sent({ type: "websocket_message", payload: {} }, { body: 1 });
const webClose = sent({ type: "websocket_close", payload: {} }, { end: true });
const response = (status: number) => sent({ type: "http_response", payload: head(status) });
const webAck = (status: number) => sent({ type: "websocket_ack", payload: head(status) });
const openings: Record<OpeningType, Sent> = {
  connect_request: sent({ type: "connect_request", payload: target }),
  http_request: sent({ type: "http_request", payload: { ...target, method: "GET", path: "/", headers: [] } }),
  websocket_open: sent({ type: "websocket_open", payload: { ...target, path: "/", headers: [] } }),
};

/** Checks these messages in turn; all but the last have to be valid. Returns how the last one breaks the order. */
function problemOf(opening: OpeningType, own: boolean, messages: Sent[]): string | undefined {
  const order = new MessageOrder(opening, own);
  let problem: string | undefined;
  for (const { message, body = 0, end = false, trailers } of messages) {
    assert.equal(problem, undefined);
    problem = order.check({ kind: "stream", id: 1, n: 0, message, end, trailers }, body);
  }
  return problem;
}

Deno.test("message order lets the accepter answer and then send bytes (SPEC 4.2, 4.3)", () => {
  const fine: [OpeningType, Sent[]][] = [
    ["connect_request", [{ ...connectAck, body: 5 }, data, { ...data, end: true, trailers: ["a", "b"] }]],
    ["connect_request", [sent({ type: "connect_ack", payload: error }, { end: true })]],
    ["http_request", [response(100), response(103), { ...response(200), body: 9 }, data]],
    ["http_request", [sent({ type: "http_response", payload: error }, { end: true })]],
    ["websocket_open", [webAck(103), webAck(101), webData, webClose]],
    ["websocket_open", [webAck(403), webData]],
  ];
  for (const [opening, messages] of fine) {
    assert.equal(problemOf(opening, true, messages), undefined, opening);
  }
});

Deno.test("message order lets the opener send bytes after its opening message (SPEC 4.2)", () => {
  const fine: [OpeningType, Sent[]][] = [["connect_request", [data]], ["http_request", [data]], [
    "websocket_open",
    [webData, webClose],
  ]];
  for (const [opening, messages] of fine) {
    assert.equal(problemOf(opening, false, [openings[opening], ...messages]), undefined, opening);
  }
});

Deno.test("message order refuses what only the other end may send (SPEC 4.2)", () => {
  const wrong: [OpeningType, Sent][] = [
    ["connect_request", connectAck],
    ["http_request", response(200)],
    ["websocket_open", webAck(101)],
  ];
  for (const [opening, messages] of wrong) {
    assert.match(problemOf(opening, false, [openings[opening], messages]) ?? "", /is out of place/, opening);
  }
});

Deno.test("message order refuses messages of another kind of stream (SPEC 4.2)", () => {
  const wrong: [OpeningType, Sent[], RegExp][] = [
    ["connect_request", [response(200)], /http_response came before connect_ack/],
    ["http_request", [connectAck], /connect_ack came before http_response/],
    ["websocket_open", [response(101)], /http_response came before websocket_ack/],
    ["connect_request", [connectAck, webData], /websocket_message is out of place/],
    ["connect_request", [connectAck, webClose], /websocket_close is out of place/],
    ["websocket_open", [webAck(101), data], /connect_data is out of place/],
  ];
  for (const [opening, messages, problem] of wrong) {
    assert.match(problemOf(opening, true, messages) ?? "", problem);
  }
});

Deno.test("message order refuses messages out of order (SPEC 4.2, 4.3)", () => {
  const wrong: [OpeningType, Sent[], RegExp][] = [
    ["connect_request", [data], /connect_data came before connect_ack/],
    ["http_request", [response(103), data], /connect_data came before http_response/],
    ["websocket_open", [webClose], /websocket_close came before websocket_ack/],
    ["connect_request", [connectAck, connectAck], /connect_ack is out of place/],
    ["http_request", [response(200), response(100)], /http_response is out of place/],
    ["websocket_open", [webAck(101), webAck(101)], /websocket_ack is out of place/],
  ];
  for (const [opening, messages, problem] of wrong) {
    assert.match(problemOf(opening, true, messages) ?? "", problem);
  }
});

Deno.test("message order refuses messages that are invalid in themselves (SPEC 4.2, 4.3)", () => {
  const failed = sent({ type: "connect_ack", payload: error });
  const wrong: [OpeningType, Sent[], RegExp][] = [
    ["connect_request", [{ ...connectAck, trailers: ["a", "b"] }], /trailers without end/],
    ["connect_request", [failed], /error is not the end/],
    ["connect_request", [{ ...failed, end: true, body: 1 }], /error is not the end/],
    ["http_request", [response(101)], /status 101/],
    ["http_request", [{ ...response(103), body: 1 }], /status 103 has a body or an end/],
    ["http_request", [{ ...response(103), end: true }], /status 103 has a body or an end/],
    ["websocket_open", [webAck(101), { ...webClose, body: 1 }], /websocket_close has a body/],
  ];
  for (const [opening, messages, problem] of wrong) {
    assert.match(problemOf(opening, true, messages) ?? "", problem);
  }
});

Deno.test("message order allows 32 interim answers and no more (SPEC 4.3)", () => {
  for (
    const [opening, interim] of [["http_request", response(102)], ["websocket_open", webAck(102)]] as const
  ) {
    assert.equal(problemOf(opening, true, Array(32).fill(interim)), undefined);
    assert.match(problemOf(opening, true, Array(33).fill(interim)) ?? "", /more than 32 interim answers/);
  }
});
