/** What the browser saw on a page of the sample origin. */
export interface Visit {
  /** The page's heading. */
  heading: string;
  /** Natural widths of its pictures, 0 for one that did not load. */
  pictures: number[];
  /** Response to a POST to `/echo`. */
  posted: string;
  /** What the page's own WebSocket received. */
  received: string;
  /** Characters that a WebSocket received after sending 200,000. */
  receivedLength: number;
  /** Failed requests with their reasons. */
  failures: string[];
}

/** What the browser saw on a page. */
export interface Page {
  status: number;
  title: string;
  /** All of its text. */
  text: string;
  /** What a WebSocket to its host received. */
  received: string;
}

/** Exit code of the driver when this machine cannot start the browser. */
export const CANNOT_START = 3;
