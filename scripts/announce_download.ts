/**
 * Says how much a task is about to download, before Deno downloads it. Tasks name this file with `--preload`: it
 * runs before Deno loads what the program imports.
 */
import { announceDownload } from "./process/downloads.ts";

announceDownload("start");
