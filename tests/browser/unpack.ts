/**
 * Unpacks the headless Chromium of the npm package into the system's folder for temporary files (`TMPDIR`), and
 * prints where it is. A program of its own: it may write there, so it may not run what it wrote.
 */
import chromium from "@sparticuz/chromium";

Deno.stdout.writeSync(new TextEncoder().encode(`${await chromium.executablePath()}\n`));
