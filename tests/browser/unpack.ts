/**
 * Unpacks the headless Chromium of the npm package into the folder for temporary files (`TMPDIR`) and prints its path.
 * It is a separate program with permission to write there, but not to run what it wrote.
 */
import chromium from "@sparticuz/chromium";
import { terminal } from "../../shared/cli/terminal.ts";

terminal.out(`${await chromium.executablePath()}\n`);
