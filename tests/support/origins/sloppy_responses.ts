/** Responses that deviate from RFC 9110 and RFC 9112, and how each is handled. */
export interface SloppyResponse {
  readonly name: string;
  /** The section that decides. */
  readonly section: string;
  /** Latin-1; the origin sends it and closes. */
  readonly raw: string;
  /** @default "GET" */
  readonly method?: "GET" | "HEAD";
  /** What the client gets; without it the response is refused with 502. */
  readonly taken?: {
    /** @default 200 */
    readonly status?: number;
    /** @default "OK" */
    readonly reason?: string;
    readonly fields: readonly string[];
    /** @default "x" */
    readonly body?: string;
    readonly trailers?: readonly string[];
    /** Bytes came after the response; they never reach a client. */
    readonly excess?: true;
  };
}

const OK = "HTTP/1.1 200 OK\r\n";
const SIZED = "Content-Length: 1\r\n\r\nx";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const LENGTH = ["Content-Length", "1"];
const ONE = { fields: LENGTH };
const NONE = { fields: [] };
const A_B = { fields: ["X", "a b", ...LENGTH] };
const EVIL = `${OK}Content-Length: 4\r\n\r\nevil`;
const EXCESS = { fields: LENGTH, excess: true } as const;

/** All cases. curl 7.88 accepts what is accepted here, except leading empty lines and long chunk sizes. */
export const SLOPPY_RESPONSES: readonly SloppyResponse[] = [
  // Lengths.
  { name: "equal lengths", section: "9110 8.6", raw: `${OK}Content-Length: 1\r\n${SIZED}`, taken: ONE },
  {
    name: "three in two fields",
    section: "9110 8.6",
    raw: `${OK}Content-Length: 1 ,1\r\n${SIZED}`,
    taken: ONE,
  },
  { name: "a list of lengths", section: "9110 8.6", raw: `${OK}Content-Length: 1, 1\r\n\r\nx`, taken: ONE },
  { name: "a length with zeros", section: "9110 8.6", raw: `${OK}Content-Length: 001\r\n\r\nx`, taken: ONE },
  {
    name: "a length among blanks",
    section: "9112 5.1",
    raw: `${OK}Content-Length:\t1\t \r\n\r\nx`,
    taken: ONE,
  },
  { name: "lengths that differ", section: "9112 6.3", raw: `${OK}Content-Length: 2\r\n${SIZED}` },
  { name: "a list that differs", section: "9112 6.3", raw: `${OK}Content-Length: 1, 2\r\n\r\nx` },
  { name: "equal in number only", section: "9112 6.3", raw: `${OK}Content-Length: 01\r\n${SIZED}` },
  { name: "a list with a gap", section: "9110 8.6", raw: `${OK}Content-Length: 1,,1\r\n\r\nx` },
  { name: "an empty length", section: "9110 8.6", raw: `${OK}Content-Length:\r\n\r\nx` },
  { name: "a length with plus", section: "9110 8.6", raw: `${OK}Content-Length: +1\r\n\r\nx` },
  { name: "a length with minus", section: "9110 8.6", raw: `${OK}Content-Length: -1\r\n\r\nx` },
  { name: "a length in hex", section: "9110 8.6", raw: `${OK}Content-Length: 0x1\r\n\r\nx` },
  {
    name: "a length of 2^64 + 1",
    section: "9110 8.6",
    raw: `${OK}Content-Length: 18446744073709551617\r\n\r\nx`,
  },
  { name: "a folded length", section: "9112 5.2", raw: `${OK}Content-Length:\r\n 1\r\n\r\nx` },
  {
    name: "a length on 204",
    section: "9110 8.6",
    raw: "HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n",
    taken: { status: 204, reason: "None", fields: [], body: "" },
  },
  // Bytes after the response.
  { name: "a second answer", section: "9112 6.3", raw: `${OK}${SIZED}${EVIL}`, taken: EXCESS },
  { name: "rubbish after it", section: "9112 6.3", raw: `${OK}${SIZED}\0\r\n`, taken: EXCESS },
  { name: "an empty line after it", section: "9112 2.2", raw: `${OK}${SIZED}\r\n`, taken: EXCESS },
  {
    name: "more after close",
    section: "9112 9.6",
    raw: `${OK}Connection: close\r\n${SIZED}${EVIL}`,
    taken: EXCESS,
  },
  {
    name: "a second answer after chunks",
    section: "9112 7.1",
    raw: `${CHUNKED}1\r\nx\r\n0\r\n\r\n${EVIL}`,
    taken: { fields: [], excess: true },
  },
  {
    name: "a body on 204",
    section: "9112 6.3",
    raw: `HTTP/1.1 204 None\r\n\r\n${EVIL}`,
    taken: { status: 204, reason: "None", fields: [], body: "", excess: true },
  },
  {
    name: "chunks on 204",
    section: "9112 6.1",
    raw: "HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    taken: { status: 204, reason: "None", fields: [], body: "", excess: true },
  },
  {
    name: "a body on 304",
    section: "9112 6.3",
    raw: "HTTP/1.1 304 Same\r\nContent-Length: 1\r\n\r\nx",
    taken: { status: 304, reason: "Same", fields: LENGTH, body: "", excess: true },
  },
  {
    name: "a body on HEAD",
    section: "9112 6.3",
    method: "HEAD",
    raw: `${OK}${SIZED}`,
    taken: { fields: LENGTH, body: "", excess: true },
  },
  // Line ends.
  { name: "bare LF", section: "9112 2.2", raw: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", taken: ONE },
  { name: "LF and CRLF", section: "9112 2.2", raw: `${OK}X: a b\n${SIZED}`, taken: A_B },
  { name: "an empty line in front", section: "9112 2.2", raw: `\r\n\n${OK}${SIZED}`, taken: ONE },
  { name: "a bare CR in a value", section: "9112 2.2", raw: `${OK}X: a\rb\r\n${SIZED}` },
  { name: "a bare CR at the end", section: "9112 2.2", raw: `${OK}X: a\r\r\n${SIZED}` },
  { name: "a bare CR in front", section: "9112 2.2", raw: `\r${OK}${SIZED}` },
  { name: "CR alone as line end", section: "9112 2.2", raw: `HTTP/1.1 200 OK\rContent-Length: 1\r\rx\n\n` },
  // Fields.
  { name: "a fold", section: "9112 5.2", raw: `${OK}X: a \r\n \t b\r\n${SIZED}`, taken: A_B },
  { name: "folds in LF lines", section: "9112 5.2", raw: `${OK}X: \n a\n\tb\n${SIZED}`, taken: A_B },
  { name: "an empty fold", section: "9112 5.2", raw: `${OK}X: a b\r\n \r\n${SIZED}`, taken: A_B },
  { name: "a fold first", section: "9112 2.2", raw: `${OK} X: a\r\n${SIZED}` },
  { name: "a blank before the colon", section: "9112 5.1", raw: `${OK}X \t: a b\r\n${SIZED}`, taken: A_B },
  { name: "so in the length", section: "9112 5.1", raw: `${OK}Content-Length : 1\r\n\r\nx`, taken: ONE },
  { name: "a name with a blank", section: "9110 5.1", raw: `${OK}X Y: a\r\n${SIZED}` },
  { name: "no name", section: "9110 5.1", raw: `${OK}: a\r\n${SIZED}` },
  { name: "no colon", section: "9112 5", raw: `${OK}X\r\n${SIZED}` },
  { name: "NUL in a value", section: "9110 5.5", raw: `${OK}X: a\0\r\n${SIZED}` },
  { name: "NUL in a fold", section: "9110 5.5", raw: `${OK}X: a\r\n \0\r\n${SIZED}` },
  {
    name: "empty values and tabs around",
    section: "9110 5.5",
    raw: `${OK}X:\r\nY: \t \r\nZ:\ta\t\r\n${SIZED}`,
    taken: { fields: ["X", "", "Y", "", "Z", "a", ...LENGTH] },
  },
  {
    name: "a head of 60,000 bytes",
    section: "9110 5.4",
    raw: `${OK}X: ${"a".repeat(60_000)}\r\n${SIZED}`,
    taken: { fields: ["X", "a".repeat(60_000), ...LENGTH] },
  },
  { name: "a head of 70,000 bytes", section: "9110 5.4", raw: `${OK}X: ${"a".repeat(70_000)}\r\n${SIZED}` },
  { name: "a head without end", section: "9110 5.4", raw: `${OK}${"X: a\n \n".repeat(30_000)}` },
  // The status line.
  { name: "no reason", section: "9112 4", raw: `HTTP/1.1 200 \r\n${SIZED}`, taken: { ...ONE, reason: "" } },
  {
    name: "no blank either",
    section: "9112 4",
    raw: `HTTP/1.1 200\r\n${SIZED}`,
    taken: { ...ONE, reason: "" },
  },
  { name: "several blanks", section: "9112 4", raw: `HTTP/1.1  200  OK\r\n${SIZED}`, taken: ONE },
  { name: "tabs for blanks", section: "9112 4", raw: `HTTP/1.1\t200\tOK\r\n${SIZED}` },
  { name: "http in small letters", section: "9112 2.3", raw: `http/1.1 200 OK\r\n${SIZED}` },
  { name: "HTTP/1.2", section: "9110 2.5", raw: `HTTP/1.2 200 OK\r\n${SIZED}` },
  { name: "HTTP/2", section: "9112 2.3", raw: `HTTP/2 200 OK\r\n${SIZED}` },
  { name: "HTTP/0.9", section: "9112 4", raw: "<html>" },
  { name: "ICY", section: "9112 4", raw: `ICY 200 OK\r\n${SIZED}` },
  { name: "a status of two digits", section: "9112 4", raw: `HTTP/1.1 20 OK\r\n${SIZED}` },
  // Bodies that end with the connection.
  { name: "no length", section: "9112 6.3", raw: `${OK}\r\nx`, taken: NONE },
  {
    name: "HTTP/1.0 that keeps alive",
    section: "9112 9.3",
    raw: `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${SIZED}`,
    taken: ONE,
  },
  {
    name: "HTTP/1.0 without length",
    section: "9112 6.3",
    raw: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx",
    taken: NONE,
  },
  // Transfer codings.
  {
    name: "Chunked",
    section: "9112 7",
    raw: `${OK}Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    taken: NONE,
  },
  {
    name: "chunks in HTTP/1.0",
    section: "9112 6.1",
    raw: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    taken: NONE,
  },
  {
    name: "length and chunks",
    section: "9112 6.3",
    raw: `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  },
  {
    name: "so on HEAD",
    section: "9112 6.3",
    method: "HEAD",
    raw: `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
  },
  {
    name: "chunked twice",
    section: "9112 6.1",
    raw: `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: "chunked, chunked",
    section: "9112 6.1",
    raw: `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`,
  },
  { name: "chunked;", section: "9112 7", raw: `${OK}Transfer-Encoding: chunked;\r\n\r\n0\r\n\r\n` },
  { name: "identity", section: "9112 7", raw: `${OK}Transfer-Encoding: identity\r\n${SIZED}` },
  { name: "gzip, chunked", section: "9112 7", raw: `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n` },
  {
    name: "hidden by a blank",
    section: "9112 11.2",
    raw: `${OK}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: "hidden by a fold",
    section: "9112 11.2",
    raw: `${OK}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
  },
  {
    name: "hidden in a fold",
    section: "9112 5.2",
    raw: `${OK}X: a b\r\nContent-Length: 1\r\n Transfer-Encoding: chunked\r\n\r\nx`,
  },
  // Chunks.
  {
    name: "chunk extensions",
    section: "9112 7.1.1",
    raw: `${CHUNKED}1 ; a="b"\r\nx\r\n0;c\r\n\r\n`,
    taken: NONE,
  },
  {
    name: "blanks after a size",
    section: "9112 7.1.1",
    raw: `${CHUNKED}1  \r\nx\r\n0\t\r\n\r\n`,
    taken: NONE,
  },
  {
    name: "sizes with zeros",
    section: "9112 7.1",
    raw: `${CHUNKED}${"0".repeat(30)}1\r\nx\r\n000\r\n\r\n`,
    taken: NONE,
  },
  {
    name: "trailers with LF, a fold and a blank",
    section: "9112 7.1.2",
    raw: `${CHUNKED}1\r\nx\r\n0\r\nX : a\n b\nY: \r\n\n`,
    taken: { fields: [], trailers: ["X", "a b", "Y", ""] },
  },
  // Interim responses.
  {
    name: "an interim answer with LF and a length",
    section: "9110 15.2",
    raw: `HTTP/1.1 103\nContent-Length: 5\nX : a\n\n${OK}${SIZED}`,
    taken: ONE,
  },
  {
    name: "a switch unasked",
    section: "9110 15.2.2",
    raw: "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nx",
  },
  { name: "a switch to nothing", section: "9110 15.2.2", raw: `HTTP/1.1 101 Go\r\n\r\n${OK}${SIZED}` },
];

/** Chunked bodies that must not look complete: their head is valid, so that a response has begun when they fail. */
export const BROKEN_CHUNKS: Readonly<Record<string, string>> = {
  "a size without digits": `${CHUNKED}zz\r\nx\r\n0\r\n\r\n`,
  "a size of 2^64": `${CHUNKED}10000000000000000\r\nx\r\n0\r\n\r\n`,
  "a negative size": `${CHUNKED}-1\r\nx\r\n0\r\n\r\n`,
  "a size with 0x": `${CHUNKED}0x1\r\nx\r\n0\r\n\r\n`,
  "a size with a blank in front": `${CHUNKED} 1\r\nx\r\n0\r\n\r\n`,
  "two sizes": `${CHUNKED}1 1\r\nx\r\n0\r\n\r\n`,
  "an empty size": `${CHUNKED}\r\n1\r\nx\r\n0\r\n\r\n`,
  "a size that ends in LF": `${CHUNKED}1\nx\r\n0\r\n\r\n`,
  "an extension with LF": `${CHUNKED}1;a\nx\r\n0\r\n\r\n`,
  "an extension with CR": `${CHUNKED}1;a\rb\r\nx\r\n0\r\n\r\n`,
  "an extension with NUL": `${CHUNKED}1;\0\r\nx\r\n0\r\n\r\n`,
  "an extension without end": `${CHUNKED}1;${"a".repeat(5_000)}`,
  "data that ends in LF": `${CHUNKED}1\r\nx\n0\r\n\r\n`,
  "data longer than its size": `${CHUNKED}1\r\nxyz\r\n0\r\n\r\n`,
  "a last chunk that ends in LF": `${CHUNKED}1\r\nx\r\n0\n\r\n`,
  "a trailer's name with a blank": `${CHUNKED}0\r\nX y: 1\r\n\r\n`,
  "a trailer section that begins with a fold": `${CHUNKED}0\r\n X: 1\r\n\r\n`,
  "a trailer with NUL": `${CHUNKED}0\r\nX: \0\r\n\r\n`,
  "a length among the trailers": `${CHUNKED}1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n`,
  "a coding among the trailers": `${CHUNKED}1\r\nx\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n`,
  "trailers of 70,000 bytes": `${CHUNKED}0\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
  "the connection's end after the last chunk": `${CHUNKED}1\r\nx\r\n0\r\n`,
};
