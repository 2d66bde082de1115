/** A request that must not be forwarded. */
export interface RefusedRaw {
  name: string;
  /** Its bytes as Latin-1 text. */
  raw: string;
  /** What the client gets before its connection closes. */
  status: number;
}

/** A request that is unusual but unambiguous. */
export interface AcceptedRaw {
  name: string;
  /** Its bytes as Latin-1 text. */
  raw: string;
  method: string;
  path: string;
  body: string;
}

const EMPTY = "Content-Length: 0\r\n\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const LAST = "0\r\n\r\n";

/** Heads after `POST http://HOST/ HTTP/1.1` and `Host`, with what may follow them; each gets status 400. */
const HEADS: Readonly<Record<string, string>> = {
  "length and chunks": `Content-Length: 4\r\n${CHUNKED}${LAST}`,
  "chunks and length": `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${LAST}`,
  "the same length twice": "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
  "two lengths": "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
  "a list of lengths": "Content-Length: 1, 1\r\n\r\nx",
  "a length with plus": "Content-Length: +1\r\n\r\nx",
  "a length with minus": "Content-Length: -1\r\n\r\nx",
  "a length in hex": "Content-Length: 0x1\r\n\r\nx",
  "a length with a blank in it": "Content-Length: 1 1\r\n\r\nx",
  "a length with a vertical tab": "Content-Length: \x0b1\r\n\r\nx",
  "no length at all": "Content-Length: \r\n\r\n",
  "a length of 80 bits": "Content-Length: 999999999999999999999999\r\n\r\nx",
  "a length of 64 bits": "Content-Length: 18446744073709551615\r\n\r\nx",
  "a length beyond 2^53": "Content-Length: 9007199254740992\r\n\r\nx",
  "chunked, identity": `Transfer-Encoding: chunked, identity\r\n\r\n${LAST}`,
  "identity": "Transfer-Encoding: identity\r\n\r\n",
  "xchunked": `Transfer-Encoding: xchunked\r\n\r\n${LAST}`,
  "chunked twice": `Transfer-Encoding: chunked, chunked\r\n\r\n${LAST}`,
  "chunked in two lines": `Transfer-Encoding: chunked\r\n${CHUNKED}${LAST}`,
  "chunked and identity in two lines":
    `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${LAST}`,
  "a vertical tab before chunked": `Transfer-Encoding: \x0bchunked\r\n\r\n${LAST}`,
  "a form feed behind chunked": `Transfer-Encoding: chunked\x0c\r\n\r\n${LAST}`,
  "folded chunked": `Transfer-Encoding:\r\n chunked\r\n\r\n${LAST}`,
  "quoted chunked": `Transfer-Encoding: "chunked"\r\n\r\n${LAST}`,
  "chunked with a parameter": `Transfer-Encoding: chunked;q=1\r\n\r\n${LAST}`,
  "chunked behind a comma": `Transfer-Encoding: ,chunked\r\n\r\n${LAST}`,
  "chunked before a comma": `Transfer-Encoding: chunked,\r\n\r\n${LAST}`,
  "an empty coding": `Transfer-Encoding: \r\n\r\n${LAST}`,
  "a chunk of 2^64 bytes": `${CHUNKED}10000000000000000\r\nx\r\n${LAST}`,
  "a negative chunk": `${CHUNKED}-1\r\nx\r\n${LAST}`,
  "a chunk with 0x": `${CHUNKED}0x1\r\nx\r\n${LAST}`,
  "a chunk with plus": `${CHUNKED}+1\r\nx\r\n${LAST}`,
  "a chunk without a size": `${CHUNKED}\r\nx\r\n${LAST}`,
  "a blank before a chunk's size": `${CHUNKED} 1\r\nx\r\n${LAST}`,
  "a blank behind a chunk's size": `${CHUNKED}1 \r\nx\r\n${LAST}`,
  "an extension that ends in LF": `${CHUNKED}1;a\nx\r\n${LAST}`,
  "a CR in an extension": `${CHUNKED}1;a\rb\r\nx\r\n${LAST}`,
  "a NUL in an extension": `${CHUNKED}1;a\0\r\nx\r\n${LAST}`,
  "a chunk's size that ends in LF": `${CHUNKED}1\nx\r\n${LAST}`,
  "a chunk that ends in LF": `${CHUNKED}1\r\nx\n${LAST}`,
  "a chunk that ends in CR": `${CHUNKED}1\r\nx\r${LAST}`,
  "a chunk that ends in CR and a letter": `${CHUNKED}1\r\nx\rX${LAST}`,
  "a chunk longer than it says": `${CHUNKED}1\r\nxyz\r\n${LAST}`,
  "a last chunk that ends in LF": `${CHUNKED}0\n\n`,
  "a last chunk that ends in CR": `${CHUNKED}0\r\n\rX`,
  "a trailer's name with a blank": `${CHUNKED}0\r\nX y: 1\r\n\r\n`,
  "a folded trailer": `${CHUNKED}0\r\nX: 1\r\n y\r\n\r\n`,
  "a NUL in a trailer": `${CHUNKED}0\r\nX: 1\0\r\n\r\n`,
  "CRLF hidden behind a trailer's LF": `${CHUNKED}0\r\nX: 1\nY: 2\r\n\r\n`,
  "a field that ends in LF": `X: 1\n${EMPTY}`,
  "a head that ends in LF": "Content-Length: 0\r\n\n",
  "a field that ends in CR": `X: 1\r${EMPTY}`,
  "a head that ends in CR": "Content-Length: 0\r\n\rX",
  "a field folded by a blank": `X: 1\r\n Y: 2\r\n${EMPTY}`,
  "a field folded by a tab": `X: 1\r\n\tY: 2\r\n${EMPTY}`,
  "a blank before the colon": "Content-Length : 0\r\n\r\n",
  "a tab before the colon": "Content-Length\t: 0\r\n\r\n",
  "a field without a name": `: 1\r\n${EMPTY}`,
  "a field without a colon": `Foo\r\n${EMPTY}`,
  "a name with a blank": `X Y: 1\r\n${EMPTY}`,
  "a name with a control character": `X\x01: 1\r\n${EMPTY}`,
  "a name with NUL": `X\0: 1\r\n${EMPTY}`,
  "a name beyond ASCII": `X\xe9: 1\r\n${EMPTY}`,
  "a name in brackets": `(X): 1\r\n${EMPTY}`,
  "a value with NUL": `X: a\0b\r\n${EMPTY}`,
  "a value with ESC": `X: a\x1b[31m\r\n${EMPTY}`,
  "a value with DEL": `X: a\x7f\r\n${EMPTY}`,
  "two hosts": `Host: b.test\r\n${EMPTY}`,
};

