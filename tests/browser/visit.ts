/** What a visit of the browser brought. */
export interface Visit {
  /** The page's heading. */
  heading: string;
  /** Natural widths of its pictures, 0 for one that did not load. */
  pictures: number[];
  /** What a POST to `/echo` brought back. */
  posted: string;
  /** What the page's own WebSocket heard. */
  heard: string;
  /** How many characters a WebSocket heard that had said 200,000. */
  heardLength: number;
  /** Requests that failed, with their reason. */
  failures: string[];
}

/** What a page turned out to be, by the name of its address. */
export interface Page {
  status: number;
  title: string;
  /** All of its text. */
  text: string;
  /** What a WebSocket to its host heard. */
  heard: string;
}

/** Exit code of the driver that says: this machine cannot start the browser. */
export const CANNOT_START = 3;
