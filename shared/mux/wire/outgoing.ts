import { SallyportError } from "../../errors.ts";
import { type HeaderList, readStreamMessage, type StreamMessage } from "../../protocol/messages.ts";
import { headerList } from "../../protocol/shape.ts";
import { headerListCost, messageCost } from "../flow/stream_memory.ts";
import { MAX_JSON_BYTES } from "./frame_header.ts";

/** Bytes reserved for `type`, `stream` and `end`. */
const FRAME_ROOM = 128;
/** Texts that fit into an envelope in any case: JSON needs at most six bytes for a character. Most need not be measured. */
const SHORT_BYTES = MAX_JSON_BYTES / 8;

const encoder = new TextEncoder();

/**
 * Checks a message before it is queued. The peer would end the whole session for one that breaks the
 * specification (SPEC.md 2.2, 2.3), and its text may come from a hostile target or client.
 *
 * @throws SallyportError `bad_request` that names the member.
 */
export function checkOutgoing(message: StreamMessage | undefined, trailers: HeaderList | undefined): void {
  try {
    if (message !== undefined) readStreamMessage(message.type, message.payload);
    if (trailers !== undefined) headerList(trailers, "trailers");
  } catch (cause) {
    const { message: problem } = SallyportError.from(cause);
    throw new SallyportError("bad_request", problem.replace("Cannot read", "Cannot send"), { cause });
  }
  const texts = (message === undefined ? 0 : messageCost(message)) + headerListCost(trailers);
  if (texts <= SHORT_BYTES) return;
  const bytes = FRAME_ROOM + jsonBytes(message?.payload) + jsonBytes(trailers);
  if (bytes <= MAX_JSON_BYTES) return;
  const what = message?.type ?? "trailers";
  throw new SallyportError("bad_request", `Cannot send ${what}: ${bytes} bytes exceed ${MAX_JSON_BYTES}`);
}

function jsonBytes(value: object | undefined): number {
  return value === undefined ? 0 : encoder.encode(JSON.stringify(value)).byteLength;
}