/** Request lines; each gets status 400. `HOST` stands for the target. */
const LINES: Readonly<Record<string, string>> = {
  "a line that ends in LF": "GET http://HOST/ HTTP/1.1\nHost: HOST\r\n\r\n",
  "nothing but LF": "GET http://HOST/ HTTP/1.1\nHost: HOST\n\n",
  "nothing but CR": "GET http://HOST/ HTTP/1.1\rHost: HOST\r\r",
  "a first field that is folded": "GET http://HOST/ HTTP/1.1\r\n X: 1\r\nHost: HOST\r\n\r\n",
  "http/1.1 in small letters": "GET http://HOST/ http/1.1\r\nHost: HOST\r\n\r\n",
  "a tab instead of a space": "GET\thttp://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a blank behind the version": "GET http://HOST/ HTTP/1.1 \r\nHost: HOST\r\n\r\n",
  "a blank before the method": " GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a blank in the path": "GET http://HOST/a b HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a NUL in the path": "GET http://HOST/a\0b HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a CR in the path": "GET http://HOST/a\rb HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a tab in the path": "GET http://HOST/a\tb HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a DEL in the path": "GET http://HOST/a\x7fb HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "an authority beyond ASCII": "GET http://\xe9.HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a NUL in the authority": "GET http://a\0HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a backslash in the authority": "GET http://a.test\\@HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a user before the host": "GET http://user:secret@HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "an escaped user before the host": "GET http://user%40HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "one slash behind the scheme": "GET http:/HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "a Host with a user": "GET http://HOST/ HTTP/1.1\r\nHost: user@HOST\r\n\r\n",
  "a Host with a path": "GET http://HOST/ HTTP/1.1\r\nHost: HOST/x\r\n\r\n",
  "a Host beyond ASCII": "GET http://HOST/ HTTP/1.1\r\nHost: \xe9.test\r\n\r\n",
  "a Host with a blank": "GET http://HOST/ HTTP/1.1\r\nHost: a b\r\n\r\n",
  "a method with a bracket": "G(T http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "chunks in HTTP/1.0": `POST http://HOST/ HTTP/1.0\r\nHost: HOST\r\n${CHUNKED}${LAST}`,
  "CONNECT with a length": "CONNECT HOST HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhello",
  "CONNECT with chunks": `CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n${CHUNKED}${LAST}`,
  "CONNECT with two hosts": "CONNECT HOST HTTP/1.1\r\nHost: HOST\r\nHost: b.test\r\n\r\n",
  "CONNECT with a user": "CONNECT user:secret@HOST HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "CONNECT with a URL": "CONNECT http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "CONNECT with a path": "CONNECT HOST/x HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "CONNECT with a blank": "CONNECT a HOST HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "CONNECT with NUL": "CONNECT a\0HOST HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "CONNECT with CR": "CONNECT a\rHOST HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "CONNECT beyond ASCII": "CONNECT \xe9.HOST HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "an upgrade with a length":
    "GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello",
  "an upgrade with chunks":
    `GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${CHUNKED}${LAST}`,
  "an upgrade with two hosts":
    "GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\nHost: b.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
  "an upgrade with a user":
    "GET http://user@HOST/ HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
};

