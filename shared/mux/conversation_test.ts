import assert from "node:assert/strict";
import type { OpeningType, StreamMessage } from "../protocol/messages.ts";
import { Conversation } from "./conversation.ts";

const target = { host: "a", port: 1 };
const head = (status: number) => ({ status, reason: "", headers: [] });
const error = { error: { code: "dns_error", message: "" } };

/** One message of the peer: type and payload, body length, whether it ends, and its trailers. */
interface Said {
  message: StreamMessage;
  body?: number;
  end?: boolean;
  trailers?: string[];
}

const say = (message: StreamMessage, more: Omit<Said, "message"> = {}): Said => ({ message, ...more });
const connectAck = say({ type: "connect_ack", payload: {} });
const data = say({ type: "connect_data", payload: {} }, { body: 1 });
const webData = say({ type: "websocket_message", payload: {} }, { body: 1 });
const webClose = say({ type: "websocket_close", payload: {} }, { end: true });
const response = (status: number) => say({ type: "http_response", payload: head(status) });
const webAck = (status: number) => say({ type: "websocket_ack", payload: head(status) });
const openings: Record<OpeningType, Said> = {
  connect_request: say({ type: "connect_request", payload: target }),
  http_request: say({ type: "http_request", payload: { ...target, method: "GET", path: "/", headers: [] } }),
  websocket_open: say({ type: "websocket_open", payload: { ...target, path: "/", headers: [] } }),
};

/** Says these one after the other; all but the last have to be in their place. Returns the last one's fault. */
function faultOf(opening: OpeningType, own: boolean, said: Said[]): string | undefined {
  const conversation = new Conversation(opening, own);
  let fault: string | undefined;
  for (const { message, body = 0, end = false, trailers } of said) {
    assert.equal(fault, undefined);
    fault = conversation.fault({ kind: "stream", id: 1, message, end, trailers }, body);
  }
  return fault;
}

Deno.test("conversation lets the accepter answer and then send bytes (SPEC 4.2, 4.3)", () => {
  const fine: [OpeningType, Said[]][] = [
    ["connect_request", [{ ...connectAck, body: 5 }, data, { ...data, end: true, trailers: ["a", "b"] }]],
    ["connect_request", [say({ type: "connect_ack", payload: error }, { end: true })]],
    ["http_request", [response(100), response(103), { ...response(200), body: 9 }, data]],
    ["http_request", [say({ type: "http_response", payload: error }, { end: true })]],
    ["websocket_open", [webAck(103), webAck(101), webData, webClose]],
    ["websocket_open", [webAck(403), webData]],
  ];
  for (const [opening, said] of fine) assert.equal(faultOf(opening, true, said), undefined, opening);
});

Deno.test("conversation lets the opener send bytes after its opening message (SPEC 4.2)", () => {
  const fine: [OpeningType, Said[]][] = [["connect_request", [data]], ["http_request", [data]], [
    "websocket_open",
    [webData, webClose],
  ]];
  for (const [opening, said] of fine) {
    assert.equal(faultOf(opening, false, [openings[opening], ...said]), undefined, opening);
  }
});

Deno.test("conversation finds what only the other end may send (SPEC 4.2)", () => {
  const wrong: [OpeningType, Said][] = [
    ["connect_request", connectAck],
    ["http_request", response(200)],
    ["websocket_open", webAck(101)],
  ];
  for (const [opening, said] of wrong) {
    assert.match(faultOf(opening, false, [openings[opening], said]) ?? "", /is out of place/, opening);
  }
});

Deno.test("conversation finds what belongs to another kind of stream (SPEC 4.2)", () => {
  const wrong: [OpeningType, Said[], RegExp][] = [
    ["connect_request", [response(200)], /http_response came before connect_ack/],
    ["http_request", [connectAck], /connect_ack came before http_response/],
    ["websocket_open", [response(101)], /http_response came before websocket_ack/],
    ["connect_request", [connectAck, webData], /websocket_message is out of place/],
    ["connect_request", [connectAck, webClose], /websocket_close is out of place/],
    ["websocket_open", [webAck(101), data], /connect_data is out of place/],
  ];
  for (const [opening, said, fault] of wrong) assert.match(faultOf(opening, true, said) ?? "", fault);
});

Deno.test("conversation finds what comes out of order (SPEC 4.2, 4.3)", () => {
  const wrong: [OpeningType, Said[], RegExp][] = [
    ["connect_request", [data], /connect_data came before connect_ack/],
    ["http_request", [response(103), data], /connect_data came before http_response/],
    ["websocket_open", [webClose], /websocket_close came before websocket_ack/],
    ["connect_request", [connectAck, connectAck], /connect_ack is out of place/],
    ["http_request", [response(200), response(100)], /http_response is out of place/],
    ["websocket_open", [webAck(101), webAck(101)], /websocket_ack is out of place/],
  ];
  for (const [opening, said, fault] of wrong) assert.match(faultOf(opening, true, said) ?? "", fault);
});

Deno.test("conversation finds messages that are wrong in themselves (SPEC 4.2, 4.3)", () => {
  const failed = say({ type: "connect_ack", payload: error });
  const wrong: [OpeningType, Said[], RegExp][] = [
    ["connect_request", [{ ...connectAck, trailers: ["a", "b"] }], /trailers without end/],
    ["connect_request", [failed], /error is not the end/],
    ["connect_request", [{ ...failed, end: true, body: 1 }], /error is not the end/],
    ["http_request", [response(101)], /status 101/],
    ["http_request", [{ ...response(103), body: 1 }], /status 103 has a body or an end/],
    ["http_request", [{ ...response(103), end: true }], /status 103 has a body or an end/],
    ["websocket_open", [webAck(101), { ...webClose, body: 1 }], /websocket_close has a body/],
  ];
  for (const [opening, said, fault] of wrong) assert.match(faultOf(opening, true, said) ?? "", fault);
});

Deno.test("conversation bears 32 interim answers and no more (SPEC 4.3)", () => {
  for (
    const [opening, interim] of [["http_request", response(102)], ["websocket_open", webAck(102)]] as const
  ) {
    assert.equal(faultOf(opening, true, Array(32).fill(interim)), undefined);
    assert.match(faultOf(opening, true, Array(33).fill(interim)) ?? "", /more than 32 interim answers/);
  }
});