/** Requests that are refused with a more specific status than 400. */
const OTHERS: Readonly<Record<string, readonly [number, string]>> = {
  "a coding that only this hop would see": [
    501,
    `POST http://HOST/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${LAST}`,
  ],
  "identity, chunked": [
    501,
    `POST http://HOST/ HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: identity, chunked\r\n\r\n${LAST}`,
  ],
  "an encrypted target in the clear": [501, "GET https://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n"],
  "HTTP/0.9": [505, "GET http://HOST/\r\n\r\n"],
  "HTTP/0.9 by name": [505, "GET http://HOST/ HTTP/0.9\r\nHost: HOST\r\n\r\n"],
  "HTTP/2.0 in text": [505, "GET http://HOST/ HTTP/2.0\r\nHost: HOST\r\n\r\n"],
  "CONNECT of HTTP/0.9": [505, "CONNECT HOST\r\n\r\n"],
  "HTTP/1.2": [505, "GET http://HOST/ HTTP/1.2\r\nHost: HOST\r\n\r\n"],
  "HTTP/3": [505, "GET http://HOST/ HTTP/3\r\nHost: HOST\r\n\r\n"],
  "HTTP/1.10": [505, "GET http://HOST/ HTTP/1.10\r\nHost: HOST\r\n\r\n"],
  "the preface of HTTP/2": [505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"],
  "a method in small letters": [501, "get http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n"],
  "a method that is not known": [501, "FOOBAR http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n"],
  "a method of RTSP": [501, "DESCRIBE http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n"],
  "a head of 70,000 bytes": [
    431,
    `GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
  ],
  "many small fields": [
    431,
    `GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n${"A: b\r\n".repeat(40_000)}\r\n`,
  ],
  "a target of 70,000 bytes": [431, `GET http://HOST/${"x".repeat(70_000)} HTTP/1.1\r\nHost: HOST\r\n\r\n`],
};

/**
 * Requests that a proxy and an origin could read differently, or that would inject something: the response is an
 * error, the connection is closed, and nothing is forwarded.
 *
 * @param host The target as `host:port`.
 */
export function refusedRequests(host: string): RefusedRaw[] {
  const at = (raw: string) => raw.replaceAll("HOST", host);
  const post = at("POST http://HOST/ HTTP/1.1\r\nHost: HOST\r\n");
  return [
    ...Object.entries(HEADS).map(([name, rest]) => ({ name, raw: post + rest, status: 400 })),
    ...Object.entries(LINES).map(([name, raw]) => ({ name, raw: at(raw), status: 400 })),
    ...Object.entries(OTHERS).map(([name, [status, raw]]) => ({ name, raw: at(raw), status })),
  ];
}

/**
 * Requests that are unusual but unambiguous; what is forwarded is in canonical form.
 *
 * @param host The target as `host:port`.
 */
export function acceptedRequests(host: string): AcceptedRaw[] {
  const post = { method: "POST", path: "/", body: "x" };
  const get = { method: "GET", path: "/", body: "" };
  const to = `http://${host}/`;
  const rest = ` HTTP/1.1\r\nHost: ${host}\r\n`;
  const chunk = `1\r\nx\r\n${LAST}`;
  return [
    { name: "ChUnKeD", raw: `POST ${to}${rest}Transfer-Encoding: ChUnKeD\r\n\r\n${chunk}`, ...post },
    {
      name: "a tab before chunked",
      raw: `POST ${to}${rest}Transfer-Encoding:\tchunked\r\n\r\n${chunk}`,
      ...post,
    },
    { name: "a chunk's extension", raw: `POST ${to}${rest}${CHUNKED}1;a="b";c\r\nx\r\n${LAST}`, ...post },
    { name: "a length with zeros", raw: `POST ${to}${rest}Content-Length: 001\r\n\r\nx`, ...post },
    { name: "a length before blanks", raw: `POST ${to}${rest}Content-Length: 1  \r\n\r\nx`, ...post },
    { name: "two blanks in the line", raw: `GET  ${to} ${rest}\r\n`, ...get },
    { name: "empty lines before it", raw: `\r\n\r\nGET ${to}${rest}\r\n`, ...get },
    { name: "no Host", raw: `GET ${to} HTTP/1.1\r\n\r\n`, ...get },
    { name: "another Host", raw: `GET ${to} HTTP/1.1\r\nHost: b.test\r\n\r\n`, ...get },
    { name: "a fragment", raw: `GET ${to}#a${rest}\r\n`, ...get },
    {
      name: "a path and a query beyond ASCII",
      raw: `GET ${to}caf\xc3\xa9?\x80\xff${rest}\r\n`,
      ...get,
      path: "/caf%C3%A9?%80%FF",
    },
    { name: "odd letters", raw: `GET ${to}"<>\\^\`{|}${rest}\r\n`, ...get, path: '/"<>\\^`{|}' },
  ];
}
